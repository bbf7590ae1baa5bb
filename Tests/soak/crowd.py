"""The visitors and readers, in a process of their own.

They leave in bad ways, and Python's TLS sockets can't be left so without harm to others of the same process: a thread that
still reads one uses the number of its descriptor, which may be another socket's by then.
"""

import multiprocessing
import threading
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


def _run(facts: dict, visitors: int, limit: int, done, results):
    server, ledger = SimpleNamespace(**facts), Ledger()
    clients = [(Visitor(server, ledger, number, limit).visit, 0.05) for number in range(visitors)]
    clients.append((Reader(server, ledger, limit).read, 0.2))
    threads = [threading.Thread(target=_guarded, args=(ledger, body, lambda seconds=seconds: done.wait(seconds), done))
               for body, seconds in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((dict(ledger.counts), ledger.errors, ledger.error_count))


def _guarded(ledger, body, *arguments):
    try:
        body(*arguments)
    except BaseException as error:  # noqa: BLE001 -- a client that dies must not go unnoticed
        ledger.error(f"{body.__qualname__} ended with {error!r}")
