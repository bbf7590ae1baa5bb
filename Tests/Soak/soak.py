"""Runs the whole server under mixed load and reports; `soak.py MINUTES`. Called by script/soak."""

import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests"), str(Path(__file__).parent)]

import report  # noqa: E402
from crowd import Crowd  # noqa: E402
from results import SoakResults  # noqa: E402
from Support.clients.libraries import context, session, wait_until  # noqa: E402
from Support.load.resource_check import health_time, settled_descriptors  # noqa: E402
from Support.servers.server import Server  # noqa: E402
from trainers import ONE_OF, Trainer, stored  # noqa: E402
from watchers import CheckingSubscriber  # noqa: E402

TOKEN = "soak-token-91c2f0aa57d34be8"
TRAINERS, VISITORS, LAYERS = 4, 3, 20
MAX_RUNS, MAX_STEPS = 8, 200
# A run is longer than what is kept of it, and there are more runs than are kept: both are reached in the warm-up.
STEPS_PER_RUN = 300
# A client has one connection at a time; one that it has left may be open at the server's end still.
CONNECTIONS = 2 * (1 + TRAINERS + TRAINERS + VISITORS + 1)


class Soak:
    def __init__(self, folder: Path):
        self.server = Server(
            ["--tls", "dev", "--max-runs", MAX_RUNS, "--max-steps-per-run", MAX_STEPS, "--auth-failure-limit", 1_000_000,
             "--log-level", "warning"], {"NN_MONITOR_AUTH_TOKEN": TOKEN}, folder, counted=True)
        self.server.token = TOKEN
        self.results = SoakResults()
        self.done = threading.Event()
        self.crowd = Crowd(self.server, VISITORS, MAX_STEPS)
        self.threads: list[threading.Thread] = []

    def start(self):
        health_time(self.server)
        settled_descriptors(self.server)
        self.before = self.sample("before")
        shared = context(self.server)
        self.checker = CheckingSubscriber(self.server, self.results)
        self.spawn(self.checker.watch, self.done)
        for number in range(TRAINERS):
            trainer = Trainer(self.server, shared, self.results, number, LAYERS, STEPS_PER_RUN)
            self.spawn(trainer.train, self.pause(0.01), self.done)
        self.crowd.start()

    def spawn(self, body, *arguments):
        def guarded():
            try:
                body(*arguments)
            except BaseException as error:  # noqa: BLE001 -- a client that dies must not go unnoticed
                self.results.error(f"{body.__qualname__} ended with {error!r}")
        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        self.threads.append(thread)

    def pause(self, seconds: float):
        return lambda: self.done.wait(seconds)

    def warm_up(self):
        """Until as many runs are kept as are ever kept, each as long as it ever is."""
        needed = (MAX_RUNS + TRAINERS) * STEPS_PER_RUN
        while self.results.counts["steps posted"] < needed and self.results.error_count == 0:
            time.sleep(0.1)

    def sample(self, label: str) -> report.Sample:
        server = self.server
        return report.Sample(label, server.allocations.bytes, server.memory(), server.descriptors(),
                             server.processor_time())

    def mean_allocated(self, until: float) -> float:
        """The mean of the bytes that the server has allocated until then. Runs grow and are evicted meanwhile."""
        seen = [self.server.allocations.bytes]
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            seen.append(self.server.allocations.bytes)
        return statistics.fmean(seen)

    def run(self, minutes: float) -> tuple[str, bool]:
        self.start()
        self.warm_up()
        samples, quarters = [self.sample("start")], []
        began = time.monotonic()
        for quarter in (1, 2, 3, 4):
            quarters.append(self.mean_allocated(began + quarter * minutes * 15))
            samples.append(self.sample("end" if quarter == 4 else f"{quarter * 25} %"))
        self.done.set()
        for thread in self.threads:
            thread.join(90)
            if thread.is_alive():
                self.results.error("a client did not end")
        self.crowd.finish(self.results)
        self.checker.finish()
        self.check_store()
        health = health_time(self.server)
        self.check_descriptors(samples)
        idle = self.sample("idle again")
        if self.results.counts["steps seen by the checking subscriber"] == 0:
            self.results.error("the checking subscriber saw nothing")
        if abs(self.results.malformed_share() - 1 / ONE_OF) > 0.005:
            self.results.error("the share of malformed requests is not what it should be")
        stopped = self.server.stop()
        if stopped != 0:
            self.results.error(f"the server ended with {stopped}")
        text = report.text(minutes, [self.before, *samples, idle], quarters, self.results, health, stopped)
        return text, self.results.error_count == 0 and report.is_flat(quarters)

    def check_store(self):
        """What is held in the end is what was accepted, but for what the rules evict."""
        expected = self.checker.expected_store(MAX_RUNS, MAX_STEPS)
        with session(self.server) as client:
            held = client.get(f"{self.server.url}/api/v1/runs", timeout=60).json()
            if set(held) != set(expected):
                self.results.error(f"the runs {sorted(held)} are held, not {sorted(expected)}")
            for run in held.keys() & expected.keys():
                steps = client.get(f"{self.server.url}/api/v1/runs/{run}", timeout=60).json()["steps"]
                if steps != [stored(step, LAYERS) for step in expected[run]]:
                    self.results.error(f"what is held of {run} is not its last steps as they were posted")

    def check_descriptors(self, samples: list[report.Sample]):
        """Under the load each is a client's; afterwards none is left."""
        before = self.before.descriptors
        for sample in samples:
            if sample.descriptors > before + CONNECTIONS:
                self.results.error(f"{sample.descriptors} descriptors are open ({sample.label}), before {before}")
        try:
            wait_until(lambda: self.server.descriptors() <= before)
        except AssertionError:
            self.results.error(f"{self.server.descriptors()} descriptors stay open, before {before}")


def main():
    minutes = float(sys.argv[1])
    folder = Path(tempfile.mkdtemp(prefix="nnmonitor-soak-"))
    try:
        soak = Soak(folder)
        with soak.server:
            text, passed = soak.run(minutes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (ROOT / ".build/soak-report.md").write_text(text)
    print(text)
    print("soak: passed" if passed else "soak: FAILED")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
