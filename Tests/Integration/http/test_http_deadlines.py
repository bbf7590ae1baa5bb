"""Timeouts of heads, bodies and idle connections. They are absolute: slowly arriving bytes do not extend them."""

import json
import threading

import pytest
from Support.payloads import payload, run_id
from Support.servers.server import Server
from Support.wire.raw import RawConnection, chunked, ingest, request


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server with short timeouts."""
    with Server(["--header-timeout", "0.7", "--body-timeout", "0.7", "--idle-timeout", "1.5"], None,
                tmp_path_factory.mktemp("hasty")) as running:
        yield running


def drip(connection: RawConnection, data: bytes, every: float):
    """Sends one byte at a time until the returned event is set or the server has closed."""
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
        # Sending everything would take 100 seconds; the client's read times out after 20.
        done = drip(raw, request(headers=["X: " + "y" * 1000]), 0.1)
        assert raw.read_response().status == 408
        done.set()


@pytest.mark.parametrize("begun", [b"G", b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"\r\n"],
                         ids=["letter", "half", "empty line"])
def test_head_that_begins_together_with_a_request_before_it_has_its_deadline_too(hasty, begun):
    with RawConnection(hasty) as raw:
        raw.send(request() + begun)
        assert raw.read_response().status == 200
        assert raw.read_response().status == 408
        assert raw.gone()


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
        # A connection without any request may get a 408 response or none.
        assert fresh.gone() or fresh.read_response().status == 408
