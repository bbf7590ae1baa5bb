"""TLS clients that close their sending side, with `close_notify` or only with a FIN, and continue to read."""

import json

import pytest
from Support.clients.libraries import healthy, post_steps, session
from Support.payloads import payload, run_id, served
from Support.wire.raw import ingest, request
from Support.wire.tls_wire import TLSWire

LAYERS, STEPS = 100, 60


def end_by_close_notify(wire: TLSWire):
    wire.transmit(wire.close_notify())


def end_of_tcp(wire: TLSWire):
    wire.shut_output()


def end_by_both(wire: TLSWire):
    wire.transmit(wire.close_notify())
    wire.shut_output()


ENDS = pytest.mark.parametrize("end", [end_by_close_notify, end_of_tcp, end_by_both])


def assert_ended_in_good_order(wire: TLSWire):
    """Checks that only the server's `close_notify` and the end of the TCP stream follow."""
    assert wire.ended()
    assert wire.socket.recv(1) == b""


@pytest.fixture
def token(secure_server) -> list[str]:
    return [f"Authorization: Bearer {secure_server.token}"]


@ENDS
def test_what_was_whole_by_then_is_answered_and_the_end_is_close_notify(secure_server, token, end):
    bodies = [payload(run_id("half")) for _ in range(3)]
    with TLSWire(secure_server) as wire:
        wire.shake_hands()
        wire.send(b"".join(ingest(body, token) for body in bodies) + request())
        end(wire)
        for body in bodies:
            answer = wire.read_response()
            assert (answer.status, answer.json()["run_id"]) == (202, body["metadata"]["run_id"])
        assert wire.read_response().status == 200
        assert_ended_in_good_order(wire)


@ENDS
def test_long_answer_is_sent_to_its_end(secure_server, token, end):
    run = run_id("long")
    with session(secure_server) as client:
        posted = post_steps(client, secure_server, run, range(STEPS), LAYERS)
    with TLSWire(secure_server, receive_buffer=4096) as wire:
        wire.shake_hands()
        wire.send(request(f"/api/v1/runs/{run}", headers=token))
        end(wire)
        assert wire.read_response().json()["steps"] == [served(body) for body in posted]
        assert_ended_in_good_order(wire)


@ENDS
@pytest.mark.parametrize("place", [b"/metrics", b"application/json", b'"metadata"', b""],
                         ids=["line", "head", "body", "last byte"])
def test_what_was_cut_off_is_refused_and_not_stored(secure_server, token, end, place):
    run = run_id("cut")
    data = ingest(json.dumps(payload(run)).encode(), token)
    with TLSWire(secure_server) as wire:
        wire.shake_hands()
        wire.send(request() + (data[:data.index(place)] if place else data[:-1]))
        end(wire)
        assert wire.read_response().status == 200
        answer = wire.read_response()
        assert (answer.status, answer.json()["detail"]["message"]) == (400, "The request ended too early")
        assert_ended_in_good_order(wire)
    with session(secure_server) as client:
        assert run not in client.get(secure_server.url + "/api/v1/runs").json()


def test_request_in_a_record_that_was_cut_off_is_not_taken(secure_server, token):
    run = run_id("record")
    with TLSWire(secure_server) as wire:
        wire.shake_hands()
        wire.send(request())
        wire.transmit(wire.encrypt(ingest(payload(run), token))[:-1])
        wire.shut_output()
        assert wire.read_response().status == 200
        assert_ended_in_good_order(wire)
    with session(secure_server) as client:
        assert run not in client.get(secure_server.url + "/api/v1/runs").json()


@ENDS
def test_end_without_a_request_is_the_end(secure_server, end):
    with TLSWire(secure_server) as wire:
        wire.shake_hands()
        end(wire)
        assert_ended_in_good_order(wire)
    healthy(secure_server)
