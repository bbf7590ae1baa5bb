"""Clients that reset their connection at every stage of a request."""

import contextlib
import gzip
import json
import re

import pytest
from Support.clients.libraries import post_steps, session
from Support.load.crowd import client_hello
from Support.load.ordinary_client import OrdinaryClient
from Support.load.resource_check import ResourceCheck
from Support.load.threads import Threads, post_pipelined
from Support.payloads import payload, run_id
from Support.servers.server import Server
from Support.wire.raw import RawConnection, chunked, ingest, request
from Support.wire.raw_websocket import TEXT, RawWebSocket, frame_bytes

# Resets in each round. Each stage has four rounds.
RESETS = 36
BODY = json.dumps(payload("reset", 0, 50)).encode()
UPGRADE = request("/ws", headers=["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                                  "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="])
# The run whose history is larger than the kernel's buffers for a connection.
LARGE = run_id("large")


def in_two(data: bytes, part: float = 0.5) -> bytes:
    return data[:int(len(data) * part)]


def head_of(data: bytes) -> bytes:
    return data[:data.index(b"\r\n\r\n") + 4]


plain = ingest(BODY)
in_chunks = ingest(b"", headers=["Transfer-Encoding: chunked"]) + chunked(BODY, 1000)
zipped = ingest(gzip.compress(BODY), headers=["Content-Encoding: gzip"])
zipped_in_chunks = ingest(b"", headers=["Transfer-Encoding: chunked", "Content-Encoding: gzip"]) + chunked(
    gzip.compress(BODY), 500)

# The bytes that are sent on a new connection before the reset.
SENT = {
    "after the connect": b"",
    "in the request line": in_two(plain[:plain.index(b"\r\n")]),
    "in the headers": in_two(head_of(plain)),
    "after the headers": head_of(plain),
    "in a body": in_two(plain),
    "at the last byte of a body": plain[:-1],
    "in a chunk": in_two(in_chunks),
    "in the size of a chunk": head_of(in_chunks) + b"3",
    "before the last chunk": in_chunks[:-5],
    "in a gzip body": in_two(zipped, 0.7),
    "in a gzip body in chunks": in_two(zipped_in_chunks, 0.7),
    "after a request": plain,
    "after a request with chunks": in_chunks,
    "after a gzip request": zipped,
    "after many requests": plain * 5 + request("/openapi.json") * 20 + in_two(plain),
    "in a WebSocket handshake": in_two(UPGRADE),
    "after a WebSocket handshake": UPGRADE,
    "after a WebSocket handshake and a frame": UPGRADE + frame_bytes(TEXT, b'{"action":"ping"}'),
}


@pytest.fixture(scope="module", params=["plain", "tls"])
def target(request, tmp_path_factory):
    """The server that the tests of this file attack. It holds a large run."""
    options = ["--tls", "dev"] if request.param == "tls" else []
    with Server([*options, "--max-steps-per-run", "100000", "--max-runs", "100"], None,
                tmp_path_factory.mktemp("resets"), counted=True) as running:
        with session(running) as client:
            post_steps(client, running, LARGE, range(200), 100)
        yield running


def assert_nothing_is_wrong(server):
    wrong = [line for line in server.lines if re.search(r"\b(error|critical|warning)\b", line)]
    assert wrong == [], wrong[:10]


def rounds(target):
    """Repeats a load that must leave nothing behind. Another client runs during the first round."""
    for number in ResourceCheck(target).rounds():
        with contextlib.nullcontext() if number else OrdinaryClient(target):
            yield number
    assert_nothing_is_wrong(target)


@pytest.mark.parametrize("stage", SENT)
def test_reset_of_a_request_leaves_nothing_behind(target, stage):
    for _ in rounds(target):
        for _ in range(RESETS):
            connection = RawConnection(target)
            connection.send(SENT[stage])
            connection.reset()


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 1])
def test_reset_in_the_tls_handshake_leaves_nothing_behind(target, part):
    hello = client_hello()
    for _ in rounds(target):
        for _ in range(RESETS):
            # A plain HTTP server receives bytes that are not HTTP.
            connection = RawConnection(target, tls=False)
            connection.send(hello[:int(len(hello) * part)])
            if part == 1:
                # The server is sending its first flight, or a 400 response.
                connection.socket.recv(1)
            connection.reset()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_reset_in_the_middle_of_an_answer_leaves_nothing_behind(target, encoding):
    for _ in rounds(target):
        for index in range(RESETS):
            connection = RawConnection(target, receive_buffer=4096)
            connection.send(request(f"/api/v1/runs/{LARGE}", headers=[f"Accept-Encoding: {encoding}"]))
            # Reset at once, or after part of the response.
            for _ in range(index % 5):
                assert connection.socket.recv(10_000)
            connection.reset()


FRAMES = {
    "before the listing": b"",
    "in a frame's header": b"\x81\xfe\x01",
    "in a frame's mask": b"\x81\x8a\x01\x02",
    "in a frame's payload": in_two(frame_bytes(TEXT, json.dumps({"action": "subscribe_run", "run_id": "x" * 500}))),
    "between the fragments of a message": frame_bytes(TEXT, b'{"action":', fin=False),
    "in the history of a run": frame_bytes(TEXT, json.dumps({"action": "subscribe_run", "run_id": LARGE})),
    "after a close frame": frame_bytes(8, b"\x03\xe8"),
}


@pytest.mark.parametrize("offer", [None, "permessage-deflate"], ids=["as it is", "compressed"])
@pytest.mark.parametrize("stage", FRAMES)
def test_reset_of_a_websocket_leaves_nothing_behind(target, stage, offer):
    for _ in rounds(target):
        for index in range(RESETS):
            socket = RawWebSocket(target, offer=offer, receive_buffer=4096)
            assert socket.answer.status == 101
            socket.send(FRAMES[stage])
            for _ in range(index % 3 if stage == "in the history of a run" else 0):
                assert socket.socket.recv(4096)
            socket.reset()


def test_subscribers_that_reset_during_the_broadcast_leave_nothing_behind(target):
    run, steps = run_id("storm"), range(100)
    for _ in rounds(target):
        threads, resets = Threads(), 0
        threads.start(post_pipelined, target, run, steps, 20)
        while threads.running() or resets < RESETS:
            socket = RawWebSocket(target, offer="permessage-deflate" if resets % 2 else None)
            assert socket.read_json()["type"] == "initial_runs"
            for _ in range(resets % 4):
                # The last step may be broadcast before this subscriber has connected and acknowledged after.
                while threads.running() and not socket.has_bytes(0.1):
                    pass
                if threads.running():
                    socket.read_frame()
            socket.reset()
            resets += 1
        threads.join()
        with session(target) as client:
            stored = client.get(f"{target.url}/api/v1/runs/{run}").json()["steps"]
            assert [step["step"] for step in stored] == list(steps)
            assert client.delete(f"{target.url}/api/v1/runs/{run}").status_code == 204
