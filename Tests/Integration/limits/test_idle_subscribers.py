"""Thousands of subscribers that have nothing to do."""

import json
import time

from support.clients import healthy, post, session, wait_until
from support.crowd import make_room_for
from support.payloads import payload, run_id, served
from support.subscriber_crowd import SubscriberCrowd
from support.vitals import MEGABYTE, Vitals

# Bytes of memory that one of them may cost: OpenSSL's state for a connection that has nothing to do, the channel with
# its handlers, the queue. What is measured is some 23 kB.
EACH = 32 << 10
# What may stay of all of them: pages that are used in part, and tables that have grown. It is some 11 MB, and no more
# when as many come again.
STAYS = 16 * MEGABYTE


def test_ten_thousand_idle_subscribers_over_tls_all_get_a_step_and_leave_nothing_behind(start_server):
    count, name = 10_000, "10000 idle subscribers"
    make_room_for(count)
    own = start_server("--tls", "dev", "--max-subscribers", count, "--ws-ping-interval", 5, "--ws-pong-timeout", 120,
                       "--log-level", "warning")
    bodies = [payload(run_id(), step, 20) for step in range(3)]
    with Vitals(own, name, memory_allowance=STAYS) as vitals, session(own) as trainer:
        began = time.monotonic()
        with SubscriberCrowd(own, count) as crowd:
            vitals.record("connecting all of them", time.monotonic() - began, "s")
            crowd.listen()
            assert healthy(own)["active_connections"] == count
            idle = (own.memory() - vitals.memory) / count
            vitals.record("memory for each", idle / 1000, "kB")
            assert idle <= EACH
            wait_until(lambda: crowd.all(lambda member: member.pings > 0), 60, "not everyone was pinged")
            for number, body in enumerate(bodies, 1):
                began = time.monotonic()
                assert post(trainer, own, body).status_code == 202
                wait_until(lambda: crowd.all(lambda member: len(member.messages) >= number), 60)  # noqa: B023
                vitals.record("a step reaches all of them within", time.monotonic() - began, "s")
            received = {tuple(member.messages) for member in crowd.members}
            assert len(received) == 1
            messages = [json.loads(message) for message in received.pop()]
            assert [message["data"] for message in messages] == [served(body) for body in bodies]
            idle = (own.memory() - vitals.memory) / count
            vitals.record("memory for each that has had steps", idle / 1000, "kB")
            assert idle <= EACH
        wait_until(lambda: healthy(own)["active_connections"] == 0, 60, "subscribers that left are counted still")
        runs = trainer.get(own.url + "/api/v1/runs").json()
        assert {run["step_count"] for run in runs.values()} == {1} and len(runs) == len(bodies)

