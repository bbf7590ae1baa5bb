"""The results of a soak: counts, and everything unexpected."""

import threading
import time
from collections import Counter


class SoakResults:
    """Shared by all the clients; every method may be called from any thread."""

    # Errors that are kept word for word; the rest is counted.
    SHOWN = 20

    def __init__(self):
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self.error_count = 0
        # Each run's number of steps that were answered 202: they are 0, 1, 2, ...
        self.accepted: dict[str, int] = {}

    def count(self, name: str, times: int = 1):
        with self._lock:
            self.counts[name] += times

    def error(self, text: str):
        with self._lock:
            self.error_count += 1
            if len(self.errors) < self.SHOWN:
                self.errors.append(f"{time.strftime('%H:%M:%S')} {text}")

    def step_accepted(self, run: str):
        with self._lock:
            self.counts["steps posted"] += 1
            self.accepted[run] = self.accepted.get(run, 0) + 1

    def malformed_share(self) -> float:
        """The part of the trainers' requests that were malformed."""
        wrong = self.counts["malformed requests"]
        return wrong / max(wrong + self.counts["steps posted"], 1)

    def add(self, counts: dict, errors: list[str], error_count: int):
        """Takes over the results of another process."""
        with self._lock:
            self.counts.update(counts)
            self.errors = (self.errors + errors)[:self.SHOWN]
            self.error_count += error_count
