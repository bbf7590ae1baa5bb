"""Checks what a server holds after each round of a repeated load: allocated memory, descriptors, and /health."""

import gc
import statistics
import time
from collections.abc import Iterator

from ..clients.libraries import wait_until
from ..wire.raw import RawConnection, request
from .figures import record_figure

MEGABYTE = 1_000_000

# After the warm-up a round must not leave more allocated than an earlier one, but for this share of what the server has
# allocated when it has just started: 1.0 MB over TCP and 1.4 over TLS, so 60 or 85 kB. Two idle moments differ by less
# than half of that: each event loop makes some buffers when it first needs them. A kilobyte that stays for each of 100
# connections is more.
SHARE = 0.06
# Rounds behind the warm-up.
ROUNDS = 3
# A deadline against hanging. What the server keeps for a while, such as a timer of 20 s, is gone long before.
SECONDS = 60


def health_time(server, samples: int = 21) -> float:
    """Median seconds from the connect to the end of the answer of /health; fails when an answer is not 200."""
    times = []
    for _ in range(samples):
        began = time.perf_counter()
        with RawConnection(server, source="127.0.0.1", timeout=SECONDS) as connection:
            assert connection.ask(request()).status == 200
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def settled_descriptors(server) -> int:
    """Waits until the connections of the client's own measurements are closed at the server's end, too."""
    gc.collect()
    seen = server.descriptors()

    def steady():
        nonlocal seen
        before, seen = seen, server.descriptors()
        return before == seen
    wait_until(steady)
    return seen


class ResourceCheck:
    """Repeats a load: `for number in ResourceCheck(server, "name").rounds(): ...`.

    The server must be started with `counted=True`.

    Round 0 is the warm-up, and may be larger than those behind it: tables grow and caches fill. The least that the
    server has allocated after an earlier round is the measure; after each later round it must come back to that and
    `allowance`. The store must hold as much after each round, so a round deletes its runs or the limits evict them.
    No descriptor may stay open, and /health must answer. Times are recorded, not judged: they are the machine's.
    """

    def __init__(self, server, name: str | None = None, allowance: float | None = None):
        self.server = server
        self.name = name
        self.allowance = SHARE * server.allocations.at_start if allowance is None else allowance

    def rounds(self, count: int = ROUNDS) -> Iterator[int]:
        server = self.server
        health_time(server, 3)
        self.descriptors = settled_descriptors(server)
        self.idle = server.allocations.bytes
        server.allocations.reset_peak()
        if self.name:
            self.record("descriptors before", self.descriptors, "")
            self.record("resident before", server.memory() / MEGABYTE, "MB")
            self.record("/health before", health_time(server) * 1000, "ms")
        yield 0
        self.wait_for_descriptors()
        self.measure = warm = self.settled()
        for number in range(1, count + 1):
            yield number
            self.wait_for_descriptors()
            self.measure = min(self.measure, self.come_back(number))
        health = health_time(server, 21 if self.name else 1)
        if self.name:
            self.record("descriptors after", server.descriptors(), "")
            self.record("allocated before", self.idle / MEGABYTE, "MB")
            self.record("allocated at the peak", server.allocations.peak / MEGABYTE, "MB")
            self.record("allocated after the warm-up", warm / MEGABYTE, "MB")
            self.record("allocated after the last round", server.allocations.bytes / MEGABYTE, "MB")
            self.record("resident at the peak", server.memory("VmHWM") / MEGABYTE, "MB")
            self.record("resident after", server.memory() / MEGABYTE, "MB")
            self.record("/health after", health * 1000, "ms")

    def settled(self) -> int:
        """Waits until the server allocates and frees nothing for a moment; returns the bytes in use."""
        seen = [self.server.allocations.bytes]

        def steady():
            seen.append(self.server.allocations.bytes)
            return len(seen) > 5 and len(set(seen[-5:])) == 1
        wait_until(steady, SECONDS, "the server does not come to rest")
        return seen[-1]

    def come_back(self, number: int) -> int:
        """Waits until no more is allocated than the measure and the share; returns how much that is."""
        allowed, lowest = self.measure + self.allowance, self.server.allocations.bytes
        deadline = time.monotonic() + SECONDS
        while lowest > allowed:
            assert time.monotonic() < deadline, (
                f"{lowest} bytes stay allocated after round {number}; after an earlier one it was {self.measure}, "
                f"and {self.allowance:.0f} more are allowed")
            time.sleep(0.02)
            lowest = min(lowest, self.server.allocations.bytes)
        return lowest

    def wait_until(self, condition, why: str):
        wait_until(condition, SECONDS, why)

    def wait_for_descriptors(self, beside: int = 0):
        """Waits until no more descriptors are open than before, and so many connections."""
        self.wait_until(lambda: self.server.descriptors() <= self.descriptors + beside,
                        f"more than {self.descriptors} and {beside} descriptors stay open")

    def record(self, name: str, value: float, unit: str):
        if self.name:
            record_figure(f"{self.name}: {name}", value, unit)
