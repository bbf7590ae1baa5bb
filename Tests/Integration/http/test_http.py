"""HTTP/1 over sockets: methods, paths, 100-continue, pipelining, early responses.

`test_http_conformance.py` contains the table of HTTP cases.
"""

import json
import threading
from urllib.parse import urljoin

import pytest
from Support.clients.libraries import healthy, post_steps, session
from Support.payloads import payload, run_id, served
from Support.servers.server import Server
from Support.wire.raw import INGEST, RawConnection, chunked, ingest, request

TOKEN = "the-token-of-these-tests"
GOOD = f"Authorization: Bearer {TOKEN}"
EXPECT = "Expect: 100-continue"


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server that requires one token. Authentication failures are not limited."""
    with Server(["--auth-failure-limit", "1000000"], {"NN_MONITOR_AUTH_TOKEN": TOKEN},
                tmp_path_factory.mktemp("locked")) as running:
        yield running


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


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/v1/runs/a/b", "/api/v3/runs", "//health", "/Health",
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
    assert answer["location"].startswith("../")
    assert urljoin(f"http://localhost{path}/", answer["location"]) == f"http://localhost{path}?a=1"


@pytest.mark.parametrize(("path", "status"), [
    ("//evil.example/", 404), ("//health/", 404), ("///", 404), ("/%2f/evil.example/", 404), ("/\\evil.example/", 400)])
def test_redirect_of_a_trailing_slash_stays_on_this_server(raw, path, status):
    answer = raw.ask(request(path))
    assert answer.status == status
    assert "location" not in answer


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
def test_bad_head_gets_its_answer_and_no_100_continue(locked, headers, status):
    with RawConnection(locked) as raw:
        answer = raw.ask(request(INGEST, "POST", [EXPECT, *headers]))
    assert answer.status == status if status else answer.status in (400, 413)


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


@pytest.mark.parametrize("begun", [
    b"GET /hea", request()[:-2], request("/logout", "POST", ["Content-Length: 5"], b"hell"),
    request("/logout", "POST", ["Transfer-Encoding: chunked"]) + b"5\r\nhello\r\n0\r\n"],
    ids=["line", "head", "body", "chunks"])
@pytest.mark.parametrize("before", [b"", request()], ids=["first", "second"])
def test_client_that_closes_its_side_in_the_middle_of_a_request_is_told(raw, before, begun):
    raw.send(before + begun)
    raw.socket.shutdown(1)
    if before:
        assert raw.read_response().status == 200
    answer = raw.read_response()
    assert answer.status == 400
    assert answer.json()["detail"]["message"] == "The request ended too early"
    assert raw.ended()


# Early answers


@pytest.mark.parametrize("headers, status", [
    (["Authorization: Bearer wrong", "Content-Type: application/json"], 401),
    ([GOOD, "Content-Type: text/csv"], 415),
    ([GOOD, "Content-Type: application/json"], 413)])
@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_client_that_still_sends_50_mb_sees_the_early_answer(locked, headers, status, framing):
    size = 50_000_000
    outcome = []
    with RawConnection(locked, timeout=60) as raw:
        if framing == "chunked":
            body = chunked(b"x" * size, 1_000_000)
            head = request(INGEST, "POST", [*headers, "Transfer-Encoding: chunked"])
        else:
            body = b"x" * size
            head = request(INGEST, "POST", [*headers, f"Content-Length: {size}"])

        def send():
            # The client must be able to read the response even if the server stops reading the body.
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
    healthy(locked)
