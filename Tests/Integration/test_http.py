"""HTTP/1 done whole, over real sockets."""

import gzip
import json
import threading

import pytest
from support.clients import healthy, post_steps, session
from support.payloads import payload, run_id, served
from support.raw import INGEST, RawConnection, chunked, ingest, request
from support.server import Server

TOKEN = "the-token-of-these-tests"
GOOD = f"Authorization: Bearer {TOKEN}"
EXPECT = "Expect: 100-continue"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that wants a token; failures are not slowed."""
    running = Server(["--auth-failure-limit", "1000000"], {"NN_MONITOR_AUTH_TOKEN": TOKEN},
                     tmp_path_factory.mktemp("guarded"))
    yield running
    assert running.stop() == 0, running.output


@pytest.fixture(params=["plain", "secure"])
def either(request):
    """The shared server over plain HTTP, then the one over HTTPS."""
    return request.getfixturevalue("server" if request.param == "plain" else "secure_server")


@pytest.fixture
def raw(server):
    with RawConnection(server) as connection:
        yield connection


# Methods and paths


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", INGEST, {"POST"}), ("PUT", INGEST, {"POST"}), ("POST", "/api/v1/runs", {"GET", "HEAD"}),
    ("DELETE", "/health", {"GET", "HEAD"}), ("PATCH", "/", {"GET", "HEAD"}), ("POST", "/ws", {"GET"}),
    ("POST", "/static/css/base.css", {"GET", "HEAD"})])
def test_wrong_method_is_405_with_allow(raw, method, path, allowed):
    answer = raw.ask(request(path, method, body=b"" if method in ("POST", "PUT", "PATCH") else None))
    assert answer.status == 405
    assert answer.json() == {"detail": "Method Not Allowed"}
    assert allowed <= {name.strip() for name in answer["allow"].split(",")}
    assert raw.ask(request()).status == 200


def test_method_that_nobody_knows_is_refused(raw):
    assert raw.ask(request("/health", "BREW")).status in (400, 405, 501)


@pytest.mark.parametrize("path", ["/health", "/api/v1/runs", "/", "/static/css/base.css", "/openapi.json", "/docs"])
def test_head_is_get_without_the_body(raw, path):
    get = raw.ask(request(path))
    head = raw.ask(request(path, "HEAD"), head=True)
    assert head.status == get.status == 200
    for name in ("content-type", "content-length", "etag"):
        assert head[name] == get[name]
    assert raw.ask(request()).status == 200


def test_head_of_what_is_not_there_is_404_without_a_body(raw):
    assert raw.ask(request("/api/v1/runs/none", "HEAD"), head=True).status == 404
    assert raw.ask(request()).status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/v1/runs/a/b", "/api/v2/runs", "//health", "/Health",
    "/healthy"])
def test_unrouted_path_is_404(raw, path):
    answer = raw.ask(request(path))
    assert answer.status == 404
    assert answer.json() == {"detail": "Not Found"}
    assert answer["content-type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/health", "/api/v1/runs", "/api/v1/runs/a"])
def test_trailing_slash_is_307_to_the_path_without_it(raw, path):
    answer = raw.ask(request(path + "/?a=1"))
    assert answer.status == 307
    assert answer["location"].split("?")[0].removeprefix("http://localhost") == path


def test_redirect_of_a_trailing_slash_stays_on_this_server(raw):
    for path in ("//evil.example/", "/\\evil.example/", "/%2f/evil.example/", "///"):
        answer = raw.ask(request(path))
        assert answer.status in (307, 400, 404)
        location = answer["location"]
        assert not location.startswith(("//", "/\\", "http://evil", "https://evil")), location


def test_absolute_and_asterisk_targets(raw):
    assert raw.ask(request("http://localhost/health")).status == 200
    assert raw.ask(request("*", "OPTIONS")).status in (200, 204, 400, 404, 405)
    assert raw.ask(request()).status == 200


def test_run_id_is_percent_decoded_with_its_slash(server, raw):
    run = run_id("a/b ä")
    with session(server) as client:
        body = post_steps(client, server, run, [1])[0]
    encoded = "".join(f"%{byte:02X}" for byte in run.encode())
    assert raw.ask(request(f"/api/v1/runs/{encoded}/latest")).json() == served(body)


# 100-continue


def test_good_head_gets_100_continue_and_then_the_answer(either):
    body = json.dumps(payload(run_id())).encode()
    headers = [EXPECT, f"Content-Length: {len(body)}"]
    if either.token:
        headers.append(f"Authorization: Bearer {either.token}")
    with RawConnection(either) as raw:
        raw.send(ingest(b"", headers=headers))
        assert raw.read_response().status == 100
        raw.send(body)
        assert raw.read_response().status == 202
        assert raw.ask(request()).status == 200


@pytest.mark.parametrize("headers, status", [
    ([f"{GOOD}x", "Content-Type: application/json", "Content-Length: 10"], 401),
    ([GOOD, "Content-Type: text/plain", "Content-Length: 10"], 415),
    ([GOOD, "Content-Type: application/json", "Content-Encoding: br", "Content-Length: 10"], 415),
    ([GOOD, "Content-Type: application/json", "Content-Length: 3000000"], 413),
    ([GOOD, "Content-Type: application/json", "Content-Length: 99999999999999999999999"], None)])
def test_bad_head_gets_its_answer_and_no_100_continue(guarded, headers, status):
    with RawConnection(guarded) as raw:
        answer = raw.ask(request(INGEST, "POST", [EXPECT, *headers]))
    assert answer.status == status if status else answer.status in (400, 413)


def test_unknown_expectation_is_417_or_ignored(raw):
    assert raw.ask(request(headers=["Expect: miracles"])).status in (200, 417)


# HTTP/1.0, keep-alive, pipelining


def test_http_1_0_is_closed_after_the_answer(raw):
    answer = raw.ask(request("/api/v1/runs", version="HTTP/1.0", host=None))
    assert answer.status == 200
    assert "transfer-encoding" not in answer
    assert raw.ended()


def test_http_1_0_with_keep_alive_stays_open(raw):
    for _ in range(3):
        answer = raw.ask(request(version="HTTP/1.0", headers=["Connection: keep-alive"]))
        assert answer.status == 200
        assert answer["connection"].lower() == "keep-alive"
        assert "content-length" in answer


def test_connection_close_is_honoured(raw):
    answer = raw.ask(request(headers=["Connection: close"]))
    assert answer["connection"].lower() == "close"
    assert raw.ended()


def test_twenty_pipelined_requests_are_answered_in_order_with_an_error_in_the_middle(either):
    run = run_id()
    token = [f"Authorization: Bearer {either.token}"] if either.token else []
    parts = [ingest(payload(run, step), token) for step in range(9)]
    parts.append(ingest(b"{broken", token))
    parts.append(request("/api/v1/runs/not-there", headers=token))
    parts += [ingest(payload(run, step), token) for step in range(9, 17)]
    parts.append(request(f"/api/v1/runs/{run}", headers=token))
    with RawConnection(either) as raw:
        raw.send(b"".join(parts))
        answers = [raw.read_response() for _ in parts]
    assert len(parts) == 20
    assert [answer.status for answer in answers] == [202] * 9 + [422, 404] + [202] * 8 + [200]
    assert [step["step"] for step in answers[-1].json()["steps"]] == list(range(17))


def test_requests_after_one_that_closes_are_not_answered(raw):
    raw.send(request() + request(headers=["Connection: close"]) + request("/nowhere"))
    assert [raw.read_response().status for _ in range(2)] == [200, 200]
    assert raw.gone()


def test_many_pipelined_requests_of_a_client_that_reads_late_are_all_answered(server):
    count = 2000
    with RawConnection(server, timeout=60) as raw:
        sender = threading.Thread(target=raw.send, args=(request("/openapi.json") * count,), daemon=True)
        sender.start()
        sizes = {(answer.status, len(answer.body)) for answer in (raw.read_response() for _ in range(count))}
        sender.join(30)
    assert len(sizes) == 1


def test_client_that_closes_its_side_still_gets_its_answer(raw):
    raw.send(ingest(payload(run_id())))
    raw.socket.shutdown(1)
    assert raw.read_response().status == 202


# Early answers


@pytest.mark.parametrize("headers, status", [
    (["Authorization: Bearer wrong", "Content-Type: application/json"], 401),
    ([GOOD, "Content-Type: text/csv"], 415),
    ([GOOD, "Content-Type: application/json"], 413)])
@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_client_that_still_sends_50_mb_sees_the_early_answer(guarded, headers, status, framing):
    size = 50_000_000
    outcome = []
    with RawConnection(guarded, timeout=60) as raw:
        if framing == "chunked":
            body = chunked(b"x" * size, 1_000_000)
            head = request(INGEST, "POST", [*headers, "Transfer-Encoding: chunked"])
        else:
            body = b"x" * size
            head = request(INGEST, "POST", [*headers, f"Content-Length: {size}"])

        def send():
            # The answer must be readable even when the server stops taking the rest.
            try:
                raw.send(head + body)
            except OSError as error:
                outcome.append(error)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = raw.read_response()
        assert answer.status == status
        assert answer.json()["detail"]["error"]
    sender.join(30)
    assert not sender.is_alive()
    healthy(guarded)


# Limits of the head


def test_headers_that_are_too_large_are_431(raw):
    answer = raw.ask(request(headers=["X-Long: " + "x" * 40_000]))
    assert answer.status == 431
    assert raw.gone()


def test_target_that_is_too_long_is_refused(raw):
    assert raw.ask(request("/" + "a" * 40_000)).status in (414, 431)


def test_too_many_headers_are_431(raw):
    assert raw.ask(request(headers=[f"X-{index}: y" for index in range(150)])).status == 431


def test_many_headers_within_the_limit_are_taken(raw):
    assert raw.ask(request(headers=[f"X-{index}: y" for index in range(90)])).status == 200


def test_trailers_without_end_are_refused(raw):
    try:
        raw.send(ingest(b"", headers=["Transfer-Encoding: chunked"]) + b"0\r\n" + b"X-Trailer: yyyyyyyy\r\n" * 20_000)
    except ConnectionError:
        return
    assert raw.read_response().status in (400, 431)


# Deadlines


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server whose deadlines are short."""
    running = Server(["--header-timeout", "0.7", "--body-timeout", "0.7", "--idle-timeout", "1.5"], None,
                     tmp_path_factory.mktemp("hasty"))
    yield running
    assert running.stop() == 0, running.output


def drip(connection: RawConnection, data: bytes, every: float):
    """Sends a byte at a time until told to stop or the server has closed."""
    done = threading.Event()

    def send():
        for byte in data:
            if done.wait(every):
                return
            try:
                connection.send(bytes([byte]))
            except OSError:
                return

    threading.Thread(target=send, daemon=True).start()
    return done


def test_head_that_does_not_end_is_408(hasty):
    with RawConnection(hasty) as raw:
        raw.send("GET /health HTTP/1.1\r\nHost: localhost\r\n")
        assert raw.read_response().status == 408
        assert raw.gone()


def test_drip_fed_head_does_not_move_the_deadline(hasty):
    with RawConnection(hasty) as raw:
        # 1000 bytes of it would take 100 seconds; the read gives up after 20.
        done = drip(raw, request(headers=["X: " + "y" * 1000]), 0.1)
        assert raw.read_response().status == 408
        done.set()


def test_body_that_does_not_come_is_408(hasty):
    with RawConnection(hasty) as raw:
        raw.send(ingest(b"{", headers=["Content-Length: 1000"]))
        assert raw.read_response().status == 408
        assert raw.gone()


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_drip_fed_body_does_not_move_the_deadline(hasty, framing):
    body = json.dumps(payload(run_id())).encode()
    with RawConnection(hasty) as raw:
        if framing == "chunked":
            raw.send(ingest(b"", headers=["Transfer-Encoding: chunked"]))
            done = drip(raw, chunked(body, 1), 0.1)
        else:
            raw.send(ingest(b"", headers=[f"Content-Length: {len(body)}"]))
            done = drip(raw, body, 0.1)
        assert raw.read_response().status == 408
        done.set()


def test_idle_connection_is_closed_without_a_word(hasty):
    with RawConnection(hasty) as fresh, RawConnection(hasty) as used:
        assert used.ask(request()).status == 200
        assert used.ended()
        # One that has never asked anything may be told 408, or nothing.
        assert fresh.gone() or fresh.read_response().status == 408


# Bodies


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
@pytest.mark.parametrize("extension", ["", ";name=value", ';q="a;b"'])
def test_chunked_body_is_read_with_extensions_and_trailers(server, raw, size, extension):
    body = payload(run_id(), 1)
    raw.send(ingest(b"", headers=["Transfer-Encoding: chunked", "Trailer: X-Sum"]))
    raw.send(chunked(json.dumps(body).encode(), size, extension, ["X-Sum: 1"]))
    assert raw.read_response().status == 202
    assert raw.ask(request(f"/api/v1/runs/{body['metadata']['run_id']}/latest")).json() == served(body)


@pytest.mark.parametrize("chunks", [
    b"xyz\r\n", b"-1\r\nabc\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b" 3\r\nabc\r\n0\r\n\r\n",
    b"0x3\r\nabc\r\n0\r\n\r\n"])
def test_bad_chunk_is_400_and_closes(raw, chunks):
    answer = raw.ask(ingest(b"", headers=["Transfer-Encoding: chunked"]) + chunks)
    assert answer.status in (400, 413)
    assert raw.gone()


@pytest.mark.parametrize("headers", [
    ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5, 6"], ["Content-Length: -1"],
    ["Content-Length: +5"],
    ["Content-Length: five"], ["Content-Length: 0x5"], ["Transfer-Encoding: chunked, gzip"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding : chunked"], ["Transfer-Encoding: chunked, chunked"]])
def test_ambiguous_length_is_refused_and_nothing_behind_it_is_a_request(raw, headers):
    raw.send(ingest(b"", headers=headers) + b"0\r\n\r\n" + request("/nowhere"))
    assert raw.read_response().status in (400, 501)
    assert raw.gone()


@pytest.mark.parametrize("lines", [[], ["Host: a", "Host: b"], ["Host: a b"], ["Host: "]], ids=["no", "two", "space",
    "empty"])
def test_host_that_is_missing_or_double_is_400(raw, lines):
    answer = raw.ask(request(host=None, headers=lines))
    # An empty Host is well-formed (RFC 9112, 3.2), but no name of this server.
    assert answer.status == (421 if lines == ["Host: "] else 400)


@pytest.mark.parametrize("data", [
    b"garbage\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET /health\r\n\r\n",
    b"GET /health HTTP/9.9\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"GET /hea lth HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_what_is_no_http_is_400(raw, data):
    answer = raw.ask(data)
    assert answer.status in (400, 505)
    assert raw.gone()


def test_get_with_a_body_does_not_confuse_what_follows(raw):
    raw.send(request(body=b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n") + request("/api/v1/runs"))
    first = raw.read_response()
    assert first.status in (200, 400, 413)
    if first.status == 200 and "close" not in first["connection"].lower():
        assert raw.read_response().status == 200


# Compressed responses


@pytest.fixture(scope="module")
def large_run(server):
    run = run_id("large")
    with session(server) as client:
        post_steps(client, server, run, range(5), layers=20)
    return f"/api/v1/runs/{run}"


@pytest.mark.parametrize("accept, compressed", [
    ("gzip", True), ("deflate, gzip;q=0.5", None), ("GZIP", True), ("*", None), ("gzip;q=0", False), ("identity",
    False),
    ("gzip;q=0.000, *;q=0", False), ("br", False), ("", False), (None, False), ("gzip; q=1.0, identity; q=0.5", True)])
def test_response_is_gzip_when_accepted(raw, large_run, accept, compressed):
    plain = raw.ask(request(large_run)).body
    answer = raw.ask(request(large_run, headers=[] if accept is None else [f"Accept-Encoding: {accept}"]))
    assert answer.status == 200
    assert "accept-encoding" in answer["vary"].lower()
    encoding = answer["content-encoding"]
    assert encoding in ("", "gzip")
    if compressed is not None:
        assert (encoding == "gzip") == compressed
    assert (gzip.decompress(answer.body) if encoding else answer.body) == plain
    assert len(answer.body) < len(plain) or not encoding


def test_head_of_a_compressed_response_has_no_body(raw, large_run):
    assert raw.ask(request(large_run, "HEAD", ["Accept-Encoding: gzip"]), head=True).status == 200
    assert raw.ask(request()).status == 200


# Static files

CSS = "/static/css/base.css"


def test_static_file_is_served_with_its_type(raw):
    for path, kind in [(CSS, "text/css"), ("/static/js/main.js", "text/javascript"), ("/static/favicon.svg",
        "image/svg+xml")]:
        answer = raw.ask(request(path))
        assert answer.status == 200
        assert answer["content-type"].startswith(kind)
        assert answer["etag"]


def test_known_etag_is_304_without_a_body(raw):
    etag = raw.ask(request(CSS))["etag"]
    for value in (etag, f'"other", {etag}', "*", f"W/{etag.removeprefix('W/')}"):
        answer = raw.ask(request(CSS, headers=[f"If-None-Match: {value}"]))
        assert answer.status == 304
        assert answer["etag"].removeprefix("W/") == etag.removeprefix("W/")
    assert raw.ask(request(CSS, headers=['If-None-Match: "other"'])).status == 200


def test_gzip_and_plain_files_do_not_share_a_strong_etag(raw):
    plain = raw.ask(request(CSS))
    packed = raw.ask(request(CSS, headers=["Accept-Encoding: gzip"]))
    assert "accept-encoding" in packed["vary"].lower()
    if packed["content-encoding"] == "gzip":
        assert gzip.decompress(packed.body) == plain.body
        assert packed["etag"] != plain["etag"] or plain["etag"].startswith("W/")


@pytest.mark.parametrize("spec, cut", [
    ("bytes=0-9", slice(0, 10)), ("bytes=10-", slice(10, None)), ("bytes=-5", slice(-5, None)), ("bytes=0-999999999",
    slice(None))])
def test_range_of_a_file(raw, spec, cut):
    whole = raw.ask(request(CSS)).body
    answer = raw.ask(request(CSS, headers=[f"Range: {spec}"]))
    # A server may ignore Range (RFC 9110, 14.2); what it must not do is answer it wrongly.
    assert answer.status in (200, 206)
    assert answer.body == (whole[cut] if answer.status == 206 else whole)
    if answer.status == 206:
        start = range(len(whole))[cut].start
        assert answer["content-range"] == f"bytes {start}-{start + len(answer.body) - 1}/{len(whole)}"


@pytest.mark.parametrize("spec", ["bytes=999999999-", "bytes=9-2", "lines=1-2", "bytes=-0", "bytes=a-b",
    "bytes=" + "0-1," * 500])
def test_senseless_range_does_no_harm(raw, spec):
    whole = raw.ask(request(CSS)).body
    answer = raw.ask(request(CSS, headers=[f"Range: {spec}"]))
    assert answer.status in (200, 206, 400, 416)
    assert len(answer.body) <= len(whole) + 1000
    assert raw.ask(request()).status == 200


@pytest.mark.parametrize("path", [
    "/static/../Package.swift", "/static/%2e%2e/Package.swift", "/static/..%2fPackage.swift",
    "/static/%2e%2e%2fPackage.swift",
    "/static/%252e%252e%252fPackage.swift", "/static/..%5cPackage.swift", "/static/..\\Package.swift",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd", "/static/../../../../../../../../etc/passwd", "/static/css/../../Package.swift",
    "/static/css/..%2f..%2fPackage.swift", "/static/index.html%00.css", "/static/%00", "/static/..%00/Package.swift",
    "/static/....//Package.swift", "/static/%c0%ae%c0%ae/Package.swift", "/static/.", "/static/..", "/static/%2e",
    "/static/css", "/static/css/", "/static/", "/../Package.swift", "/%2e%2e/Package.swift", "/static/.git/config",
    "/static/;/../../Package.swift", "/static/%ff%fe", "/static/" + "../" * 100 + "etc/passwd"])
def test_path_never_leaves_the_folder(raw, path):
    answer = raw.ask(request(path))
    assert answer.status in (307, 400, 404), answer.body[:200]
    for secret in (b"swift-tools-version", b"root:", b"[core]"):
        assert secret not in answer.body


def test_link_out_of_the_folder_is_not_followed(start_server, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("index.html", "login.html", "docs.html"):
        (folder / name).write_text("<!doctype html><title>x</title>")
    (tmp_path / "secret.txt").write_text("the secret outside")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "inside.txt").write_text("inside")
    # Refusing to start over such a folder is as good as not serving the link.
    try:
        own = start_server("--static-dir", folder)
    except AssertionError as error:
        assert "link.txt" in str(error)
        assert "secret" not in str(error).replace("secret.txt", "")
        return
    with RawConnection(own) as raw:
        assert b"secret" not in raw.ask(request("/static/link.txt")).body
        assert raw.ask(request("/static/inside.txt")).status == 200
