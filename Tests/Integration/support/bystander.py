"""An ordinary client beside a load."""

import statistics
import threading
import time

from .clients import post, receive, session, subscribe
from .figures import record_figure
from .payloads import payload, run_id, served


class Bystander:
    """Posts, reads back and watches while `with` lasts; nothing of it may fail, be missed or be out of order.

    At the end every step that was answered 202 is read back from the server. With a name, figures are recorded. Without
    `watches` it has no subscription: where others post what is large, that would be sent to it, too.
    """

    # Others may take their share of the machine; a server that lets them wait in line behind a load is worse than that.
    SLOWER_AT_MOST = 50

    def __init__(self, server, name: str | None = None, token: str | None = None, interval: float = 0.02,
                 watches: bool = True):
        self.server = server
        self.name = name
        self.token = server.token if token is None else token
        self.interval = interval
        self._socket = None
        self._watches = watches
        self.run = run_id("bystander")
        self.posted: list[dict] = []
        self.times: list[float] = []
        self._failures: list = []
        self._done = threading.Event()

    def __enter__(self):
        if self._watches:
            headers = {"Authorization": f"Bearer {self.token}"} if self.token else None
            self._socket = subscribe(self.server, headers=headers).__enter__()
            assert receive(self._socket)["type"] == "initial_runs"
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
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding
            self._failures.append(error)
        self.times.append(time.perf_counter() - began)
        self.posted.append(body)

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
                self._socket.close()

    def _check(self):
        assert not self._thread.is_alive()
        assert self._failures == []
        for body in self.posted if self._socket else ():
            assert receive(self._socket, "new_metrics", self.run)["data"] == served(body)
        stored = self._client.get(f"{self.server.url}/api/v1/runs/{self.run}", timeout=60).json()["steps"]
        assert stored == [served(body) for body in self.posted]
        under_load = statistics.median(self.times)
        if self.name:
            record_figure(f"{self.name}: post and read of another client before", self.normal * 1000, "ms")
            record_figure(f"{self.name}: post and read of another client meanwhile", under_load * 1000, "ms")
            record_figure(f"{self.name}: the longest of {len(self.times)}", max(self.times) * 1000, "ms")
        assert under_load <= self.normal * self.SLOWER_AT_MOST, "others were not served as usual"
