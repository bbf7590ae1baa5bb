"""Sends step statistics to NNMonitor from a separate thread, so that training never waits for the network."""

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

    `report` never blocks. If the queue is full, the oldest queued step is dropped and counted. A failed request is
    retried with increasing delays if a retry can succeed. Every reported step is counted in exactly one of `posted`,
    `failed`, `dropped` and, if `close` times out, `unsent`.
    """

    def __init__(self, url, token=None, ca=None, compress=True, waiting=256, attempts=8):
        self.posted = 0
        self.failed = 0
        self.dropped = 0
        self._reported = 0
        self._url = url.rstrip("/") + "/api/v1/metrics/layerwise"
        self._compress = compress
        self._attempts = attempts
        self._session = requests.Session()
        self._session.headers["Content-Type"] = "application/json"
        if compress:
            self._session.headers["Content-Encoding"] = "gzip"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        # Passed with each request, because the environment's certificate bundle overrides the session's.
        self._verify = ca or True
        self._waiting = queue.Queue(maxsize=waiting)
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def report(self, payload):
        """Queues a payload; drops the oldest if the queue is full. Call it from one thread at a time."""
        self._reported += 1
        while True:
            try:
                self._waiting.put_nowait(payload)
                return
            except queue.Full:
                try:
                    self._waiting.get_nowait()
                    self.dropped += 1
                except queue.Empty:
                    pass

    def close(self, seconds=60):
        """Sends the queued steps, for at most `seconds`. Returns whether every step was delivered."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._waiting.put(_END, timeout=max(0.0, deadline - time.monotonic()))
                break
            except queue.Full:
                if time.monotonic() >= deadline:
                    break
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._wake.set()
        return self.posted == self._reported

    @property
    def unsent(self):
        """Number of steps that are queued or have no response yet."""
        return self._reported - self.posted - self.failed - self.dropped

    def summary(self):
        """Returns the counts as one line of text."""
        return f"{self.posted} steps posted, {self.failed} failed, {self.dropped} dropped, {self.unsent} unsent"

    def _run(self):
        while (payload := self._waiting.get()) is not _END:
            try:
                delivered = self._send(self._body(payload))
            except Exception as error:
                # The thread must survive any error, such as a missing certificate file, to count later steps.
                print(f"reporter: {type(error).__name__}: {error}", file=sys.stderr)
                delivered = False
            if delivered:
                self.posted += 1
            else:
                self.failed += 1

    def _body(self, payload):
        # Python writes non-finite numbers as bare tokens; the server reports the path of each.
        body = json.dumps(payload).encode()
        return gzip.compress(body, 6) if self._compress else body

    def _send(self, body):
        for attempt in range(self._attempts):
            try:
                answer = self._session.post(self._url, data=body, timeout=30, verify=self._verify)
            except requests.exceptions.RequestException as error:
                problem = str(error)
                # A retry cannot fix this. Other TLS errors occur while the server restarts, and pass.
                if "CERTIFICATE_VERIFY_FAILED" in problem:
                    print(f"reporter: the server's certificate is not trusted: {problem}", file=sys.stderr)
                    return False
            else:
                if answer.status_code == 202:
                    return True
                problem = f"{answer.status_code} {answer.text[:500]}"
                if answer.status_code < 500 and answer.status_code not in (408, 429):
                    print(f"reporter: the server rejected a step: {problem}", file=sys.stderr)
                    return False
            if attempt + 1 < self._attempts:
                pause = min(10.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0)
                if self._wake.wait(pause):
                    return False
        print(f"reporter: a step could not be delivered: {problem}", file=sys.stderr)
        return False
