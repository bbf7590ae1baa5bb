"""Log lines that unauthenticated clients can cause: at most one line a minute per cause, with a count of folded
lines."""

import re
import socket

import pytest
from Support.clients.access import call, tokens_file
from Support.payloads import payload, run_id
from Support.wire.raw import INGEST, RawConnection, request

MANY = 300


def counted(own, pattern: str) -> tuple[int, int]:
    """Stops the server. Returns the number of matching lines, and the number of events that they represent."""
    assert own.stop() == 0
    lines = [line for line in own.lines if re.search(pattern, line)]
    counts = [re.search(r" count=(\d+)", line) for line in lines]
    return len(lines), sum(int(found[1]) if found else 1 for found in counts)


@pytest.mark.parametrize("data, status", [
    (request("/api/v1/runs"), 401),
    (request("/api/v1/runs", headers=["Authorization: Bearer wrong"]), 401),
    (request("/nowhere"), 404),
    (request("/health", "BREW"), 405),
    (b"no request at all\r\n\r\n", 400),
    (request("/" + "x" * 9000), 414),
    (request("/health"), 200),
    (request("/"), 303),
], ids=["no token", "wrong token", "unknown address", "unknown method", "no HTTP", "long target", "health", "page"])
def test_requests_of_strangers_are_folded(start_server, tmp_path, data, status):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 1_000_000)
    for _ in range(MANY):
        with RawConnection(own) as raw:
            got = raw.ask(data).status
            assert got == status or status == 405 and got in (405, 501)
    lines, requests = counted(own, f"request .*status={got}|request.*status=\"?{got}")
    assert requests == MANY
    assert lines == 2


def test_every_request_with_a_right_token_has_its_line(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path))
    for status, method, path, token in [
            (202, "POST", INGEST, "trainer"), (403, "GET", "/api/v1/runs", "trainer"),
            (404, "GET", "/api/v1/runs/none", "viewer"), (200, "GET", "/api/v1/runs", "viewer")]:
        for _ in range(20):
            body = {"json": payload(run_id())} if method == "POST" else {}
            assert call(own, method, path, token, **body).status_code == status
    assert counted(own, "request .*status=(202|403|404|200)") == (80, 80)


def test_connections_over_a_limit_leave_a_line(start_server):
    own = start_server("--max-connections-per-address", 2, "--max-connections", 3)
    kept = [RawConnection(own, source="127.0.0.2") for _ in range(2)]
    for raw in kept:
        assert raw.ask(request()).status == 200
    for _ in range(MANY):
        with RawConnection(own, source="127.0.0.2") as raw:
            assert raw.gone()
    own.wait_for_line("connection refused.*MAX_CONNECTIONS_PER_ADDRESS.*127.0.0.2")
    kept.append(RawConnection(own, source="127.0.0.3"))
    assert kept[-1].ask(request()).status == 200
    for _ in range(MANY):
        with RawConnection(own, source="127.0.0.4") as raw:
            assert raw.gone()
    for raw in kept:
        raw.close()
    lines, refused = counted(own, "connection refused")
    assert (lines, refused) == (4, 2 * MANY)


def test_failed_handshakes_are_folded(start_server):
    own = start_server("--tls", "dev")
    for _ in range(MANY):
        with socket.create_connection(("127.0.0.1", own.port), timeout=20) as raw:
            raw.sendall(b"\x16\x03\x01\x00\x04none")
            while raw.recv(4096):
                pass
    lines, failed = counted(own, "TLS handshake failed")
    assert (lines, failed) == (2, MANY)
