"""Server-Sent Events end with the access of the client, and with the server."""

import json
import random
import signal

import pytest
from Support.clients.access import TOKENS, bearer, call, digest, log_in, tokens_file
from Support.clients.events import PATH, EventStream, large_step
from Support.clients.openwire import accept_lines
from Support.clients.runs import path, put
from Support.wire.raw import RawConnection, request


# Access

@pytest.fixture
def own(start_server, tmp_path):
    """A server with all tokens of the file. A test may change the file."""
    return start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 1_000_000)


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("way", ["bearer", "cookie"])
def test_a_stream_ends_with_the_access_of_its_client(own, tmp_path, way, gzip):
    assert call(own, "PUT", path("r"), "both", json={}).status_code == 201
    if way == "bearer":
        headers = [f"Authorization: Bearer {TOKENS['viewer']}"]
    else:
        pair, _ = log_in(own, "viewer")
        headers = [f"Cookie: {pair}"]
    other = EventStream(own, run="r", form="columns", headers=[f"Authorization: Bearer {TOKENS['both']}"])
    with EventStream(own, run="r", form="columns", headers=headers, gzip=gzip) as stream, other:
        assert stream.block() == ["id: 0"]
        (tmp_path / "tokens").write_text(f"both:ingest,read:{digest(TOKENS['both'])}\n")
        own.signal(signal.SIGHUP)
        own.wait_for_line("what=tokens")
        # Nothing more comes, and the end is not a proper one.
        assert stream.gone()
        assert call(own, "POST", path("r") + "/steps", "both", json={"step": 1}).status_code == 202
        assert other.steps(1) == [(1, 1)]
        assert call(own, "GET", PATH, headers=bearer("viewer")).status_code == 401


def test_logout_ends_the_streams_of_its_session_alone(own):
    pair, _ = log_in(own, "both")
    kept, _ = log_in(own, "both")
    with EventStream(own, headers=[f"Cookie: {pair}"]) as ended, EventStream(own, headers=[f"Cookie: {kept}"]) as stays:
        assert call(own, "POST", "/logout", headers={"Cookie": pair, "Origin": own.url}).status_code == 303
        assert ended.gone()
        assert call(own, "PUT", path("r"), "both", json={}).status_code == 201
        assert stays.next().message["type"] == "run"


# The end of the server

@pytest.mark.parametrize("gzip", [False, True])
def test_a_stopping_server_sends_what_is_queued_and_ends_the_stream(start_server, gzip):
    server = start_server()
    rng = random.Random(9)
    put(server, "r", {}, 201)
    streams = [EventStream(server, run="r", form="columns", gzip=gzip, receive_buffer=receive_buffer)
               for receive_buffer in (None, 65536)]
    idle = EventStream(server, form="runs", gzip=gzip)
    accept_lines(server, "r", [large_step(number, rng) for number in range(200)])
    server.signal(signal.SIGTERM)
    for stream in streams:
        assert [event.message["seq"] for event in stream.rest() if event.message["type"] == "step"] == [
            *range(1, 201)]
        assert stream.is_complete
    idle.rest()
    assert idle.is_complete
    server.process.wait(30)


def test_a_step_that_is_answered_while_the_server_stops_is_still_sent(start_server):
    server = start_server()
    put(server, "r", {}, 201)
    body = json.dumps({"step": 5}).encode()
    with EventStream(server, run="r", form="columns") as stream, RawConnection(server) as trainer:
        trainer.send(request(path("r") + "/steps", "POST", ["Content-Type: application/json",
                                                            f"Content-Length: {len(body)}", "Expect: 100-continue"]))
        assert trainer.read_head().status == 100
        server.signal(signal.SIGTERM)
        server.wait_for_line("stopping")
        assert trainer.ask(body).status == 202
        trainer.close()
        assert stream.steps(1) == [(1, 5)]
        assert stream.rest() == [] and stream.is_complete
