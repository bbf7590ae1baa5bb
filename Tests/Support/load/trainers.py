"""Trainers that post as fast as the server answers."""

import json
import re
import threading
import time

from ..payloads import payload, run_id, served
from ..wire.raw import RawConnection, ingest
from .threads import Threads

# The run of a message and the number of its step; they come before everything that is measured.
STEP = re.compile(rb'"run_id":"([^"]*)","data":\{"step":(\d+)')
# The number of the change, at the end of a message that carries a step.
SEQ = re.compile(rb',"seq":\d+\}$')

# A run's payloads repeat after so many steps but for the number of the step: making them costs the test more than
# taking them costs the server.
DIFFERENT = 20


class Trainers:
    """Each posts steps 0, 1, 2, ... of a run of its own over one connection, between `start` and `stop`."""

    def __init__(self, server, count: int, layers: int):
        self.server = server
        self.layers = layers
        self.runs = [run_id("trainer") for _ in range(count)]
        # Steps of each run that were answered 202.
        self.accepted = [0] * count
        # A message for each run and kind of payload, as the first subscriber got it.
        self.samples: dict[tuple[str, int], bytes] = {}
        self._encoded = [[json.dumps(payload(run, 0, layers, seed)).encode() for seed in range(DIFFERENT)]
                         for run in self.runs]
        self._threads = Threads()
        self._done = threading.Event()
        self._followed, self._lead = None, 0

    def follow(self, messages: list, lead: int):
        """From now on they wait when they are more than `lead` steps ahead of a reader who collects these messages."""
        self._followed, self._lead, self._since = messages, lead, sum(self.accepted) - len(messages)

    def _too_far_ahead(self) -> bool:
        return self._followed is not None and sum(self.accepted) - self._since - len(self._followed) > self._lead

    def expected(self, trainer: int, step: int) -> dict:
        """A step as the server must give it."""
        kept = served(payload(self.runs[trainer], 0, self.layers, step % DIFFERENT))
        return {**kept, "step": step}

    def summary(self, message: bytes):
        """What is worth keeping of a message that carries a step: its run, the step, and all other bytes except `seq` as
        a number, the same for the same statistics. Other messages are kept whole."""
        match = STEP.search(message, 0, 200)
        if not match:
            return bytes(message)
        run, step = match[1].decode(), int(match[2])
        self.samples.setdefault((run, step % DIFFERENT), bytes(message))
        return run, step, hash(message[:match.start(2)] + SEQ.sub(b"", message[match.end(2):]))

    def assert_in_order(self, summaries: list, first: list[int]):
        """Fails unless these are the messages of all steps accepted from `first` on, each run's in order, and each
        with the statistics that were posted."""
        for (run, _), message in self.samples.items():
            data = json.loads(message)["data"]
            assert data == self.expected(self.runs.index(run), data["step"])
        seen = {run: [] for run in self.runs}
        for summary in summaries:
            assert isinstance(summary, tuple), summary
            seen[summary[0]].append(summary[1:])
        for run, since, until in zip(self.runs, first, self.accepted):
            assert [step for step, _ in seen[run]] == list(range(since, until))
            rests = [{rest for step, rest in seen[run] if step % DIFFERENT == kind} for kind in range(DIFFERENT)]
            assert all(len(rest) == 1 for rest in rests), "a step's statistics changed on their way"

    def start(self):
        self._done.clear()
        self._threads = Threads()
        self._began, self._before = time.monotonic(), sum(self.accepted)
        for trainer in range(len(self.runs)):
            self._threads.start(self._train, trainer)

    def _train(self, trainer: int):
        token = [f"Authorization: Bearer {self.server.token}"] if self.server.token else []
        with RawConnection(self.server, timeout=60) as connection:
            while not self._done.is_set():
                if self._too_far_ahead():
                    time.sleep(0.001)
                    continue
                step = self.accepted[trainer]
                body = self._encoded[trainer][step % DIFFERENT]
                answer = connection.ask(ingest(body.replace(b'"global_step": 0', b'"global_step": %d' % step), token))
                assert answer.status == 202, answer.body
                self.accepted[trainer] += 1

    def stop(self) -> float:
        """Ends them; returns the steps a second since they started."""
        self._done.set()
        rate = (sum(self.accepted) - self._before) / (time.monotonic() - self._began)
        self._threads.join()
        return rate

    def train(self, seconds: float) -> float:
        """Lets them post for so long; returns the steps a second."""
        self.start()
        self._done.wait(seconds)
        return self.stop()
