"""Thousands of plain connections at once, from several loopback addresses."""

import contextlib
import resource
import select
import socket
import ssl
import time

# linux/in.h: the port is chosen at connect, so that one address can have as many connections as there are ports.
IP_BIND_ADDRESS_NO_PORT = 24
# Descriptors that the test itself and what it runs beside a crowd need.
SPARE_DESCRIPTORS = 500


def make_room_for(count: int):
    """Raises the limit of open files, which servers that are started later inherit, until a crowd of so many fits;
    fails where the system doesn't allow that, since fewer would test something else."""
    wanted = count + SPARE_DESCRIPTORS
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Whoever may raise the hard limit does.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted), max(hard, wanted)))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard >= wanted, (
        f"{count} connections need {wanted} open files in a process, and this system allows {hard}: "
        f"raise the hard limit, as root by `prlimit --pid $$ --nofile={wanted}`, and run the test again")


def source(index: int) -> str:
    """The loopback address with this index: 127.0.1.1, 127.0.1.2, ..., apart from that of ordinary clients."""
    high, low = divmod(index, 250)
    return f"127.0.{high + 1}.{low + 1}"


def open_socket(server, address: str, receive_buffer: int | None = None, segment: int | None = None,
                timeout: float = 60) -> socket.socket:
    """Connects from a loopback address. `segment`: the largest TCP segment, as on a real network; the kernel sizes
    its buffers by it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(timeout)
    made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if segment:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
    made.bind((address, 0))
    made.connect(("127.0.0.1", server.port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def client_hello() -> bytes:
    """The first flight of a TLS handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    hello = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read()


# A deadline against hanging: on a busy machine a connection may be found open this many seconds after the server's own.
LATE = 60


class Unfinished:
    """Connections on which little or nothing is sent, until the server closes them."""

    def __init__(self, server, count: int, addresses: int = 4):
        self._epoll = select.epoll()
        self._open: dict[int, tuple[int, socket.socket]] = {}
        self.opened = [0.0] * count
        # Seconds that each was open.
        self.lasted: list[float | None] = [None] * count
        # What each got before its end.
        self.received = [b""] * count
        for index in range(count):
            self.opened[index] = time.monotonic()
            connection = open_socket(server, source(index % addresses))
            connection.setblocking(False)
            self._open[connection.fileno()] = (index, connection)
            self._epoll.register(connection.fileno(), select.EPOLLIN)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _, connection in self._open.values():
            connection.close()
        self._open.clear()
        self._epoll.close()

    def __len__(self):
        return len(self._open)

    def send(self, data):
        """Sends `data(index)` on each that is open; what the server has just closed takes nothing."""
        for index, connection in list(self._open.values()):
            with contextlib.suppress(OSError):
                connection.send(data(index))

    def watch(self, seconds: float):
        """Notes for so long what comes and who is closed."""
        until = time.monotonic() + seconds
        while self._open and (left := until - time.monotonic()) > 0:
            for descriptor, _ in self._epoll.poll(left):
                self._read(descriptor)

    def watch_until_all_are_closed(self, deadline: float, every_second=None):
        """Lets time pass until the server has closed all; each must have lasted for its deadline.
        `every_second` is called with the number of the second."""
        second = 0
        while len(self) and second < deadline + LATE:
            if every_second:
                every_second(second)
            self.watch(1)
            second += 1
        assert len(self) == 0, f"{len(self)} connections are still open"
        assert min(self.lasted) >= deadline
        assert max(self.lasted) <= deadline + LATE

    def _read(self, descriptor: int):
        index, connection = self._open[descriptor]
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.received[index] += data
        if not data:
            self.lasted[index] = time.monotonic() - self.opened[index]
            self._epoll.unregister(descriptor)
            del self._open[descriptor]
            connection.close()
