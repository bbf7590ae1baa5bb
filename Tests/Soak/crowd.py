"""The visitors and readers, in a process of their own, so that they use no time of the measured processes."""

import asyncio
import ctypes
import multiprocessing
import signal
import sys
from types import SimpleNamespace

from results import SoakResults
from watchers import Reader, Visitor


class Crowd:
    def __init__(self, server, visitors: int, limit: int):
        facts = {name: getattr(server, name) for name in ("port", "url", "ws_url", "secure", "ca", "token")}
        spawning = multiprocessing.get_context("spawn")
        self._done = spawning.Event()
        self._queue = spawning.Queue()
        self._process = spawning.Process(
            target=_run, args=(facts, visitors, limit, self._done, self._queue), daemon=True)

    def start(self):
        self._process.start()

    def finish(self, results: SoakResults):
        """Lets them end, and takes over what they counted."""
        self._done.set()
        try:
            results.add(*self._queue.get(timeout=120))
        except Exception as error:  # noqa: BLE001 -- any error belongs in the report
            results.error(f"the crowd gave no report: {error!r}")
        self._process.join(30)


def _end_with_the_parent():
    """A spawned process ends with the one that started it, even if that is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    if multiprocessing.parent_process() is None or not multiprocessing.parent_process().is_alive():
        sys.exit(1)


def _run(facts: dict, visitors: int, limit: int, done, queue):
    _end_with_the_parent()
    server, results = SimpleNamespace(**facts), SoakResults()
    asyncio.run(_clients(server, results, visitors, limit, done))
    queue.put((dict(results.counts), results.errors, results.error_count))


async def _clients(server, results: SoakResults, visitors: int, limit: int, done):
    async with asyncio.TaskGroup() as group:
        for number in range(visitors):
            group.create_task(_guarded(results, Visitor(server, results, number, limit).visit(0.05, done)))
        group.create_task(_guarded(results, Reader(server, results, limit).read(0.2, done)))


async def _guarded(results: SoakResults, client):
    try:
        await client
    except Exception as error:  # noqa: BLE001 -- a client that dies must not go unnoticed
        results.error(f"{client.__qualname__} ended with {error!r}")
