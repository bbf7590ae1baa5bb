"""An HTTP front with faults: before the reference server, or before a real one.

It can be down, slow, reset connections in the middle of a body or instead of an answer, and answer in the server's
place. What comes through unharmed is handed to the backend.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import urllib.parse
from dataclasses import dataclass, field

from .reference import Reference

#: Run ids that tests choose; a real server may hold them from an earlier test. All others are random.
RUN_IDS = (
    "r", "w", "again", "other", "one", "two", "parent", "child", "clean", "sim", "chosen", "lit", "hf", "a/b ü%?#",
    "nnmonitor-check",
)


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Fault:
    """What happens to one request instead of an answer; `when` selects requests by method and path.

    `status`: this answer, and the backend sees nothing. `reset_at`: the connection is reset after so many bytes of the
    body. `reset_after`: the backend handles the request, then the connection is reset. `held`: the answer waits for it.
    """

    status: int = 0
    headers: dict = field(default_factory=dict)
    body: object = None
    reset_at: int | None = None
    reset_after: bool = False
    held: threading.Event | None = None
    method: str = ""
    ends_with: str = ""

    def concerns(self, method, path):
        return method.startswith(self.method) and path.endswith(self.ends_with)


class Direct:
    """The reference server, called in this process."""

    def __init__(self, reference):
        self.reference = reference

    def ask(self, method, path, headers, body):
        status, value = self.reference.handle(method, path, headers, body)
        return status, {}, b"" if value is None else json.dumps(value).encode()


class Remote:
    """A real server, asked over the network. The token needs the scopes ingest, read and admin."""

    def __init__(self, url, token=None, ca=None):
        self.parts = urllib.parse.urlsplit(url)
        self.token = token
        self.ca = ca

    @classmethod
    def of_environment(cls):
        """The one at `NN_MONITOR_TEST_URL`, or None."""
        url = os.environ.get("NN_MONITOR_TEST_URL")
        return cls(url, os.environ.get("NN_MONITOR_TEST_TOKEN"), os.environ.get("NN_MONITOR_TEST_CA")) if url else None

    def ask(self, method, path, headers, body):
        if self.parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection(self.parts.netloc, timeout=60, context=context)
        else:
            connection = http.client.HTTPConnection(self.parts.netloc, timeout=60)
        kept = {name: value for name, value in headers.items() if name in ("content-type", "content-encoding")}
        if self.token:
            kept["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, self.parts.path.rstrip("/") + path, body or None, kept)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, {"Retry-After": names["retry-after"]} if "retry-after" in names else {}, answer.read()
        finally:
            connection.close()


class Front:
    """Listens on a port of its own, which stays the same over `down` and `up`."""

    def __init__(self, certificate=None, reference=None, remote=None):
        remote = remote if reference else remote or Remote.of_environment()
        self.real = remote is not None
        self.reference = None if self.real else (reference or Reference())
        self.backend = remote or Direct(self.reference)
        self.certificate = certificate
        self.faults = []
        self.requests = []
        self.handshakes = 0
        self._lock = threading.Lock()
        self._connections = set()
        self._server = None
        self.port = 0
        if self.real:
            for run in RUN_IDS:
                self.forget(run)
        self.up()

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    def up(self):
        front = self

        class Handler(FrontHandler):
            pass

        Handler.front = front
        self._server = Server(("127.0.0.1", self.port), Handler)
        self._server.front = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self):
        """Refuses connections and resets those that are open."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.shutdown()
        server.server_close()
        with self._lock:
            opened = list(self._connections)
        for connection in opened:
            reset(connection)

    def fault(self, count=1, **what):
        """The next `count` requests that it concerns meet this fault. Returns it."""
        made = Fault(**what)
        with self._lock:
            self.faults += [made] * count
        return made

    def clear(self):
        with self._lock:
            self.faults.clear()

    def take_fault(self, method, path):
        with self._lock:
            for place, fault in enumerate(self.faults):
                if fault.concerns(method, path):
                    return self.faults.pop(place)
        return None

    # Reading back, past all faults

    def get(self, path):
        status, _, body = self.backend.ask("GET", "/api/v2/runs/" + path, {"authorization": "Bearer reader"}, b"")
        if status != 200:
            return None
        try:
            return json.loads(body)
        except ValueError:
            return [json.loads(line) for line in body.splitlines()]

    def run(self, run):
        return self.get(urllib.parse.quote(run, safe=""))

    def steps(self, run):
        """Steps by number."""
        found = self.get(urllib.parse.quote(run, safe="") + "/steps") or []
        found = found if isinstance(found, list) else [found]
        return {step["step"]: step for step in found}

    def forget(self, run):
        """The server loses the run, as at a restart without a disk."""
        self.backend.ask("DELETE", "/api/v2/runs/" + urllib.parse.quote(run, safe=""), {}, b"")


def reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR) if isinstance(connection, ssl.SSLSocket) else None
    except OSError:
        pass
    try:
        connection.close()
    except OSError:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def finish_request(self, request, client_address):
        certificate = self.front.certificate
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            request.settimeout(60)
            request = context.wrap_socket(request, server_side=True)
            self.front.handshakes += 1
        with self.front._lock:
            self.front._connections.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self.front._lock:
                self.front._connections.discard(request)
            request.close()

    def handle_error(self, request, client_address):
        pass


class FrontHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    front: Front

    def log_message(self, *arguments):
        pass

    def handle_any(self):
        front = self.front
        length = int(self.headers.get("content-length", 0))
        fault = front.take_fault(self.command, self.path)
        if fault is not None and fault.reset_at is not None:
            self.rfile.read(min(length, fault.reset_at))
            self.drop()
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        front.requests.append(Request(self.command, self.path, headers, body))
        if fault is not None and fault.held is not None:
            fault.held.wait(120)
        if fault is not None and fault.status:
            self.answer(fault.status, fault.headers, json.dumps(fault.body or {}).encode())
            return
        if front._server is None:
            self.drop()
            return
        status, more, data = front.backend.ask(self.command, self.path, headers, body)
        if fault is not None and fault.reset_after:
            self.drop()
            return
        self.answer(status, more, data)

    def answer(self, status, headers, data):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self):
        self.close_connection = True
        reset(self.connection)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any
