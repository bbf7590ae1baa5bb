"""An ordinary client beside a load."""

import contextlib
import socket
import statistics
import threading
import time

from ..clients.libraries import post, session, wait_until
from ..payloads import payload, run_id, served
from ..wire.raw_websocket import Ended, RawWebSocket
from .figures import record_figure


class OrdinaryClient:
    """Posts, reads back and watches while `with` lasts; nothing of it may fail, be missed or be out of order.

    At the end every step that was answered 202 is read back from the server, and the run is deleted. With a name,
    figures are recorded. Without `watches` it has no subscription: where others post what is large, that would be sent
    to it, too. Times are recorded, not judged: each request must be answered within its deadline against hanging.
    """

    def __init__(self, server, name: str | None = None, token: str | None = None, interval: float = 0.02,
                 watches: bool = True):
        self.server = server
        self.name = name
        self.token = server.token if token is None else token
        self.interval = interval
        self._socket = None
        self._watches = watches
        self.run = run_id("ordinary")
        self.posted: list[dict] = []
        self.received: list[dict] = []
        self.times: list[float] = []
        self._failures: list = []
        self._done = threading.Event()

    def __enter__(self):
        if self._watches:
            headers = [f"Authorization: Bearer {self.token}"] if self.token else []
            self._socket = RawWebSocket(self.server, headers, offer="permessage-deflate", timeout=60)
            assert self._socket.read_json()["type"] == "initial_runs"
            self._reader = threading.Thread(target=self._watch, daemon=True)
            self._reader.start()
        self._client = session(self.server, self.token or "")
        for _ in range(20):
            self._once()
        self.normal = statistics.median(self.times)
        self.times.clear()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def _once(self):
        body = payload(self.run, len(self.posted))
        began = time.perf_counter()
        try:
            answer = post(self._client, self.server, body)
            latest = self._client.get(f"{self.server.url}/api/v1/runs/{self.run}/latest", timeout=60)
            if (answer.status_code, latest.status_code) != (202, 200) or latest.json() != served(body):
                self._failures.append((answer.text, latest.text))
        except Exception as error:  # noqa: BLE001 - any failure is the finding
            self._failures.append(error)
        self.times.append(time.perf_counter() - began)
        self.posted.append(body)

    def _watch(self):
        try:
            while True:
                message = self._socket.read_json()
                if message["type"] == "new_metrics" and message["run_id"] == self.run:
                    self.received.append(message["data"])
        except (Ended, OSError):
            # Closed by `__exit__`; before, messages would be missing.
            pass
        except Exception as error:  # noqa: BLE001 - any failure is the finding
            self._failures.append(error)

    def _work(self):
        # At least once, however short the load is.
        while not self.times or not self._done.wait(self.interval):
            self._once()

    def __exit__(self, kind, *_):
        self._done.set()
        self._thread.join(90)
        try:
            if kind is None:
                self._check()
        finally:
            self._client.close()
            if self._socket:
                with contextlib.suppress(OSError):
                    self._socket.socket.shutdown(socket.SHUT_RDWR)
                self._reader.join(60)
                self._socket.close()

    def _check(self):
        assert not self._thread.is_alive()
        assert self._failures == []
        if self._socket:
            wait_until(lambda: len(self.received) >= len(self.posted), 60, "the other client missed a step")
            assert self.received == [served(body) for body in self.posted]
        stored = self._client.get(f"{self.server.url}/api/v1/runs/{self.run}", timeout=60).json()["steps"]
        assert stored == [served(body) for body in self.posted]
        assert self._client.delete(f"{self.server.url}/api/v1/runs/{self.run}", timeout=60).status_code == 204
        if self.name:
            under_load = statistics.median(self.times)
            record_figure(f"{self.name}: post and read of another client before", self.normal * 1000, "ms")
            record_figure(f"{self.name}: post and read of another client meanwhile", under_load * 1000, "ms")
            record_figure(f"{self.name}: the longest of {len(self.times)}", max(self.times) * 1000, "ms")
