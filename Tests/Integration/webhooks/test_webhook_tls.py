"""Alerts over HTTPS: the receiver's certificate and name are verified before anything is sent."""

import subprocess

import pytest
from Support.clients.libraries import wait_until
from Support.clients.metrics import metrics
from Support.clients.runs import path, put, send
from Support.servers import certificates
from Support.servers.receiver import OK, Receiver


@pytest.fixture
def start(start_server):
    """Starts a server with one receiver and posts an alert."""

    def start(address: str, *options, env=None):
        server = start_server("--alert-retry-base", 0.05, "--alert-retry-max", 0.1, *options,
                              env={"NN_MONITOR_ALERT_WEBHOOKS": f"json={address}", **(env or {})})
        put(server, "r", {}, 201)
        response = send(server, "POST", path("r") + "/alerts", {"level": "critical", "title": "t"})
        assert response.status_code == 202
        return server

    return start


def result(server, name: str) -> float:
    return metrics(server)["webhook_messages_total", name]


def other_name(folder, authority):
    """A certificate for another host, by a trusted authority."""
    made = certificates.Pair(folder / "elsewhere.pem", certificates.key(folder / "elsewhere.key"))
    (folder / "elsewhere.ext").write_text("subjectAltName=DNS:elsewhere.example,IP:192.0.2.1\n")
    request = ["openssl", "req", "-new", "-key", made.key, "-subj", "/CN=localhost", "-out", folder / "elsewhere.csr"]
    sign = ["openssl", "x509", "-req", "-in", folder / "elsewhere.csr", "-days", "2", "-extfile",
            folder / "elsewhere.ext", "-CA", authority.certificate, "-CAkey", authority.key, "-out", made.certificate]
    for command in (request, sign):
        subprocess.run([*map(str, command)], check=True, capture_output=True)
    return made


@pytest.mark.parametrize(("host", "indicated"), [("localhost", "localhost"), ("127.0.0.1", None)])
def test_a_receiver_with_a_trusted_certificate(start, made, host, indicated):
    with Receiver(certificate=made.server) as receiver:
        server = start(f"https://{host}:{receiver.port}/x", "--alert-ca-file", made.authority.certificate)
        [message] = receiver.wait(1)
        assert message.server_name == indicated
        wait_until(lambda: result(server, "delivered") == 1 or None)


def test_the_authorities_of_the_system_are_trusted_without_a_file(start, made):
    with Receiver(certificate=made.server) as receiver:
        # OpenSSL's own variable stands for the system's file.
        start(f"https://localhost:{receiver.port}/", env={"SSL_CERT_FILE": str(made.authority.certificate)})
        receiver.wait(1)


def check_refused(start, receiver, made, address: str, reason: str, *options):
    server = start(address, "--alert-retries", 2, *options or ["--alert-ca-file", made.authority.certificate])
    wait_until(lambda: result(server, "failed") == 1 or None, 60)
    line = server.wait_for_line("an alert was lost")
    assert f"has a certificate that is not trusted ({reason})" in line and "ALERT_CA_FILE" in line
    receiver.wait_for_failed_handshakes(3)
    assert receiver.messages == []


@pytest.mark.parametrize(("which", "trusted", "reason"), [
    ("stranger", "authority", "unable to get local issuer certificate"),
    ("expired", "expired", "certificate has expired")])
def test_a_wrong_certificate(start, made, which, trusted, reason):
    with Receiver(certificate=getattr(made, which)) as receiver:
        check_refused(start, receiver, made, f"https://localhost:{receiver.port}/", reason,
                      "--alert-ca-file", getattr(made, trusted).certificate)


def test_a_certificate_that_no_authority_of_the_system_issued(start, made):
    with Receiver(certificate=made.server) as receiver:
        server = start(f"https://localhost:{receiver.port}/", "--alert-retries", 0)
        assert "unable to get local issuer certificate" in server.wait_for_line("an alert was lost")
        assert receiver.messages == []


@pytest.mark.parametrize(("host", "reason"), [("localhost", "hostname mismatch"), ("127.0.0.1", "IP address mismatch")])
def test_a_wrong_host_name(start, made, tmp_path, host, reason):
    with Receiver(certificate=other_name(tmp_path, made.authority)) as receiver:
        check_refused(start, receiver, made, f"https://{host}:{receiver.port}/", reason)


def test_a_receiver_without_tls(start, made):
    with Receiver(raw=lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as receiver:
        server = start(f"https://localhost:{receiver.port}/", "--alert-retries", 0,
                       "--alert-ca-file", made.authority.certificate)
        assert "answered without TLS" in server.wait_for_line("an alert was lost")


def test_a_receiver_that_closes_during_the_handshake(start, made):
    with Receiver(raw=lambda connection: connection.recv(65536)) as receiver:
        server = start(f"https://localhost:{receiver.port}/", "--alert-retries", 1,
                       "--alert-ca-file", made.authority.certificate)
        server.wait_for_line("an alert was lost")
        assert result(server, "failed") == 1 and receiver.connections == 2


def test_a_receiver_that_never_completes_its_handshake(start, made):
    # The first read returns the client's first message, the second one its end.
    with Receiver(raw=lambda connection: [connection.recv(65536) for _ in range(2)]) as receiver:
        server = start(f"https://localhost:{receiver.port}/", "--alert-retries", 0, "--alert-timeout", 1,
                       "--alert-connect-timeout", 1, "--alert-ca-file", made.authority.certificate)
        assert "did not answer within ALERT_TIMEOUT" in server.wait_for_line("an alert was lost")


def test_a_receiver_that_closes_in_the_middle_of_its_answer(start, made):
    def behave(_, number, connection):
        if number:
            return OK
        connection.sendall(b"HTTP/1.1 2")
        return None

    with Receiver(behave, certificate=made.server) as receiver:
        start(f"https://localhost:{receiver.port}/", "--alert-ca-file", made.authority.certificate)
        first, second = receiver.wait(2)
        assert first.delivery == second.delivery and first.body == second.body
