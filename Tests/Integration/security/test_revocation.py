"""Access revoked by reload, logout or eviction while sockets, responses and bodies are in progress."""

import json
import signal

import pytest
from Support.clients.access import TOKENS, call, digest, log_in, tokens_file
from Support.clients.libraries import post_steps, session, wait_until
from Support.payloads import payload, run_id
from Support.wire.raw import RawConnection, ingest, request
from Support.wire.raw_websocket import RawWebSocket, stays_open

# This many steps and layers exceed all buffers between the server and a client that does not read.
STEPS, LAYERS = 40, 1500


@pytest.fixture
def own(start_server, tmp_path):
    """A server with all tokens of the file. A test may change the file."""
    return start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 1_000_000)


def reload(server, path, lines: str):
    """Replaces the tokens file and waits until the server has reloaded it."""
    (path / "tokens").write_text(lines)
    count = sum("what=tokens" in line for line in server.lines)
    server.signal(signal.SIGHUP)
    wait_until(lambda: sum("what=tokens" in line for line in server.lines) > count, why=server.output)


def line(name: str, scopes: str, token: str | None = None) -> str:
    return f"{name}:{scopes}:{digest(token or TOKENS[name])}\n"


def subscriber(server, headers) -> RawWebSocket:
    """A subscriber that has received its initial_runs."""
    socket = RawWebSocket(server, headers)
    assert socket.answer.status == 101
    assert socket.read_json()["type"] == "initial_runs"
    return socket


def bearer_line(name: str) -> list[str]:
    return [f"Authorization: Bearer {TOKENS[name]}"]


def logged_in(server, name: str) -> RawWebSocket:
    """A subscriber that authenticates with a session cookie."""
    pair, _ = log_in(server, name)
    return subscriber(server, [f"Cookie: {pair}", "Origin: http://localhost"])


OTHERS = line("trainer", "ingest") + line("both", "ingest,read")


@pytest.mark.parametrize("kept", [
    pytest.param("", id="removed"), pytest.param(line("viewer", "read", "another-value"), id="another value"),
    pytest.param(line("viewer", "ingest,admin"), id="without the scope")])
@pytest.mark.parametrize("by", ["bearer", "cookie"])
def test_reload_closes_the_sockets_of_a_token_that_may_no_longer_read(own, tmp_path, by, kept):
    with subscriber(own, bearer_line("viewer")) if by == "bearer" else logged_in(own, "viewer") as ended, \
            subscriber(own, bearer_line("both")) as bearer_stays, logged_in(own, "both") as cookie_stays:
        reload(own, tmp_path, OTHERS + kept)
        assert ended.read_close() == 1008
        with session(own, TOKENS["trainer"]) as trainer:
            post_steps(trainer, own, run := run_id(), [1])
        for socket in (bearer_stays, cookie_stays):
            assert socket.read_until("new_metrics")["run_id"] == run
            stays_open(socket)


def test_reload_of_an_empty_file_lets_nobody_in(own, tmp_path):
    with subscriber(own, bearer_line("viewer")) as first, logged_in(own, "boss") as second:
        reload(own, tmp_path, "")
        assert first.read_close() == 1008
        assert second.read_close() == 1008
    assert call(own, "GET", "/api/v1/runs", "boss").status_code == 401


def test_reload_that_changes_other_scopes_keeps_the_sockets(own, tmp_path):
    with subscriber(own, bearer_line("both")) as first, logged_in(own, "both") as second:
        reload(own, tmp_path, line("both", "read"))
        stays_open(first)
        stays_open(second)


def test_session_does_not_revive_when_its_token_comes_back(own, tmp_path):
    pair, _ = log_in(own, "viewer")
    reload(own, tmp_path, OTHERS)
    assert call(own, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code == 401
    reload(own, tmp_path, OTHERS + line("viewer", "read"))
    assert call(own, "GET", "/api/v1/runs", headers={"Cookie": pair}).status_code == 401
    assert call(own, "GET", "/api/v1/runs", "viewer").status_code == 200


def test_logout_closes_the_sockets_of_its_session_alone(own):
    pair, _ = log_in(own)
    headers = [f"Cookie: {pair}", "Origin: http://localhost"]
    with subscriber(own, headers) as first, subscriber(own, headers) as second, logged_in(own, "both") as other, \
            subscriber(own, bearer_line("both")) as program:
        assert call(own, "POST", "/logout", headers={"Cookie": pair, "Origin": own.url}).status_code == 303
        assert first.read_close() == 1008
        assert second.read_close() == 1008
        stays_open(other)
        stays_open(program)


def test_eviction_closes_the_sockets_of_the_evicted_session(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--max-sessions-per-token", 2)
    with logged_in(own, "both") as oldest, logged_in(own, "both") as newer, logged_in(own, "viewer") as other:
        log_in(own, "both")
        assert oldest.read_close() == 1008
        stays_open(newer)
        stays_open(other)


def test_no_step_is_sent_and_no_action_answered_after_the_token_is_gone(own, tmp_path):
    with session(own, TOKENS["both"]) as trainer:
        post_steps(trainer, own, run := run_id(), [1])
    with subscriber(own, bearer_line("viewer")) as socket:
        reload(own, tmp_path, OTHERS)
        with session(own, TOKENS["both"]) as trainer:
            post_steps(trainer, own, run, [2])
        socket.say({"action": "subscribe_run", "run_id": run})
        socket.say({"action": "ping"})
        # The first frame is the close frame.
        frame = socket.read_frame()
        assert (frame.opcode, frame.code) == (8, 1008)
        assert b"access" in frame.payload[2:]


def large_run(server) -> tuple[str, int]:
    """Posts a run that is larger than all buffers. Returns its id and the size of its history in bytes."""
    run = run_id()
    with session(server, TOKENS["both"]) as client:
        post_steps(client, server, run, range(STEPS), LAYERS)
        return run, len(client.get(f"{server.url}/api/v1/runs/{run}").content)


def test_history_under_way_on_a_socket_is_broken_off(own, tmp_path):
    run, whole = large_run(own)
    with subscriber(own, bearer_line("viewer")) as socket:
        socket.say({"action": "subscribe_run", "run_id": run})
        first = socket.read_frame()
        assert not first.fin
        reload(own, tmp_path, OTHERS)
        received = len(first.payload)
        while (frame := socket.read_frame()).opcode != 8:
            assert not frame.fin, "the history came to its end"
            received += len(frame.payload)
        assert frame.code == 1008
        assert received < whole


def test_history_under_way_over_http_is_broken_off(own, tmp_path):
    run, whole = large_run(own)
    with RawConnection(own) as connection:
        connection.send(request(f"/api/v1/runs/{run}", headers=bearer_line("viewer")))
        head = connection._through(b"\r\n\r\n")
        assert b" 200 " in head and b"chunked" in head.lower()
        reload(own, tmp_path, OTHERS)
        received = b""
        try:
            while connection._more():
                received, connection.buffer = received + connection.buffer, b""
        except ConnectionError:
            pass
        assert not received.endswith(b"\r\n0\r\n\r\n")
        assert len(received) < whole


@pytest.mark.parametrize("kept, status", [("", 401), (line("trainer", "read"), 403)])
def test_request_whose_body_comes_after_the_token_is_gone_is_refused(own, tmp_path, kept, status):
    body = json.dumps(payload(run := run_id())).encode()
    with RawConnection(own) as connection:
        connection.send(ingest(b"", headers=[
            *bearer_line("trainer"), f"Content-Length: {len(body)}", "Expect: 100-continue"]))
        assert connection._through(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        reload(own, tmp_path, line("both", "ingest,read") + kept)
        answer = connection.ask(body)
    assert answer.status == status
    assert run not in call(own, "GET", "/api/v1/runs", "both").json()


def test_reload_of_the_same_tokens_keeps_every_socket(own, tmp_path):
    with subscriber(own, bearer_line("viewer")) as first, logged_in(own, "boss") as second:
        for _ in range(3):
            reload(own, tmp_path, (tmp_path / "tokens").read_text())
        stays_open(first)
        stays_open(second)
