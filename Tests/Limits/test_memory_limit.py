"""More metrics than the memory limit allows."""

import json

from Support.clients.libraries import post, session
from Support.load.ordinary_client import OrdinaryClient
from Support.load.resource_check import MEGABYTE, ResourceCheck
from Support.load.threads import Threads
from Support.payloads import payload, run_id, served
from Support.wire.raw import RawConnection, ingest

# A layer's statistics are twelve doubles.
LAYER = 12 * 8
LAYERS, STEPS = 500, 20
ONE_RUN = LAYER * LAYERS * STEPS
# What a run holds of a layer besides its numbers: names, and what the rules of layer health remember. SCHEMA.md states
# it in "Memory of layer health".
BESIDE_NUMBERS = 750
# The share of the limit that the server may allocate for anything else: bodies in progress, names, tables.
BESIDE = 0.1
# The share of the limit by which the held bytes may vary: the last run may or may not fit.
VARIES = 0.05
# The share of the limit for stored metrics; the rest is for answers.
STORED = 0.75


class LargeRuns:
    """Runs of large steps that differ only in their names, so they cost the test little to generate."""

    def __init__(self, server):
        self.server = server
        self._encoded = json.dumps(payload("RUN", 0, LAYERS)).encode()
        self._served = served(payload("RUN", 0, LAYERS))

    def expected(self) -> list[dict]:
        return [{**self._served, "step": step} for step in range(STEPS)]

    def post(self, run: str, connection: RawConnection, steps=range(STEPS)):
        for step in steps:
            body = self._encoded.replace(b'"RUN"', b'"%s"' % run.encode(), 1)
            answer = connection.ask(ingest(body.replace(b'"global_step": 0', b'"global_step": %d' % step, 1)))
            assert answer.status == 202, answer.body

    def post_runs(self, count: int) -> list[str]:
        """Posts `count` runs one after the other. Returns their ids."""
        runs = [run_id("large") for _ in range(count)]
        with RawConnection(self.server, timeout=60) as connection:
            for run in runs:
                self.post(run, connection)
        return runs


def held(server) -> dict[str, int]:
    """The held runs with their numbers of steps."""
    with session(server) as client:
        listing = client.get(server.url + "/api/v1/runs").json()
    return {run: entry["step_count"] for run, entry in listing.items()}


def steps_of(server, run: str) -> list[dict]:
    with session(server) as client:
        return client.get(f"{server.url}/api/v1/runs/{run}").json()["steps"]


def test_over_the_limit_of_memory_the_oldest_runs_go_and_the_process_stays_bounded(start_server, tmp_path):
    limit, name = 64 * MEGABYTE, "64 MB of metrics at most"
    # The steps are alike, as if no layer trained. Alerts of all layers would take as much memory as the numbers.
    rules = tmp_path / "rules.json"
    rules.write_text('{"rules": {"frozen_layer": {"enabled": false}}}')
    own = start_server("--max-memory", limit, "--max-runs", 100_000, "--max-steps-per-run", 100_000,
                       "--log-level", "warning", "--health-rules", rules, counted=True)
    large = LargeRuns(own)
    resources = ResourceCheck(own, name, allowance=VARIES * limit)
    for number in resources.rounds(1):
        with OrdinaryClient(own, name, watches=False) as other:
            # Twice the limit.
            posted = large.post_runs(2 * limit // ONE_RUN)
            kept = held(own)
            assert kept.pop(other.run) > 0
            # The latest runs are complete. They use the limit except for less than one run and the names, which also
            # count.
            assert list(kept) == posted[-len(kept):] and set(kept.values()) == {STEPS}
            assert len(kept) * ONE_RUN <= limit * STORED
            assert len(kept) * (ONE_RUN + LAYERS * BESIDE_NUMBERS) > limit * STORED * 0.8
            if number:
                continue
            resources.record("runs held", len(kept), "")
            resources.record("of the limit used by numbers", len(kept) * ONE_RUN / limit / STORED * 100, "%")

            # The least recently updated run is evicted, not the oldest one.
            first, second = list(kept)[:2]
            with RawConnection(own) as connection:
                large.post(first, connection, [0])
            (latest,) = large.post_runs(1)
            now = held(own)
            assert first in now and second not in now and latest in now
            assert steps_of(own, first) == steps_of(own, latest) == large.expected()

            # The accounting does not drift: after all runs have been replaced, as many are held.
            threads = Threads()
            for _ in range(2):
                threads.start(large.post_runs, len(kept))
            threads.join()
            again = held(own)
            assert again.pop(other.run) > 0
            # Each trainer may have started one run when the other's last run was posted.
            assert abs(sum(again.values()) - len(kept) * STEPS) <= 2 * STEPS
    most = own.allocations.peak - resources.idle
    resources.record("allocated for each byte of the limit", most / limit, "bytes")
    resources.record("resident for each byte of the limit", own.memory("VmHWM") / limit, "bytes")
    assert most < limit * (1 + BESIDE)


def test_a_single_step_over_the_limit_of_memory_is_kept_alone(start_server):
    own = start_server("--max-memory", 100_000, "--max-runs", 100, counted=True)
    small, large = [run_id("small") for _ in range(5)], run_id("large")
    for _ in ResourceCheck(own, "a step over the limit of memory").rounds():
        with session(own) as trainer:
            for run in small:
                assert post(trainer, own, payload(run)).status_code == 202
            assert list(held(own)) == small
            for step in range(3):
                body = payload(large, step, 2000)
                assert post(trainer, own, body).status_code == 202
                assert held(own) == {large: 1}
                assert steps_of(own, large) == [served(body)]
            # There is room again when a small step replaces the large one.
            for run in small:
                assert post(trainer, own, payload(run)).status_code == 202
            assert held(own) == {run: 1 for run in small}


def test_a_run_whose_structure_changes_all_the_time_is_not_counted_for_more_than_it_holds(start_server):
    own = start_server("--max-memory", 2 * MEGABYTE, "--log-level", "warning", counted=True)
    quiet, restless = run_id("quiet"), run_id("restless")
    # The same three steps repeatedly, in any order, each time with new layers. If each version were counted, the sum
    # would exceed the limit many times.
    bodies = [ingest(payload(restless, number % 3, 20 + number % 4)) for number in range(12)]
    for _ in ResourceCheck(own, "a run whose structure changes").rounds():
        with session(own) as trainer, RawConnection(own) as connection:
            assert post(trainer, own, payload(quiet)).status_code == 202
            for number in range(1200):
                assert connection.ask(bodies[number % 12]).status == 202
            assert held(own) == {quiet: 1, restless: 3}
            assert steps_of(own, restless) == [
                served(payload(restless, step, 20 + (9 + step) % 4)) for step in range(3)]
