"""Thousands of subscribers that have nothing to do."""

import json
import resource
import time

from support.clients import healthy, post, session, wait_until
from support.crowd import SPARE_DESCRIPTORS, room_for_descriptors
from support.payloads import payload, run_id, served
from support.subscriber_crowd import SubscriberCrowd
from support.vitals import Vitals


def test_ten_thousand_idle_subscribers_over_tls_all_get_a_step_and_leave_nothing_behind(start_server):
    wanted, name = 10_000, "10000 idle subscribers"
    room = room_for_descriptors()
    own = start_server("--tls", "dev", "--max-subscribers", wanted, "--ws-ping-interval", 5, "--ws-pong-timeout", 120,
                       "--log-level", "warning")
    server_room, _ = resource.prlimit(own.process.pid, resource.RLIMIT_NOFILE)
    # A system that allows fewer files is tested with as many as it allows, and the figure says so.
    count = min(wanted, room, server_room - SPARE_DESCRIPTORS)
    bodies = [payload(run_id(), step, 20) for step in range(3)]
    with Vitals(own, name) as vitals, session(own) as trainer:
        vitals.record("subscribers", count, "")
        began = time.monotonic()
        with SubscriberCrowd(own, count) as crowd:
            vitals.record("connecting all of them", time.monotonic() - began, "s")
            crowd.listen()
            assert healthy(own)["active_connections"] == count
            vitals.record("memory for each", (own.memory() - vitals.memory) / count / 1000, "kB")
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
            vitals.record("memory for each that has had steps", (own.memory() - vitals.memory) / count / 1000, "kB")
        wait_until(lambda: healthy(own)["active_connections"] == 0, 60, "subscribers that left are counted still")
        runs = trainer.get(own.url + "/api/v1/runs").json()
        assert {run["step_count"] for run in runs.values()} == {1} and len(runs) == len(bodies)

