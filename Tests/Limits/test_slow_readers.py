"""Readers that take their answers slowly or not at all: what they hold is within MAX_MEMORY, and they are dropped."""

import contextlib
import json
import threading

import pytest
from Support.clients.libraries import healthy, session
from Support.load.figures import record_figure
from Support.load.resource_check import MEGABYTE
from Support.payloads import payload
from Support.wire.raw import END_OF_HEAD, RawConnection, ingest, request
from Support.wire.raw_websocket import PONG, RawWebSocket

# A layer's statistics are twelve doubles.
LAYERS, STEPS = 2000, 12
# The answers' part of MAX_MEMORY.
PART = 4
# Bodies in progress, connections, buffers that grow by doubling, and the pieces of one reader, who is always admitted
# alone, although a step of this size exceeds its share.
BESIDE = 12 * MEGABYTE
HISTORY = "/api/v1/runs/long"
EVENTS = "/api/v2/events?run=long&since_seq=0"
# Answers of the open wire: all metrics of all layers, and one metric beside itself.
ALL_SERIES = "/api/v2/runs/long/series?metric="
MATRIX = "/api/v2/runs/long/matrix?metric=weight_std&agg="
COMPARISON = "/api/v2/compare?a=long&b=long&metric=weight_std"


class Trainer:
    """Posts a run of large steps again and again. All steps are equal, so they cost the test little."""

    def __init__(self, server):
        self._encoded = json.dumps(payload("long", 0, LAYERS))
        self._connection = RawConnection(server, timeout=60)

    def replace_the_run(self):
        for step in range(STEPS):
            body = self._encoded.replace('"global_step": 0', f'"global_step": {step}', 1).encode()
            answer = self._connection.ask(ingest(body))
            assert answer.status == 202, answer.body


class Reader:
    """A reader that takes a few bytes of a history at a time."""

    def __init__(self, server, kind: str):
        self.is_gone = self.is_refused = False
        if kind == "websocket":
            self.connection = RawWebSocket(server, receive_buffer=4096, timeout=60)
            assert self.connection.answer.status == 101
            assert self.connection.read_json()["type"] == "initial_runs"
            self.connection.say({"action": "subscribe_run", "run_id": "long"})
            frame = self.connection.read_frame()
            self.is_refused = b"Too many responses" in frame.payload
        else:
            self.connection = RawConnection(server, receive_buffer=4096, timeout=60)
            self.connection.send(request(EVENTS if kind == "events" else HISTORY))
            self.is_refused = b" 503 " in self.connection._through(END_OF_HEAD)
        self.connection.socket.settimeout(0.05)

    def take(self, count: int):
        """Takes a few bytes, and sends a pong if it is a subscriber."""
        try:
            if isinstance(self.connection, RawWebSocket):
                self.connection.frame(PONG)
            while count > 0 and not self.is_gone:
                part = self.connection.socket.recv(count)
                count -= len(part)
                self.is_gone = not part
        except TimeoutError:
            pass
        except ConnectionError:
            self.is_gone = True


@pytest.fixture
def closing():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("kind", ["http", "websocket", "events"])
def test_readers_of_a_run_that_is_replaced_meanwhile_hold_no_more_than_their_part_of_the_memory(
        start_server, closing, kind):
    limit, rounds, name = 16 * MEGABYTE, 24, f"{kind}: readers of a run that is replaced"
    # Live messages are queued for subscribers beside the budget; here they have little.
    own = start_server("--max-memory", limit, "--subscriber-queue-bytes", 65_536, "--log-level", "warning", counted=True)
    with session(own) as client:
        assert client.post(own.url + "/api/v1/metrics/layerwise", json=payload("other")).status_code == 202
    trainer = Trainer(own)
    closing.enter_context(trainer._connection)
    trainer.replace_the_run()
    before = own.allocations.bytes
    own.allocations.reset_peak()
    readers: list[Reader] = []
    for _ in range(rounds):
        reader = Reader(own, kind)
        closing.enter_context(reader.connection)
        readers.append(reader)
        trainer.replace_the_run()
        for reader in readers:
            if not reader.is_refused:
                reader.take(6000)
    most = own.allocations.peak - before
    refused = sum(reader.is_refused for reader in readers)
    dropped = own.output.count("a slow reader was dropped")
    record_figure(f"{name}: allocated beside one version of the run", most / MEGABYTE, "MB")
    record_figure(f"{name}: refused", refused, "")
    assert most < limit + BESIDE, f"{most / MEGABYTE:.0f} MB of {limit / MEGABYTE:.0f}"
    assert refused + dropped > 0
    # The readers evicted nothing, and a small answer still gets through.
    with session(own) as client:
        listing = client.get(own.url + "/api/v1/runs").json()
        assert {run: entry["step_count"] for run, entry in listing.items()} == {"other": 1, "long": STEPS}
        assert client.get(own.url + "/api/v1/runs/other").status_code == 200
    # When the readers have left, a history is served whole.
    closing.close()
    with session(own) as client:
        while (answer := client.get(own.url + HISTORY)).status_code == 503:
            assert answer.headers["Retry-After"]
        assert len(answer.json()["steps"]) == STEPS


@pytest.mark.parametrize("path", [HISTORY, ALL_SERIES, MATRIX, COMPARISON])
def test_the_sum_of_unread_answers_is_bounded_and_the_others_get_503(start_server, closing, path):
    limit, readers, name = 64 * MEGABYTE, 1000, f"1000 unread answers to {path.split('?')[0]}"
    own = start_server("--max-memory", limit, "--log-level", "warning", counted=True)
    trainer = Trainer(own)
    closing.enter_context(trainer._connection)
    trainer.replace_the_run()
    before = own.allocations.bytes
    own.allocations.reset_peak()
    heads = []
    for _ in range(readers):
        raw = RawConnection(own, receive_buffer=4096, timeout=60)
        closing.enter_context(raw)
        raw.send(request(path))
        heads.append(raw._through(END_OF_HEAD).decode())
    served = sum(" 200 " in head for head in heads)
    refused = [head.lower() for head in heads if " 503 " in head]
    record_figure(f"{name}: served", served, "")
    record_figure(f"{name}: allocated", (own.allocations.peak - before) / MEGABYTE, "MB")
    assert served >= 2 and served + len(refused) == readers
    assert all("retry-after: 1" in head for head in refused)
    # Small answers get through, to the same address.
    healthy(own)
    with session(own) as client:
        assert list(client.get(own.url + "/api/v1/runs").json()) == ["long"]
    assert own.allocations.peak - before < limit / PART + readers * 20_000 + BESIDE
    closing.close()
    with session(own) as client:
        while client.get(own.url + path).status_code == 503:
            pass


def test_subscribers_that_do_not_read_their_histories_are_bounded_too_and_the_others_get_an_error(
        start_server, closing):
    limit, subscribers = 64 * MEGABYTE, 40
    own = start_server("--max-memory", limit, "--log-level", "warning", counted=True)
    trainer = Trainer(own)
    closing.enter_context(trainer._connection)
    trainer.replace_the_run()
    before = own.allocations.bytes
    own.allocations.reset_peak()
    readers = []
    for _ in range(subscribers):
        readers.append(Reader(own, "websocket"))
        closing.enter_context(readers[-1].connection)
    refused = [reader for reader in readers if reader.is_refused]
    assert 1 <= len(readers) - len(refused) < subscribers
    assert own.allocations.peak - before < limit / PART + subscribers * 50_000 + BESIDE
    # The connection stays, and the history is sent when others have left.
    for reader in readers:
        if not reader.is_refused:
            reader.connection.reset()
    last = refused[-1].connection
    last.socket.settimeout(60)
    while True:
        last.say({"action": "subscribe_run", "run_id": "long"})
        message = last.read_json()
        if message["type"] == "run_history":
            break
        assert message == {"type": "error", "message": "Too many responses are in progress; try again in a moment"}
    assert len(message["data"]["steps"]) == STEPS


@pytest.mark.parametrize("kind", ["http", "websocket", "events"])
def test_a_reader_below_the_minimum_rate_is_dropped_although_it_always_takes_some(start_server, closing, kind):
    """Without the minimum, it would be served as long as it takes a byte within each timeout."""
    own = start_server("--min-read-rate", 1_000_000, "--read-rate-window", 1, "--write-timeout", 600,
                       "--subscriber-stall-timeout", 600, "--log-level", "warning")
    trainer = Trainer(own)
    trainer.replace_the_run()
    trainer._connection.close()
    before, pause = own.descriptors(), threading.Event()
    reader = Reader(own, kind)
    closing.enter_context(reader.connection)
    assert not reader.is_refused
    # Two kilobytes each twentieth of a second, and pongs.
    for _ in range(600):
        reader.take(2000)
        if own.descriptors() <= before:
            return
        pause.wait(0.05)
    pytest.fail("a reader of 40 kB/s is served although the minimum is 1 MB/s")
