"""TLS from the client's view: versions, certificates, client certificates, errors at start."""

import json
import re
import shutil
import ssl
import subprocess
import warnings

import pytest
import requests
from Support.clients.libraries import healthy, post
from Support.payloads import payload, run_id
from Support.servers import certificates, processes
from Support.servers.certificates import install, presented
from Support.servers.server import binary, clean_environment
from Support.wire.raw import RawConnection, ingest, request
from Support.wire.tls_wire import TLSWire


def client_context(server, lowest=None, highest=None, pair=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.ca)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if highest:
            # Otherwise OpenSSL's security level on the client refuses TLS 1.1 before the server can.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = lowest or highest
            context.maximum_version = highest
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(secure_server, version):
    with RawConnection(secure_server, context=client_context(secure_server, highest=version)) as connection:
        assert connection.socket.version() == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
        assert connection.ask(request()).status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(secure_server, version):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RawConnection(secure_server, context=client_context(secure_server, highest=version)).close()
    healthy(secure_server)


def test_smallest_version_can_be_raised(start_tls):
    own = start_tls("--tls-min-version", "1.3")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RawConnection(own, context=client_context(own, highest=ssl.TLSVersion.TLSv1_2)).close()
    with RawConnection(own) as connection:
        assert connection.socket.version() == "TLSv1.3"
        assert connection.ask(request()).status == 200


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_suites_without_forward_secrecy_or_aead_are_refused(secure_server, ciphers):
    context = client_context(secure_server, highest=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RawConnection(secure_server, context=context).close()


def test_alpn_chooses_http_1_1(secure_server):
    context = client_context(secure_server)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with RawConnection(secure_server, context=context) as connection:
        assert connection.socket.selected_alpn_protocol() == "http/1.1"
        assert connection.ask(request()).status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_session_is_resumed(secure_server, version):
    context = client_context(secure_server, lowest=version, highest=version)
    with TLSWire(secure_server, context) as first:
        # TLS 1.3 tickets arrive after the handshake, at the latest with the response.
        assert first.shake_hands().ask(request()).status == 200
        kept = first.tls.session
        assert not first.tls.session_reused
    with TLSWire(secure_server, context, session=kept) as second:
        assert second.shake_hands().ask(request()).status == 200
        assert second.tls.session_reused


def test_renegotiation_is_refused_and_others_are_served(secure_server):
    with RawConnection(secure_server) as other:
        assert other.ask(request()).status == 200
        with processes.start(
                ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{secure_server.port}", "-servername",
                 "localhost", "-CAfile", secure_server.ca],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
            # Keep stdin open: at its end the client would exit before it has read the response.
            client.stdin.write("R\n")
            client.stdin.flush()
            output = client.stdout.read()
        assert client.returncode > 0
        assert "Secure Renegotiation IS supported" in output
        assert "RENEGOTIATING" in output
        assert "no renegotiation" in output.split("RENEGOTIATING")[1]
        assert other.ask(request()).status == 200
    healthy(secure_server)


def test_connection_ends_with_close_notify(secure_server):
    with RawConnection(secure_server) as connection:
        answer = connection.ask(request(headers=["Connection: close"]))
        assert answer.status == 200
        # A connection that ends without close_notify raises SSLEOFError here.
        assert connection.socket.recv(1) == b""


@pytest.mark.parametrize("line", ["GET /health", "POST /api/v1/metrics/layerwise", "OPTIONS *", "DELETE /"])
def test_plain_http_on_the_tls_port_gets_a_400_that_says_so(secure_server, line):
    with RawConnection(secure_server, tls=False) as connection:
        answer = connection.ask(f"{line} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.status == 400
        assert answer["connection"].lower() == "close"
        assert answer.json()["detail"]["error"] == "tls_required"
        assert "https" in answer.json()["detail"]["message"].lower()
        assert connection.ended()


def test_garbage_on_the_tls_port_is_closed(secure_server):
    for garbage in (b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"\x00" * 100, b"\xff" * 5000):
        with RawConnection(secure_server, tls=False) as connection:
            connection.send(garbage)
            # A TLS alert may arrive first.
            while not connection.gone():
                connection.buffer = b""
    healthy(secure_server)


def test_handshake_that_does_not_come_is_closed(start_tls):
    own = start_tls("--handshake-timeout", "0.5")
    with RawConnection(own, tls=False) as silent, RawConnection(own, tls=False) as half:
        half.send(b"\x16\x03\x01\x02\x00\x01\x00")
        assert silent.gone()
        assert half.gone()
    healthy(own)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates_are_demanded_when_an_authority_is_set(start_tls, made, tmp_path, version):
    # The server's start check needs no connection. Each connection of this test chooses whether to send a certificate.
    own = start_tls("--tls-client-ca-file", made.authority.certificate)

    def connection(pair) -> TLSWire:
        return TLSWire(own, client_context(own, lowest=version, highest=version, pair=pair))

    def assert_served(pair):
        with connection(pair) as client:
            assert client.shake_hands().ask(request()).status == 200

    late = certificates.client_certificate(tmp_path, "late", made.authority, -7200, -3600)
    early = certificates.client_certificate(tmp_path, "early", made.authority, 3600, 7200)
    missing = {ssl.TLSVersion.TLSv1_2: "SSLV3_ALERT_HANDSHAKE_FAILURE",
               ssl.TLSVersion.TLSv1_3: "TLSV13_ALERT_CERTIFICATE_REQUIRED"}
    assert_served(made.client)
    for refused, alert in [(None, missing[version]), (made.stranger, "TLSV1_ALERT_UNKNOWN_CA"),
                           (late, "SSLV3_ALERT_CERTIFICATE_EXPIRED"), (early, "SSLV3_ALERT_BAD_CERTIFICATE")]:
        with connection(refused) as client:
            # In TLS 1.3 the client's handshake has already completed. The client sees the alert with its first read.
            assert client.alert() == alert
    assert_served(made.client)
    with requests.Session() as client:
        client.trust_env = False
        client.verify = own.ca
        client.cert = (str(made.client.certificate), str(made.client.key))
        assert post(client, own, payload(run_id())).status_code == 202


def start_fails(tmp_path, *options) -> str:
    """Starts the server with options that it must refuse. Returns its output."""
    ended = processes.run(
        [binary(), "--port", "0", *map(str, options)], cwd=tmp_path, env=clean_environment(None), timeout=60,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert ended.returncode > 0, ended.stdout
    assert "Fatal error" not in ended.stdout
    return ended.stdout


def test_start_errors_name_the_file_and_what_is_wrong(made, tmp_path):
    empty, text = tmp_path / "empty.pem", tmp_path / "text.pem"
    empty.touch()
    text.write_text("hello")
    good = made.server
    absent = "no such file|not found|does not exist|doesn't exist"
    cases = [
        (tmp_path / "absent.pem", good.key, "absent.pem", absent),
        (good.certificate, tmp_path / "absent.key", "absent.key", absent),
        (text, good.key, "text.pem", "pem|certificate"),
        (empty, good.key, "empty.pem", "pem|certificate|empty"),
        (good.certificate, text, "text.pem", "pem|key"),
        (good.certificate, made.renewed.key, "renewed.key", "match|belong"),
        (made.expired.certificate, made.expired.key, "expired.pem", "expired"),
        (tmp_path, good.key, str(tmp_path), "directory|folder|read|pem"),
    ]
    for certificate, key, name, what in cases:
        output = start_fails(tmp_path, "--tls-cert-file", certificate, "--tls-key-file", key)
        assert name in output
        assert any(word in output.lower() for word in what.split("|")), output


def test_start_error_of_a_bad_client_authority_names_it(made, tmp_path):
    output = start_fails(
        tmp_path, "--tls-cert-file", made.server.certificate, "--tls-key-file", made.server.key,
        "--tls-client-ca-file", tmp_path / "absent-ca.pem")
    assert "absent-ca.pem" in output


@pytest.mark.parametrize("options", [
    ["--tls-cert-file", "server.pem"], ["--tls-key-file", "server.key"],
    ["--tls", "dev", "--tls-cert-file", "server.pem", "--tls-key-file", "server.key"],
    ["--tls", "off", "--tls-client-ca-file", "ca.pem"], ["--tls-min-version", "1.1"], ["--tls", "maybe"]])
def test_settings_that_do_not_go_together_stop_the_start(made, tmp_path, options):
    install(made.server, tmp_path)
    shutil.copy(made.authority.certificate, tmp_path / "ca.pem")
    assert "tls" in start_fails(tmp_path, *options).lower()


def test_development_certificate_prints_its_fingerprint_and_is_reused(start_server, tmp_path):
    first = start_server("--tls", "dev")
    print_of_it = presented(first)
    assert first.stop() == 0
    assert print_of_it in first.output.lower().replace(":", "")
    copied = re.search(r"NN_MONITOR_URL=(\S+) NN_MONITOR_FINGERPRINT=(\S+)", first.output)
    assert copied[1] == f"https://localhost:{first.port}"
    assert copied[2].lower().replace(":", "") == print_of_it
    assert (tmp_path / "certs").is_dir()
    for key in (tmp_path / "certs").iterdir():
        if "PRIVATE KEY" in key.read_text():
            assert key.stat().st_mode & 0o077 == 0
    assert presented(start_server("--tls", "dev")) == print_of_it


def test_curl_posts_over_https(secure_server, tmp_path):
    run = run_id()
    body = tmp_path / "body.json"
    body.write_text(json.dumps(payload(run)))
    ended = processes.run(
        ["curl", "-sS", "--compressed", "--cacert", secure_server.ca,
         "-H", f"Authorization: Bearer {secure_server.token}", "-H", "Content-Type: application/json",
         "--data-binary", f"@{body}",
         secure_server.url + "/api/v1/metrics/layerwise"],
        capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(ended.stdout)["status"] == "accepted"
    assert json.loads(ended.stdout)["run_id"] == run


def test_body_in_many_small_records_is_read(secure_server):
    run = run_id()
    data = ingest(payload(run), headers=[f"Authorization: Bearer {secure_server.token}"])
    with RawConnection(secure_server) as connection:
        for start in range(0, len(data), 7):
            connection.send(data[start:start + 7])
        assert connection.read_response().status == 202
