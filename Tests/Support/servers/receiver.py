"""A receiver of webhooks over real sockets, whose behaviour a test chooses."""

import json
import socket
import ssl
import threading
from dataclasses import dataclass, field

from .certificates import Pair


@dataclass
class Message:
    """A request that arrived whole."""
    method: str
    target: str
    headers: dict
    body: bytes
    server_name: str | None = None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def delivery(self) -> str:
        return self.headers["nnmonitor-delivery"]


def answer(status: int, *fields: str, body: bytes = b"ok") -> bytes:
    """The bytes of a response."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


OK = answer(200)


@dataclass
class Receiver:
    """Listens on a free port of 127.0.0.1. `messages` are the requests that arrived whole, in their order.

    `behaviour(message, number, connection)` returns the bytes of the response, or None after it has done something else
    with the connection; `number` counts requests from 0. Without it, every request is answered 200.
    `raw(connection)` gets each connection instead, before any TLS.
    """
    behaviour: object = None
    raw: object = None
    certificate: Pair | None = None
    port: int = 0
    messages: list[Message] = field(default_factory=list)
    connections: int = 0
    failed_handshakes: int = 0

    def __post_init__(self):
        self._changed = threading.Condition()
        self._open: list[socket.socket] = []
        self._names: dict = {}
        self._context = None
        if self.certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.certificate.certificate, self.certificate.key)
            self._context.sni_callback = lambda connection, name, _: self._names.__setitem__(connection.fileno(), name)
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops to listen, and closes every connection."""
        # Closing alone would leave the thread in accept(2), and the port open.
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        with self._changed:
            open_now = list(self._open)
        for connection in open_now:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait(self, count: int, seconds: float = 60) -> list[Message]:
        """The first `count` messages; fails if they do not arrive."""
        self._wait(lambda: len(self.messages) >= count, seconds)
        return self.messages[:count]

    def wait_for_connections(self, count: int, seconds: float = 60):
        self._wait(lambda: self.connections >= count, seconds)

    def wait_for_failed_handshakes(self, count: int, seconds: float = 60):
        self._wait(lambda: self.failed_handshakes >= count, seconds)

    def _wait(self, condition, seconds):
        with self._changed:
            arrived = self._changed.wait_for(condition, seconds)
        assert arrived, f"{len(self.messages)} messages, {self.connections} connections"

    def _count(self, name: str):
        with self._changed:
            setattr(self, name, getattr(self, name) + 1)
            self._changed.notify_all()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(120)
            with self._changed:
                self._open.append(connection)
            self._count("connections")
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket):
        name = None
        try:
            if self.raw:
                self.raw(connection)
                return
            if self._context:
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except (OSError, ssl.SSLError):
                    self._count("failed_handshakes")
                    return
                name = self._names.pop(connection.fileno(), None)
            with self._changed:
                self._open.append(connection)
            message = self._read(connection)
            if message is None:
                return
            message.server_name = name
            with self._changed:
                number = len(self.messages)
                self.messages.append(message)
                self._changed.notify_all()
            response = self.behaviour(message, number, connection) if self.behaviour else OK
            if response:
                connection.sendall(response)
                # The client closes; its end is awaited so that it gets the response.
                connection.recv(1)
        except OSError:
            pass
        finally:
            connection.close()

    @staticmethod
    def _read(connection) -> Message | None:
        """Reads one request with Content-Length; None if the connection ends before."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        method, target, version = line.split(" ")
        assert version == "HTTP/1.1"
        headers = {}
        for text in fields:
            name, _, value = text.partition(": ")
            assert name.lower() not in headers, "a field appears twice"
            headers[name.lower()] = value
        length = int(headers["content-length"])
        while len(body) < length:
            part = connection.recv(65536)
            if not part:
                return None
            body += part
        assert len(body) == length
        return Message(method, target, headers, body)
