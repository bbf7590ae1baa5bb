"""The visitors and readers, in a process of their own: they take a core's time from nobody who is measured."""

import asyncio
import ctypes
import multiprocessing
import signal
import sys
from types import SimpleNamespace

from ledger import Ledger
from watchers import Reader, Visitor


class Crowd:
    def __init__(self, server, visitors: int, limit: int):
        facts = {name: getattr(server, name) for name in ("port", "url", "ws_url", "secure", "ca", "token")}
        spawning = multiprocessing.get_context("spawn")
        self._done = spawning.Event()
        self._results = spawning.Queue()
        self._process = spawning.Process(
            target=_run, args=(facts, visitors, limit, self._done, self._results), daemon=True)

    def start(self):
        self._process.start()

    def finish(self, ledger: Ledger):
        """Lets them end, and takes over what they counted."""
        self._done.set()
        try:
            ledger.add(*self._results.get(timeout=120))
        except Exception as error:  # noqa: BLE001 -- whatever it is, it belongs into the report
            ledger.error(f"the crowd gave no report: {error!r}")
        self._process.join(30)


def _end_with_the_parent():
    """A spawned process ends with the one that started it, even if that is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    if multiprocessing.parent_process() is None or not multiprocessing.parent_process().is_alive():
        sys.exit(1)


def _run(facts: dict, visitors: int, limit: int, done, results):
    _end_with_the_parent()
    server, ledger = SimpleNamespace(**facts), Ledger()
    asyncio.run(_clients(server, ledger, visitors, limit, done))
    results.put((dict(ledger.counts), ledger.errors, ledger.error_count))


async def _clients(server, ledger: Ledger, visitors: int, limit: int, done):
    async with asyncio.TaskGroup() as group:
        for number in range(visitors):
            group.create_task(_guarded(ledger, Visitor(server, ledger, number, limit).visit(0.05, done)))
        group.create_task(_guarded(ledger, Reader(server, ledger, limit).read(0.2, done)))


async def _guarded(ledger: Ledger, client):
    try:
        await client
    except Exception as error:  # noqa: BLE001 -- a client that dies must not go unnoticed
        ledger.error(f"{client.__qualname__} ended with {error!r}")
