"""Plain sockets that speak HTTP/1 byte by byte, for what a well-behaved client library will not send."""

import contextlib
import json
import select
import socket
import ssl
import struct
from dataclasses import dataclass

END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Response:
    """One response as it came over the wire; header names in lower case, repeated ones in order."""

    version: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def __getitem__(self, name: str) -> str:
        """The header's values, joined by commas; empty when it is absent."""
        return ", ".join(self.all(name))

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def json(self):
        return json.loads(self.body)


class RawConnection:
    """One connection to a server, over TLS if the server uses it (or if `tls` is true)."""

    def __init__(self, server, tls: bool | None = None, timeout: float = 20, receive_buffer: int | None = None,
                 context: ssl.SSLContext | None = None, source: str | None = None):
        """`source`: the loopback address to come from; all of 127.0.0.0/8 is this machine."""
        tls = server.secure if tls is None else tls
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(timeout)
        if source:
            plain.bind((source, 0))
        plain.connect(("127.0.0.1", server.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain
        if tls:
            context = context or ssl.create_default_context(cafile=server.ca)
            self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes so that the peer gets a reset instead of an end of stream."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data: bytes | str):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def has_bytes(self, seconds: float) -> bool:
        """Whether a read finds bytes, or the end, within `seconds`."""
        if self.buffer or isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        return bool(select.select([self.socket], [], [], seconds)[0])

    def _more(self) -> bool:
        try:
            received = self.socket.recv(65536)
        except ssl.SSLEOFError:
            received = b""
        self.buffer += received
        return bool(received)

    def _exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            assert self._more(), f"the connection ended with {self.buffer!r}"
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _through(self, end: bytes) -> bytes:
        while end not in self.buffer:
            assert self._more(), f"the connection ended with {self.buffer!r}"
        return self._exactly(self.buffer.index(end) + len(end))

    def read_head(self) -> Response:
        """The head of the next response."""
        lines = self._through(END_OF_HEAD)[:-4].decode("latin-1").split("\r\n")
        version, status = lines[0].split(" ")[:2]
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        return Response(version, int(status), headers)

    def read_response(self, head: bool = False) -> Response:
        """The next response; an interim one (1xx) comes by itself. `head`: it answers a HEAD request."""
        response = self.read_head()
        if head or response.status < 200 or response.status in (204, 304):
            return response
        return self.read_body(response)

    def read_body(self, response: Response) -> Response:
        """Reads the body of a response whose head was read."""
        if "chunked" in response["transfer-encoding"].lower():
            while size := int(self._through(b"\r\n").split(b";")[0], 16):
                response.body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
            while self._through(b"\r\n") != b"\r\n":
                pass
        elif "content-length" in response:
            response.body = self._exactly(int(response["content-length"]))
        else:
            while self._more():
                pass
            response.body, self.buffer = self.buffer, b""
        return response

    def ask(self, data: bytes | str, head: bool = False) -> Response:
        self.send(data)
        return self.read_response(head)

    def ended(self) -> bool:
        """Waits until the server closes in good order; false when bytes come first, an error when it resets."""
        return not self.buffer and not self._more()

    def gone(self) -> bool:
        """Waits until the server closes in any way; false if bytes come first."""
        try:
            return self.ended()
        except ConnectionError:
            return True


def request(target: str = "/health", method: str = "GET", headers=(), body: bytes | None = None,
            version: str = "HTTP/1.1", host: str | None = "localhost") -> bytes:
    """The bytes of a request; Content-Length is added if there is a body and no header gives its size."""
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += list(headers)
    framed = any(line.lower().startswith(("content-length:", "transfer-encoding:")) for line in lines)
    if body is not None and not framed:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


INGEST = "/api/v1/metrics/layerwise"


def ingest(body: bytes | dict, headers=(), **more) -> bytes:
    """The bytes of a POST of one payload."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    return request(INGEST, "POST", ["Content-Type: application/json", *headers], body, **more)


def chunked(body: bytes, size: int = 1000, extension: str = "", trailers=()) -> bytes:
    """The body in chunks of `size` bytes."""
    parts = []
    for start in range(0, len(body), size):
        piece = body[start:start + size]
        parts.append(f"{len(piece):x}{extension}\r\n".encode() + piece + b"\r\n")
    return b"".join([*parts, b"0\r\n", *(f"{line}\r\n".encode() for line in trailers), b"\r\n"])
