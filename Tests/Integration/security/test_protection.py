"""CORS, the headers of every response, and the data that must not be logged."""

import re
import socket

import pytest
import requests
from Support.clients.access import TOKENS, bearer, call, digest, log_in, tokens_file
from Support.payloads import payload
from Support.servers.server import Server
from Support.wire.raw import INGEST, RawConnection, request
from Support.wire.raw_websocket import RawWebSocket

# CORS


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A server with tokens that allows the origin of a notebook."""
    folder = tmp_path_factory.mktemp("notebook")
    running = Server(["--auth-tokens-file", tokens_file(folder), "--cors-origins", NOTEBOOK], None, folder)
    yield running
    assert running.stop() == 0, running.output


NOTEBOOK = "https://notebook.example"
TRACING = ["traceparent", "tracestate", "baggage", "sentry-trace"]


def test_preflight_is_answered_without_authentication(notebook):
    answer = call(notebook, "OPTIONS", INGEST, headers={
        "Origin": NOTEBOOK, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,content-encoding"})
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == NOTEBOOK
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "*" not in allowed, "a star does not cover Authorization"
    assert {name.strip() for name in allowed.split(",")} == {"authorization", "content-type", "content-encoding"}
    assert "origin" in answer.headers["Vary"].lower()
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_preflight_allows_the_headers_of_tracing_when_asked(notebook):
    answer = call(notebook, "OPTIONS", INGEST, headers={
        "Origin": NOTEBOOK, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join([*TRACING, "x-unknown"])})
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert set(TRACING) <= allowed
    assert "x-unknown" not in allowed


CASES = [("/api/v1/runs", "viewer", 200), ("/api/v1/runs", "", 401), ("/api/v1/runs/none", "viewer", 404),
         ("/health", "", 200)]


@pytest.mark.parametrize("path, token, status", CASES)
def test_listed_origin_may_read_every_answer_without_credentials(notebook, path, token, status):
    answer = call(notebook, "GET", path, token, headers={"Origin": NOTEBOOK})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == NOTEBOOK
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize("path, token, status", CASES)
def test_no_origin_may_read_by_default(guarded, path, token, status):
    answer = call(guarded, "GET", path, token, headers={"Origin": NOTEBOOK})
    assert answer.status_code == status
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "origin" in answer.headers["Vary"].lower()


def test_no_origin_may_read_or_post_to_an_open_server_by_default(server):
    answer = call(server, "GET", "/api/v1/runs", headers={"Origin": NOTEBOOK})
    assert "Access-Control-Allow-Origin" not in answer.headers
    preflight = call(server, "OPTIONS", INGEST, headers={"Origin": NOTEBOOK, "Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Origin" not in preflight.headers
    # Forms are sent without a preflight request.
    refused = call(server, "POST", INGEST, json=payload("a"), headers={"Origin": NOTEBOOK})
    assert refused.status_code == 403
    assert "NN_MONITOR_CORS_ORIGINS" in refused.json()["detail"]["message"]


@pytest.mark.parametrize("origins", [
    '["https://a.example","http://b.example:3000"]', "https://a.example,http://b.example:3000"])
def test_configured_origins_alone_are_allowed(start_server, origins):
    own = start_server("--cors-origins", origins)
    for name, allowed in [("https://a.example", True), ("http://b.example:3000", True), ("http://b.example", False),
                          ("https://evil.example", False), ("https://a.example.evil.example", False)]:
        for method, extra in (("GET", {}), ("OPTIONS", {"Access-Control-Request-Method": "GET"})):
            answer = call(own, method, "/api/v1/runs", headers={"Origin": name, **extra})
            assert answer.headers.get("Access-Control-Allow-Origin") == (name if allowed else None)
            assert "origin" in answer.headers["Vary"].lower()


# Headers of every response


def responses(server):
    """One response of each kind."""
    viewer = {"headers": bearer("viewer")}
    yield 200, call(server, "GET", "/health")
    yield 200, call(server, "HEAD", "/health")
    yield 200, call(server, "GET", "/login")
    yield 200, call(server, "GET", "/", **viewer)
    yield 200, call(server, "GET", "/static/css/base.css")
    yield 200, call(server, "GET", "/api/v1/runs", **viewer)
    yield 200, call(server, "GET", "/openapi.json", **viewer)
    yield 303, call(server, "GET", f"/?token={TOKENS['viewer']}")
    yield 307, call(server, "GET", "/health/", **viewer)
    yield 401, call(server, "GET", "/api/v1/runs")
    yield 403, call(server, "POST", INGEST, json=payload("a"), **viewer)
    yield 404, call(server, "GET", "/api/v1/runs/none", **viewer)
    yield 404, call(server, "GET", "/nowhere", **viewer)
    yield 405, call(server, "DELETE", "/health", **viewer)
    yield 415, call(server, "POST", INGEST, data=b"x", headers={**bearer("trainer"), "Content-Type": "text/plain"})
    yield 422, call(server, "POST", INGEST, json={}, headers=bearer("trainer"))
    yield 202, call(server, "POST", INGEST, json=payload("headers"), headers=bearer("trainer"))
    yield 426, call(server, "GET", "/ws", **viewer)


@pytest.mark.parametrize("secure", [False, True])
def test_every_response_has_the_protecting_headers(guarded, guarded_tls, secure):
    for status, answer in responses(guarded_tls if secure else guarded):
        name = f"{answer.request.method} {answer.request.path_url}"
        assert answer.status_code == status, name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Referrer-Policy"] == "no-referrer", name
        # HSTS would also apply to every other server on the host.
        assert "Strict-Transport-Security" not in answer.headers, name
        policy = answer.headers.get("Content-Security-Policy", "")
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert policy, name
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy, name
        server_header = answer.headers.get("Server", "")
        assert not re.search(r"\d+\.\d+", server_header), name


@pytest.mark.parametrize("seconds", [0, 86_400])
def test_hsts_is_sent_over_tls_when_it_is_set(start_server, seconds):
    for tls in ("dev", "off"):
        own = start_server("--hsts-max-age", seconds, "--tls", tls)
        answer = call(own, "GET", "/health")
        assert answer.headers.get("Strict-Transport-Security") == (f"max-age={seconds}" if tls == "dev" else None)


def test_hsts_is_sent_on_port_443_unless_it_is_turned_off(start_server):
    host = "127.0.0.43"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, 443))
        except OSError as error:
            pytest.skip(f"port 443 cannot be used here: {error}")
    for options, expected in [((), "max-age=31536000"), (("--hsts-max-age", 0), "max-age=0")]:
        own = start_server("--host", host, "--port", 443, "--tls", "dev", *options)
        answer = requests.get(f"https://{host}/health", verify=False, timeout=30)
        assert answer.headers.get("Strict-Transport-Security") == expected
        assert own.stop() == 0


def test_bad_requests_have_the_protecting_headers_too(guarded):
    for data in (b"garbage\r\n\r\n", request("/health", host=None), request("/health", headers=["X: " + "y" * 60000])):
        with RawConnection(guarded) as socket:
            answer = socket.ask(data)
            assert answer.status in (400, 431)
            assert answer["x-content-type-options"] == "nosniff"
            assert answer["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/login", "/docs"])
def test_pages_forbid_inline_scripts_and_frames(guarded, path):
    answer = call(guarded, "GET", path, "viewer")
    assert answer.status_code == 200
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";") if part.strip()]
    policy = {part[0]: part[1:] for part in parts}
    scripts = policy.get("script-src", policy.get("default-src"))
    assert scripts
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:"} & set(scripts)
    assert policy["frame-ancestors"] == ["'none'"]
    assert "<script>" not in answer.text and " onclick=" not in answer.text


# The log


def test_access_log_has_a_line_for_each_request_and_no_secret(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--log-level", "trace")
    token = TOKENS["both"]
    pair, _ = log_in(own)
    call(own, "GET", f"/?token={token}")
    call(own, "GET", f"/api/v1/runs?token={token}")
    call(own, "GET", "/health?token=" + token.replace("-", "%2D"))
    call(own, "GET", "/api/v1/runs", "both")
    call(own, "GET", "/api/v1/runs", headers={"Cookie": pair})
    call(own, "GET", "/api/v1/runs/marker-of-this-test", "both")
    call(own, "GET", "/api/v1/runs", headers={"Authorization": "Bearer almost-" + token})
    with RawWebSocket(own, headers=[f"Authorization: Bearer {token}"]) as socket:
        assert socket.answer.status == 101
    own.wait_for_line("marker-of-this-test")
    assert own.stop() == 0
    for secret in (token, token.replace("-", "%2D"), digest(token), pair.split("=", 1)[1], token[:12]):
        assert secret not in own.output
    assert re.search(r"GET.*/api/v1/runs/marker-of-this-test.*404|404.*/api/v1/runs/marker-of-this-test", own.output)


def test_log_line_cannot_be_forged_by_a_path(start_server):
    own = start_server()
    with RawConnection(own) as socket:
        socket.ask(request("/api/v1/runs/a%0d%0aFORGED%1b[31m"))
    own.wait_for_line("FORGED")
    assert not any(line.startswith("FORGED") for line in own.lines)
    assert "\x1b" not in own.output
