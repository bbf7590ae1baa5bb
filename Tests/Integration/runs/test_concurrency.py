"""Many concurrent clients: no step is lost or duplicated, all see one order, and a slow client slows no other."""

import itertools
import json
import select
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from socket import SO_SNDBUF, SOL_SOCKET

import pytest
from Support.clients.libraries import healthy, post, receive, session, subscribe, wait_until
from Support.load.threads import Threads, Watchers, post_pipelined
from Support.payloads import payload, run_id, served
from Support.servers.allocations import allocating_at_most
from Support.servers.server import Server
from Support.wire.raw import RawConnection, ingest
from Support.wire.raw_websocket import CLOSE, PONG, TEXT, Ended, RawWebSocket, frame_bytes


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A server for this file. Its queues are large enough for twenty subscribers in one Python process."""
    with Server(["--max-runs", "1000", "--max-steps-per-run", "5000", "--subscriber-queue", "100000"], None,
                tmp_path_factory.mktemp("busy")) as running:
        yield running


def test_twenty_subscribers_get_every_step_of_fifty_trainers_once_and_in_one_order(busy):
    trainers, posters, own_steps, shared_steps, contested = 50, 8, 12, 20, 10
    runs = [run_id("trainer") for _ in range(trainers)]
    shared = run_id("shared")
    watchers = Watchers(busy, 20)
    threads = Threads()

    def train(run):
        with session(busy) as client:
            for step in range(own_steps):
                assert post(client, busy, payload(run, step)).status_code == 202

    def share(poster):
        with session(busy) as client:
            for index in range(shared_steps):
                own = payload(shared, 1000 * (poster + 1) + index)
                assert post(client, busy, own).status_code == 202
                if index < contested:
                    # All posters post the same step: the version stored last must be the version broadcast last.
                    body = payload(shared, index, seed=poster * 1000 + index)
                    assert post(client, busy, body).status_code == 202

    for run in runs:
        threads.start(train, run)
    for poster in range(posters):
        threads.start(share, poster)
    threads.join()

    total = trainers * own_steps + posters * (shared_steps + contested)
    wait_until(lambda: all(len(got) >= total for got in watchers.received), 60, "not every step came")
    watchers.stop()

    orders = []
    for index in range(20):
        messages = watchers.messages(index)
        assert len(messages) == total
        assert {message["type"] for message in messages} == {"new_metrics"}
        order = defaultdict(list)
        for message in messages:
            order[message["run_id"]].append(message["data"])
        orders.append(order)
    assert all(order == orders[0] for order in orders[1:])
    for run in runs:
        assert orders[0][run] == [served(payload(run, step)) for step in range(own_steps)]
    mixed = orders[0][shared]
    for poster in range(posters):
        mine = [step["step"] for step in mixed if step["step"] // 1000 == poster + 1]
        assert mine == [1000 * (poster + 1) + index for index in range(shared_steps)]
    with session(busy) as client:
        stored = client.get(f"{busy.url}/api/v1/runs/{shared}").json()["steps"]
    last = {step["step"]: step for step in mixed}
    assert stored == [last[number] for number in sorted(last)]
    assert len(stored) == posters * shared_steps + contested


@pytest.mark.parametrize("lite", [False, True])
def test_history_is_followed_by_every_later_step_and_no_earlier_one(busy, lite):
    run = run_id()
    numbers, lock, done = itertools.count(), threading.Lock(), threading.Event()
    posted = []
    threads = Threads()

    def work():
        with session(busy) as client:
            while not done.is_set():
                with lock:
                    step = next(numbers)
                assert post(client, busy, payload(run, step)).status_code == 202
                posted.append(step)

    for _ in range(4):
        threads.start(work)
    wait_until(lambda: len(posted) > 20)
    opened, sockets = ExitStack(), []
    for _ in range(8):
        socket = opened.enter_context(subscribe(busy))
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run, "lite": lite}))
        sockets.append(socket)
        target = len(posted) + 10
        wait_until(lambda: len(posted) > target)  # noqa: B023 - awaited at once
    done.set()
    threads.join()
    last = next(numbers)
    with session(busy) as client:
        assert post(client, busy, payload(run, last)).status_code == 202
    everything = sorted([*posted, last])
    for socket in sockets:
        before, after, history = [], [], None
        while last not in after:
            message = receive(socket)
            if message["type"] == "run_history":
                assert history is None
                history = [step["step"] for step in message["data"]["steps"]]
            elif message["type"] == "new_metrics":
                (before if history is None else after).append(message["data"]["step"])
            else:
                assert message["type"] == "initial_runs"
        assert history == sorted(history)
        assert set(before) <= set(history)
        assert sorted(history + after) == everything
    opened.close()


def collect(socket: RawWebSocket, got: list[bytes], count: int):
    """Reads `count` messages without decoding them."""
    while len(got) < count:
        data, compressed = socket.read_message()
        assert not compressed
        got.append(data)


def rate(server, run: str, count: int, posters: int = 4) -> float:
    """Posts steps 0 ..< count over several connections. Returns the steps per second."""
    threads, began = Threads(), time.monotonic()
    for poster in range(posters):
        threads.start(post_pipelined, server, run, range(poster, count, posters), 3)
    threads.join(240)
    return count / (time.monotonic() - began)


def test_subscriber_that_stops_reading_slows_nobody_and_is_told_what_it_missed(start_server):
    own = start_server("--subscriber-queue", 2000, "--subscriber-stall-timeout", 600, "--ws-ping-interval", 600,
                       "--max-steps-per-run", 200, counted=True)
    count = 10_000
    run = run_id("stalled")
    # The first run warms the server up. The second is the baseline of the rate.
    rate(own, run_id("warm"), 1500)
    alone = rate(own, run_id("alone"), 2500)
    with RawWebSocket(own, timeout=120) as other, RawWebSocket(own, receive_buffer=4096, timeout=120) as stalled:
        assert other.read_json()["type"] == "initial_runs"
        assert stalled.read_json()["type"] == "initial_runs"
        got: list[bytes] = []
        reader = Threads()
        with allocating_at_most(own, 20_000_000):
            reader.start(collect, other, got, count)
            together = rate(own, run, count)
            reader.join()
        # The test's reader also uses the processor: it only matters that no client waited for the stalled one.
        assert together > alone / 4
        messages = [json.loads(data) for data in got]
        assert {message["type"] for message in messages} == {"new_metrics"}
        assert sorted(message["data"]["step"] for message in messages) == list(range(count))
        last = messages[-1]["data"]["step"]

        seen, skipped = [], 0
        while last not in seen[-1:]:
            message = stalled.read_json()
            if message["type"] == "lagged":
                assert list(message) == ["type", "skipped"]
                assert message["skipped"] > 0
                skipped += message["skipped"]
            else:
                seen.append(message["data"]["step"])
        assert skipped > 0
        assert len(seen) == len(set(seen))
        assert len(seen) + skipped == count
        # The steps that it received have the same order as for the other subscriber.
        place = {message["data"]["step"]: index for index, message in enumerate(messages)}
        places = [place[step] for step in seen]
        assert places == sorted(places)

        # It has caught up: from now on it misses no step.
        with session(own) as client:
            for step in range(20_000, 20_020):
                body = payload(run, step)
                assert post(client, own, body).status_code == 202
                assert stalled.read_until("new_metrics")["data"] == served(body)


def test_subscriber_that_takes_nothing_is_closed_and_nobody_else(start_server):
    own = start_server("--subscriber-queue", 50, "--subscriber-stall-timeout", 1, "--ws-ping-interval", 600)
    run = run_id()
    with subscribe(own) as other, RawWebSocket(own, receive_buffer=4096, timeout=60) as stalled:
        assert receive(other)["type"] == "initial_runs"
        assert stalled.read_json()["type"] == "initial_runs"
        assert healthy(own)["active_connections"] == 2
        steps = itertools.count()
        with session(own) as client:

            def dropped():
                for _ in range(20):
                    assert post(client, own, payload(run, next(steps), 50)).status_code == 202
                return healthy(own)["active_connections"] == 1

            wait_until(dropped, 120, "the stalled subscriber was kept")
            final = payload(run, 10_000_000)
            assert post(client, own, final).status_code == 202
        # It reads the data in flight, and then the close frame if the server could still write it.
        codes, ended = [], False
        while not ended:
            try:
                frame = stalled.read_frame()
                assert frame.opcode in (TEXT, 0, CLOSE)
                codes += [frame.code] if frame.opcode == CLOSE else []
            except (Ended, AssertionError, ConnectionError):
                ended = True
        assert codes in ([], [1008])
        while receive(other, "new_metrics")["data"]["step"] != 10_000_000:
            pass


def test_subscriber_that_reads_again_when_its_time_is_over_finds_close_1008(start_server):
    own = start_server("--subscriber-queue", 20, "--subscriber-stall-timeout", 5, "--ws-ping-interval", 600)
    # More data than the kernel buffers for a connection, posted within the stall timeout.
    body, times = ingest(payload(run_id(), 0, 500)), 60
    with RawWebSocket(own, receive_buffer=4096, timeout=60) as slow, RawConnection(own) as trainer:
        assert slow.read_json()["type"] == "initial_runs"
        slow.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
        assert {trainer.ask(body).status for _ in range(times)} == {202}
        # The server does not read from a client that does not read, until it closes. Sent data blocks until the server
        # has written its close frame. Unsolicited pongs have no effect (RFC 6455 section 5.5.3).
        pong = frame_bytes(PONG, b"x" * 125)
        pongs, sent = memoryview(pong * 200_000), 0
        while can_send(slow, 1):
            sent += slow.socket.send(pongs[sent:sent + 65_536])
        assert can_send(slow, 30), "the server did not begin to close"
        # Complete the partially sent frame, so the close frame does not become part of it.
        slow.send(pongs[sent:sent + -sent % len(pong)])
        assert slow.read_close() == 1008
        assert slow.gone()
    healthy(own)


def can_send(connection: RawWebSocket, seconds: float) -> bool:
    return bool(select.select([], [connection.socket], [], seconds)[1])


def test_connections_from_one_address_are_bounded(start_server):
    own = start_server("--max-connections-per-address", 20)
    sockets = [RawWebSocket(own) for _ in range(15)]
    assert {socket.answer.status for socket in sockets} == {101}
    assert healthy(own)["active_connections"] == 15
    refused = []
    for _ in range(15):
        try:
            extra = RawWebSocket(own, timeout=20)
        except (ConnectionError, AssertionError) as error:
            refused.append(error)
        else:
            sockets.append(extra)
            if extra.answer.status != 101:
                refused.append(extra.answer)
    assert refused
    for socket in sockets:
        socket.close()

    def served_again():
        try:
            return healthy(own)["active_connections"] == 0
        except OSError:
            return False

    wait_until(served_again)
