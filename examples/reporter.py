"""Sends step statistics to NNMonitor from a thread of its own, so that training never waits for the network."""

import gzip
import json
import queue
import random
import sys
import threading
import time

import requests

_END = object()


class Reporter:
    """A bounded queue and one sending thread.

    `report` returns at once. When the network is slower than the training, the oldest waiting steps are dropped and
    counted. A failed request is tried again with growing pauses, as long as it may succeed later. After `close`, each
    reported step has been counted once: as posted, failed or dropped.
    """

    def __init__(self, url, token=None, ca=None, compress=True, waiting=256, attempts=8):
        self.posted = 0
        self.failed = 0
        self.dropped = 0
        self._url = url.rstrip("/") + "/api/v1/metrics/layerwise"
        self._compress = compress
        self._attempts = attempts
        self._session = requests.Session()
        self._session.headers["Content-Type"] = "application/json"
        if compress:
            self._session.headers["Content-Encoding"] = "gzip"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        # Given with each request: the environment's certificate bundle would win over the session's.
        self._verify = ca or True
        self._waiting = queue.Queue(maxsize=waiting)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def report(self, payload):
        """Queues a step's payload; drops the oldest waiting one when the queue is full."""
        while True:
            try:
                self._waiting.put_nowait(payload)
                return
            except queue.Full:
                self._drop_oldest()

    def close(self, seconds=60):
        """Sends what still waits, for about so many seconds. Returns whether every step was delivered.

        A request that is under way when the time is over still gets its answer: the server may have taken the step.
        """
        deadline = time.monotonic() + seconds
        try:
            self._waiting.put(_END, timeout=seconds)
        except queue.Full:
            pass
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._ending.set()
        # The first end mark may not have found room. By now the thread only counts what it takes, so this one does.
        self._waiting.put(_END)
        self._thread.join()
        self._session.close()
        return self.failed == 0 and self.dropped == 0

    def summary(self):
        """One line for a person."""
        return f"{self.posted} steps posted, {self.failed} failed, {self.dropped} dropped"

    def _drop_oldest(self):
        try:
            if self._waiting.get_nowait() is not _END:
                self.dropped += 1
        except queue.Empty:
            pass  # The thread was quicker.

    def _run(self):
        while (payload := self._waiting.get()) is not _END:
            if self._ending.is_set():
                self.failed += 1
                continue
            try:
                delivered = self._send(self._body(payload))
            except Exception as error:
                # Whatever it is, such as a missing file of certificates: without the thread, no later step is counted.
                print(f"reporter: {type(error).__name__}: {error}", file=sys.stderr)
                delivered = False
            if delivered:
                self.posted += 1
            else:
                self.failed += 1

    def _body(self, payload):
        # Python writes what is not finite as bare tokens; the server answers with the path of each.
        body = json.dumps(payload).encode()
        return gzip.compress(body, 6) if self._compress else body

    def _send(self, body):
        for attempt in range(self._attempts):
            try:
                answer = self._session.post(self._url, data=body, timeout=30, verify=self._verify)
            except requests.exceptions.RequestException as error:
                problem = str(error)
                # No further trial changes that; other TLS errors come with a restart of the server, and pass.
                if "CERTIFICATE_VERIFY_FAILED" in problem:
                    print(f"reporter: not trusted: {problem}", file=sys.stderr)
                    return False
            else:
                if answer.status_code == 202:
                    return True
                problem = f"{answer.status_code} {answer.text[:500]}"
                if answer.status_code < 500 and answer.status_code not in (408, 429):
                    print(f"reporter: not accepted: {problem}", file=sys.stderr)
                    return False
            if attempt + 1 < self._attempts:
                pause = min(10.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0)
                if self._ending.wait(pause):
                    return False
        print(f"reporter: given up: {problem}", file=sys.stderr)
        return False
