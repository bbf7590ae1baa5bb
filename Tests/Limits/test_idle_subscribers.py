"""Thousands of idle subscribers."""

import json
import time

from Support.clients.libraries import healthy, post, session, wait_until
from Support.load.crowd import make_room_for
from Support.load.resource_check import ResourceCheck
from Support.load.subscriber_crowd import SubscriberCrowd
from Support.payloads import payload, run_id, served

# Bytes that one idle subscriber may allocate: OpenSSL's state, the channel with its handlers, and the queue. The
# measured value is about 21 kB.
EACH = 32 << 10
# Subscribers in the rounds after the warm-up.
FEWER = 500
# The share of the subscribers' allocations that may remain after they leave: tables that have grown.
STAYS = 0.02
# The share of their resident memory that may remain: the allocator keeps partially used pages.
STAYS_RESIDENT = 0.25


def test_ten_thousand_idle_subscribers_over_tls_all_get_a_step_and_leave_nothing_behind(start_server):
    count, name = 10_000, "10000 idle subscribers"
    make_room_for(count)
    own = start_server("--tls", "dev", "--max-subscribers", count, "--ws-ping-interval", 5, "--ws-pong-timeout", 120,
                       "--max-runs", 3, "--log-level", "warning", counted=True)
    resources = ResourceCheck(own, name)
    for number in resources.rounds(2):
        with session(own) as trainer:
            if number:
                watch_steps(own, resources, trainer, FEWER)
                continue
            resident = own.memory("RssAnon")
            taken = watch_steps(own, resources, trainer, count) - resident
            resources.wait_until(lambda: healthy(own)["active_connections"] == 0,
                                 "subscribers that left are still counted")
            most = own.allocations.peak - resources.idle
            resources.wait_until(lambda: own.allocations.bytes - resources.idle <= STAYS * most,
                                 f"more than {STAYS:.0%} of {most} allocated bytes stay")
            resources.wait_until(lambda: own.memory("RssAnon") - resident <= STAYS_RESIDENT * taken,
                                 f"more than {STAYS_RESIDENT:.0%} of {taken} resident bytes stay")


def steps_of(member) -> tuple[bytes, ...]:
    """The messages with steps that a subscriber has received, without those of evicted runs."""
    return tuple(message for message in member.messages if message.startswith(b'{"type":"new_metrics"'))


def watch_steps(own, resources: ResourceCheck, trainer, count: int) -> int:
    """Connects `count` subscribers, which receive three steps and leave. Returns the resident bytes before they
    leave."""
    bodies = [payload(run_id(), step, 20) for step in range(3)]
    before, began = own.allocations.bytes, time.monotonic()
    with SubscriberCrowd(own, count) as crowd:
        resources.record(f"connecting {count}", time.monotonic() - began, "s")
        crowd.listen()
        assert healthy(own)["active_connections"] == count
        idle = (own.allocations.bytes - before) / count
        resources.record(f"allocated for each of {count}", idle / 1000, "kB")
        assert idle <= EACH
        if count > FEWER:
            wait_until(lambda: crowd.all(lambda member: member.pings > 0), 60, "not everyone was pinged")
        for number, body in enumerate(bodies, 1):
            began = time.monotonic()
            assert post(trainer, own, body).status_code == 202
            wait_until(lambda: crowd.all(lambda member: len(steps_of(member)) >= number), 60)  # noqa: B023
            resources.record(f"a step reaches all {count} within", time.monotonic() - began, "s")
        received = {steps_of(member) for member in crowd.members}
        assert len(received) == 1
        messages = [json.loads(message) for message in received.pop()]
        assert [message["data"] for message in messages] == [served(body) for body in bodies]
        idle = (own.allocations.bytes - before) / count
        resources.record(f"allocated for each of {count} after three steps", idle / 1000, "kB")
        assert idle <= EACH
        resident = own.memory("RssAnon")
    runs = trainer.get(own.url + "/api/v1/runs").json()
    assert {run["step_count"] for run in runs.values()} == {1} and len(runs) == len(bodies)
    return resident
