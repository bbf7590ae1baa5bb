"""Hundreds of subscribers that stop reading, during live steps or in the middle of a history."""

import json
import time

from Support.clients.libraries import healthy, session
from Support.load.crowd import make_room_for
from Support.load.resource_check import ResourceCheck
from Support.load.subscriber_crowd import SubscriberCrowd
from Support.load.threads import post_pipelined
from Support.load.trainers import Trainers
from Support.wire.raw_websocket import TEXT, frame_bytes

# The segment size of a real network. With loopback's larger segments the kernel buffers megabytes per connection.
SEGMENT = 1448
# The bytes in a connection's buffer when it stops being writable, plus one batch of TLS records.
ON_ITS_WAY = (64 << 10) + (64 << 10)
# Bytes of a subscriber queue's entry per message: its frame, that of its layers, its run and numbers. The list grows by
# doubling.
NOTE = 2 * 104
# The allocator rounds sizes up, and arrays grow by doubling.
ROUNDING = 1.25
# Stalled subscribers in the round after the warm-up.
FEWER = 150
# An idle connection over TLS; see test_idle_subscribers.py.
IDLE = 32 << 10


def wait_until_others_are_closed(server, seconds: float, left: int = 1) -> float:
    """Waits until `left` subscribers remain. Returns the seconds that it took."""
    began = time.monotonic()
    while healthy(server)["active_connections"] > left:
        assert time.monotonic() - began < seconds, "stalled subscribers are kept"
        time.sleep(0.1)
    return time.monotonic() - began


def wait_for_messages(resources: ResourceCheck, reader: SubscriberCrowd, count: int):
    resources.wait_until(lambda: reader.all(lambda member: len(member.messages) >= count),
                         "the subscriber that reads did not get every step")


def test_five_hundred_subscribers_that_stop_reading_hold_up_nobody_and_share_what_waits(start_server):
    count, messages, queue, stall, kept, name = 500, 1000, 16 << 20, 1, 50, "500 stalled subscribers"
    # Steps that are no longer kept live on in buckets. They grow as long as steps come, up to their part of the memory.
    memory = 8 << 20
    make_room_for(count)
    own = start_server(
        "--tls", "dev", "--subscriber-queue", messages, "--subscriber-queue-bytes", queue, "--max-steps-per-run", kept,
        "--max-memory", memory,
        "--subscriber-stall-timeout", stall, "--ws-ping-interval", 600, "--log-level", "warning",
        counted=True)
    trainers = Trainers(own, 3, layers=20)
    # Fill the store first, so that only the subscribers' backlog grows.
    trainers.train(1)
    resources = ResourceCheck(own, name)
    for number in resources.rounds(1):
        stalled = FEWER if number else count
        with SubscriberCrowd(own, 1) as reader:
            first = list(trainers.accepted)
            reader.members[0].keep = trainers.summary
            reader.listen()
            # On a busy machine the server would also skip messages of the test's own reader.
            trainers.follow(reader.members[0].messages, messages // 2)
            alone = trainers.train(0.5)
            before = own.allocations.bytes
            own.allocations.reset_peak()
            with SubscriberCrowd(own, stalled, receive_buffer=4096, segment=SEGMENT):
                started = sum(trainers.accepted)
                trainers.start()
                gone_after = wait_until_others_are_closed(own, 10 * stall + 60)
                meanwhile = sum(trainers.accepted) - started
                together = trainers.stop()
                # The server closed the connections, not the clients.
                resources.wait_for_descriptors(beside=1)
            everything = sum(trainers.accepted) - sum(first)
            wait_for_messages(resources, reader, everything)
            trainers.assert_in_order(reader.members[0].messages, first)
        frame = max(map(len, trainers.samples.values()))
        most = own.allocations.peak - before
        resources.record("steps a second without them", alone, "1/s")
        resources.record(f"steps a second with {stalled}", together, "1/s")
        resources.record("bytes of a step", frame, "bytes")
        resources.record("closed after", gone_after, "s")
        resources.record(f"allocated for each of {stalled}", most / stalled / 1000, "kB")
        # Ingest continues while they stall: no trainer waits for a stalled subscriber.
        assert meanwhile > 100
        # All subscribers share one copy of the queued messages. Each has its own list of them and the data in its
        # handlers.
        own_part = IDLE + ON_ITS_WAY + 2 * frame + messages * NOTE
        assert most < (queue + memory // 4 + stalled * own_part) * ROUNDING
        assert gone_after >= stall
    with session(own) as client:
        for index, run in enumerate(trainers.runs):
            last = trainers.accepted[index]
            stored = client.get(f"{own.url}/api/v1/runs/{run}").json()["steps"]
            assert stored == [trainers.expected(index, step) for step in range(last - kept, last)]


def test_a_hundred_subscribers_that_stop_in_the_middle_of_a_history_hold_a_few_pieces_of_it_each(start_server):
    count, steps, layers, stall, name = 100, 500, 50, 1, "100 stalled in a history"
    # Two pieces are queued, and a third one or its rest is being written.
    pieces = 3 * (48 << 10)
    own = start_server(
        "--tls", "dev", "--subscriber-stall-timeout", stall, "--ws-ping-interval", 600, "--log-level", "warning",
        counted=True)
    post_pipelined(own, "long", range(steps), layers=layers)
    with session(own) as client:
        text = client.get(f"{own.url}/api/v1/runs/long").text
    question = frame_bytes(TEXT, json.dumps({"action": "subscribe_run", "run_id": "long"}))
    resources = ResourceCheck(own, name)
    for _ in resources.rounds(1):
        own.allocations.reset_peak()
        with SubscriberCrowd(own, count, receive_buffer=4096, segment=SEGMENT) as crowd:
            for member in crowd.members:
                member.socket.sendall(question)
            gone_after = wait_until_others_are_closed(own, 10 * stall + 60, left=0)
        each = (own.allocations.peak - resources.idle) / count
        resources.record("bytes of the history", len(text), "bytes")
        resources.record("closed after", gone_after, "s")
        resources.record("allocated for each", each / 1000, "kB")
        # A piece ends with the step that fills it.
        frame = len(text) / steps
        assert each < (IDLE + ON_ITS_WAY + pieces + 3 * frame) * ROUNDING
        assert gone_after >= stall
