"""Clients of Server-Sent Events that are lost, or read slowly, while steps arrive."""

import ctypes
import random
import socket
import struct
import sys

import pytest
from Support.clients.events import EventStream, Ledger, large_step, subscribers
from Support.clients.libraries import wait_until
from Support.clients.openwire import accept_lines, accept_steps
from Support.clients.runs import put
from Support.load.threads import Threads
from Support.payloads import run_id


# Lost clients

def test_a_client_that_is_cut_50_times_ends_with_the_state_of_the_server(start_server):
    server = start_server("--max-steps-per-run", 20_000)
    rng = random.Random(16)
    run, count, cuts = "cut", 4000, 50
    put(server, run, {}, 201)
    steps, numbers = [], []
    for index in range(count):
        numbers.append(rng.choice(numbers[-300:]) if numbers and rng.random() < 0.1 else index + rng.randrange(20))
        steps.append({"step": numbers[-1], "time": index + 1, "scalars": {"index": index}})
    portion = -(-count // (cuts + 1))

    def write(turn: int):
        rest = steps[turn * portion:(turn + 1) * portion]
        order = random.Random(turn)
        while rest:
            size = 1 if order.random() < 0.4 else order.randrange(2, 40)
            accept_lines(server, run, rest[:size])
            rest = rest[size:]

    ledger = Ledger()
    last_id = None
    for turn in range(cuts + 1):
        posted = min((turn + 1) * portion, count)
        stream = EventStream(server, last_id, run=run, form="columns", gzip=rng.random() < 0.5,
                             **({"since_seq": 0} if rng.random() < 0.5 else {}))
        writer = Threads()
        writer.start(write, turn)
        until = count if turn == cuts else rng.randint(ledger.seq, posted)
        # A step in a history may have replaced others; what comes after the history is complete.
        while ledger.seq < until:
            ledger.take(stream.next(), is_live=False)
        last_id = stream.last_id
        stream.reset()
        writer.join()
    ledger.must_be_complete(server, run, count)
    assert len(ledger.received) > len(ledger.held), "most steps came live"


def test_a_client_that_leaves_makes_room(start_server):
    server = start_server("--max-subscribers", 2)
    put(server, "r", {}, 201)
    first, second = EventStream(server), EventStream(server, run="r")
    with EventStream(server) as third:
        assert third.answer.status == 503 and third.answer["retry-after"] == "10"
        assert third.answer.json()["detail"]["error"] == "too_many_subscribers"
    assert subscribers(server) == 2
    # One closes, as a program that ends; the other resets.
    first.close()
    wait_until(lambda: subscribers(server) == 1)
    second.reset()
    wait_until(lambda: subscribers(server) == 0)
    with EventStream(server) as stream:
        assert stream.answer.status == 200


def drop_all_segments(connection: socket.socket):
    """Makes the kernel drop what arrives for a socket without an acknowledgement, as if its host had vanished."""
    return_nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(return_nothing))
    connection.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER


@pytest.mark.skipif(sys.platform != "linux", reason="uses socket filters of Linux")
def test_a_client_whose_host_has_vanished_is_noticed_by_the_keep_alive(start_server):
    server = start_server("--subscriber-stall-timeout", 1, "--ws-ping-interval", 0.5)
    with EventStream(server) as stream, EventStream(server) as other:
        assert stream.block() == [":"]
        drop_all_segments(stream.socket)
        wait_until(lambda: subscribers(server) == 1, seconds=60)
        assert other.block() == [":"]


def test_a_client_that_only_closes_its_sending_side_still_gets_events(server):
    run = run_id("half")
    put(server, run, {}, 201)
    with EventStream(server, run=run, form="columns") as stream:
        stream.socket.shutdown(1)
        accept_steps(server, run, {"step": 1})
        assert stream.steps(1) == [(1, 1)] and stream.comments <= 1


def test_comments_keep_an_idle_stream_alive(start_server):
    server = start_server("--ws-ping-interval", 0.2)
    for gzip in (False, True):
        with EventStream(server, gzip=gzip) as stream:
            for _ in range(3):
                assert stream.block() == [":"]


# Slow clients

def test_an_idle_stream_outlives_every_timeout_of_slow_readers(start_server):
    server = start_server(
        "--ws-ping-interval", 0.3, "--subscriber-stall-timeout", 0.5, "--write-timeout", 0.5, "--read-rate-window", 0.5,
        "--idle-timeout", 0.5, "--header-timeout", 0.5, "--body-timeout", 0.5)
    put(server, "r", {}, 201)
    with EventStream(server, run="r", form="columns") as stream:
        assert stream.block() == ["id: 0"]
        for _ in range(8):
            assert stream.block() == [":"]
        accept_steps(server, "r", {"step": 1})
        assert stream.steps(1) == [(1, 1)]


@pytest.mark.parametrize("options", [
    pytest.param(["--subscriber-stall-timeout", 0.5, "--min-read-rate", 0], id="reads nothing"),
    pytest.param(["--read-rate-window", 0.5, "--min-read-rate", 1_000_000_000], id="reads too slowly")])
def test_a_client_that_does_not_read_is_dropped(start_server, options):
    server = start_server(*options)
    rng = random.Random(2)
    with EventStream(server, form="columns", receive_buffer=4096) as stream, EventStream(server, form="runs") as idle:
        number = 0
        while subscribers(server) == 2:
            accept_lines(server, "r", [large_step(number + index, rng) for index in range(100)])
            number += 100
            assert number < 100_000
        assert idle.next().message["type"] == "run"
        stream.socket.settimeout(60)
        with pytest.raises((ConnectionError, AssertionError)):
            stream.rest()


@pytest.mark.parametrize("gzip", [False, True])
def test_a_slow_client_gets_what_it_missed_and_delays_nobody(start_server, gzip):
    server = start_server("--max-steps-per-run", 10_000, "--subscriber-queue", 20, "--subscriber-stall-timeout", 600,
                          "--ws-ping-interval", 600)
    rng = random.Random(6)
    count = 2000
    put(server, "slow", {}, 201)
    ledger, quick = Ledger(), Ledger()
    with EventStream(server, run="slow", form="columns", gzip=gzip, receive_buffer=65536, timeout=60) as slow:
        for first in range(0, count, 10):
            if first == 0:
                fast = EventStream(server, run="slow", form="columns", timeout=60)
            accept_lines(server, "slow", [large_step(number, rng) for number in range(first, first + 10)])
            while quick.seq < first + 10:
                quick.take(fast.next(), is_live=True)
        # The slow client gets what was sent, the gap, what it missed, and then every step.
        while ledger.seq < count:
            ledger.take(slow.next(), is_live=ledger.lagged == 0 or ledger.seq > count)
        assert ledger.lagged > 0 and quick.lagged == 0
        for number in range(count, count + 30):
            accept_steps(server, "slow", {"step": number})
            ledger.take(slow.until("step"), is_live=True)
        fast.close()
    ledger.must_be_complete(server, "slow", count + 30)


def test_messages_of_all_runs_that_a_slow_client_missed_are_counted(start_server):
    server = start_server("--subscriber-queue", 20, "--subscriber-stall-timeout", 600, "--ws-ping-interval", 600)
    rng = random.Random(7)
    count = 2000
    with EventStream(server, form="columns", receive_buffer=65536, timeout=60) as stream:
        for first in range(0, count, 100):
            accept_lines(server, "r", [large_step(number, rng) for number in range(first, first + 100)])
        seen, skipped, last = 0, 0, 0
        while last < count:
            message = stream.until("step", "lagged").message
            if message["type"] == "lagged":
                skipped += message["skipped"]
            else:
                assert message["seq"] > last
                last = message["seq"]
                seen += 1
        assert skipped > 0 and seen + skipped == count


# Memory

def test_missed_steps_need_memory_that_is_reserved_and_given_back(start_server):
    server = start_server("--max-memory", "64000000", "--max-read-memory", "1000000", "--subscriber-stall-timeout", 600)
    rng = random.Random(8)
    accept_lines(server, "r", [large_step(number, rng) for number in range(1000)])
    # One after the other they all fit, though their streams stay open.
    streams = [EventStream(server, 0, run="r", form="columns", gzip=True) for _ in range(1)]
    for _ in range(20):
        stream = streams[-1]
        assert stream.answer.status == 200
        assert len(stream.steps(1000)) == 1000
        accept_steps(server, "r", {"step": 2000})
        stream.until("step")
        streams.append(EventStream(server, 0, run="r", form="columns", gzip=True))
    for stream in streams:
        stream.close()
