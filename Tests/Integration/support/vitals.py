"""How a server fares: the time of /health, memory, descriptors; and whether a load has left anything behind."""

import gc
import statistics
import time

from .clients import wait_until
from .figures import record_figure
from .raw import RawConnection, request

MEGABYTE = 1_000_000

# The server gives free memory back when 4 MiB of it have come together, in whole pages: below that, and where something
# in use lies in the same page, a server that has forgotten every byte of a load still shows some of its peak.
KEPT_BY_THE_ALLOCATOR = 8 * MEGABYTE


def health_time(server, samples: int = 21) -> float:
    """Median seconds from the connect to the end of the answer of /health."""
    times = []
    for _ in range(samples):
        began = time.perf_counter()
        with RawConnection(server, source="127.0.0.1") as connection:
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


class Vitals:
    """Taken before a load by `with Vitals(server, "name"):`; at the end of it everything must be as before. With a name,
    its figures are recorded.

    `memory_allowance`: bytes that may stay, beside what the test says the server stores by then. The process's own
    memory counts, not its program's pages, which are read in when they are first run.
    """

    # A busy machine slows one measurement or another; a server that is hurt is slow in all of them.
    SLOWER_AT_MOST = 5

    def __init__(self, server, name: str | None = None, memory_allowance: int = KEPT_BY_THE_ALLOCATOR):
        self.server = server
        self.name = name
        self.memory_allowance = memory_allowance

    def __enter__(self):
        health_time(self.server)
        settled_descriptors(self.server)
        self.health = health_time(self.server)
        self.memory = self.server.memory()
        self.own_memory = self.server.memory("RssAnon")
        self.descriptors = settled_descriptors(self.server)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.assert_as_before()

    def wait_until(self, condition, why: str):
        wait_until(condition, 60, why)

    def wait_for_descriptors(self, beside: int = 0):
        """Waits until no more descriptors are open than before, and so many connections."""
        self.wait_until(lambda: self.server.descriptors() <= self.descriptors + beside,
                        f"more than {self.descriptors} and {beside} descriptors stay open")

    def assert_as_before(self):
        """Waits until descriptors, memory and the time of /health are back; fails when one of them is not in time."""
        server, peak = self.server, self.server.memory("VmHWM")
        self.wait_until(lambda: health_time(server) <= self.health * self.SLOWER_AT_MOST,
                        "/health does not answer in its normal time")
        self.wait_until(lambda: server.memory("RssAnon") - self.own_memory <= self.memory_allowance,
                        f"memory was {self.own_memory} bytes before and stays over that by {self.memory_allowance}")
        self.wait_for_descriptors()
        self.record("descriptors before", self.descriptors, "")
        self.record("descriptors after", server.descriptors(), "")
        self.record("memory before", self.memory / MEGABYTE, "MB")
        self.record("memory at the peak", peak / MEGABYTE, "MB")
        self.record("memory after", server.memory() / MEGABYTE, "MB")
        self.record("/health before", self.health * 1000, "ms")
        self.record("/health after", health_time(server) * 1000, "ms")

    def record(self, name: str, value: float, unit: str):
        if self.name:
            record_figure(f"{self.name}: {name}", value, unit)

