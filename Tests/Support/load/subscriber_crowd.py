"""Thousands of subscribers over TLS in one process, each with minimal overhead."""

import base64
import select
import ssl
import struct
import threading

from ..clients.libraries import context
from ..wire.raw import request
from ..wire.raw_websocket import CLOSE, PING, PONG, TEXT, frame_bytes
from .crowd import open_socket, source
from .threads import Threads

# Less than the server's default limit of connections from one address.
PER_ADDRESS = 1000


class CrowdSubscriber:
    """One subscriber that is upgraded and has read its initial_runs. It offers no compression, to avoid inflating."""

    def __init__(self, server, address: str, tls: ssl.SSLContext | None, receive_buffer: int | None = None,
                 segment: int | None = None):
        plain = open_socket(server, address, receive_buffer, segment)
        self.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self.buffer = b""
        self.messages: list = []
        # Maps a message to the value that is recorded.
        self.keep = bytes
        self.pings = 0
        self.code: int | None = None
        token = [f"Authorization: Bearer {server.token}"] if server.token else []
        key = base64.b64encode(b"0123456789abcdef").decode()
        self.socket.sendall(request("/ws", headers=[
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            *token]))
        while b"\r\n\r\n" not in self.buffer:
            self._receive()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101"), head
        while not self.messages:
            self._take_frames()
            if not self.messages:
                self._receive()
        assert self.messages.pop().startswith(b'{"type":"initial_runs"'), self.messages

    def _receive(self):
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed a subscriber")
        self.buffer += received

    def read(self):
        """Reads all available data without blocking."""
        try:
            while True:
                self._receive()
                self._take_frames()
        except (ssl.SSLWantReadError, BlockingIOError):
            pass

    def _take_frames(self):
        data, start = self.buffer, 0
        while len(data) - start >= 2:
            opcode, size, head = data[start] & 15, data[start + 1], 2
            if size == 126:
                head, size = 4, struct.unpack_from("!H", data.ljust(start + 4, b"\0"), start + 2)[0]
            elif size == 127:
                head, size = 10, struct.unpack_from("!Q", data.ljust(start + 10, b"\0"), start + 2)[0]
            if len(data) - start < head + size:
                break
            payload = data[start + head:start + head + size]
            start += head + size
            if opcode == TEXT:
                self.messages.append(self.keep(payload))
            elif opcode == PING:
                self.pings += 1
                self.socket.send(frame_bytes(PONG, payload))
            elif opcode == CLOSE:
                self.code = struct.unpack_from("!H", payload)[0]
        self.buffer = data[start:]


class SubscriberCrowd:
    """Connects `count` subscribers. Between `listen` and `close` a thread reads their messages and answers pings."""

    def __init__(self, server, count: int, receive_buffer: int | None = None, segment: int | None = None,
                 connecting: int = 4):
        tls = context(server)
        self.members: list[CrowdSubscriber] = []
        self.ended: list[CrowdSubscriber] = []
        self._done = threading.Event()
        self._reader: threading.Thread | None = None
        self._failure: BaseException | None = None

        def connect(first: int):
            for index in range(first, count, connecting):
                self.members.append(
                    CrowdSubscriber(server, source(index // PER_ADDRESS), tls, receive_buffer, segment))

        threads = Threads()
        for first in range(connecting):
            threads.start(connect, first)
        try:
            threads.join(240)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def listen(self):
        """Starts to read on all connections."""
        for member in self.members:
            member.socket.setblocking(False)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self):
        by_descriptor = {member.socket.fileno(): member for member in self.members}
        epoll = select.epoll()
        for descriptor in by_descriptor:
            epoll.register(descriptor, select.EPOLLIN)
        try:
            # Data received with the end of the handshake is in OpenSSL's buffers, which epoll does not see.
            for member in self.members:
                member.read()
            while not self._done.is_set():
                for descriptor, _ in epoll.poll(0.1):
                    try:
                        by_descriptor[descriptor].read()
                    except OSError:
                        epoll.unregister(descriptor)
                        self.ended.append(by_descriptor.pop(descriptor))
        except BaseException as error:  # noqa: BLE001 - raised again by `all`
            self._failure = error
        finally:
            epoll.close()

    def all(self, condition) -> bool:
        """Whether the condition holds for each subscriber. Fails if the server closed one."""
        if self._failure:
            raise self._failure
        assert not self.ended, f"{len(self.ended)} subscribers were closed, the first with {self.ended[0].code}"
        return all(map(condition, self.members))

    def close(self):
        """Closes all connections."""
        self._done.set()
        if self._reader:
            self._reader.join(30)
        for member in self.members:
            member.socket.close()
        self.members.clear()


