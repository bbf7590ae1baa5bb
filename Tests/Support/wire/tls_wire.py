"""A TLS client whose records pass through the test's hands, so that they can be cut, spoilt, held back and counted."""

import contextlib
import socket
import ssl
import struct

from .raw import RawConnection

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = range(20, 25)
WARNING, FATAL = 1, 2


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """One record in its form on the wire (RFC 8446 §5.1)."""
    return struct.pack("!BHH", kind, version, len(body)) + body


def split_records(data: bytes) -> list[bytes]:
    """The records of a stream of whole ones, headers included."""
    records = []
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        assert len(data) >= end, data
        records.append(data[:end])
        data = data[end:]
    return records


class TLSWire(RawConnection):
    """A client like `RawConnection` that encrypts into memory: `encrypt` gives records, `transmit` sends any bytes.

    It reads on after its own `close_notify`, which Python's sockets do not. `session` resumes an earlier one.
    """

    def __init__(self, server, context: ssl.SSLContext | None = None, session=None, **options):
        super().__init__(server, tls=False, **options)
        context = context or ssl.create_default_context(cafile=server.ca)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost", session=session)

    def outgoing(self) -> bytes:
        """What the client has to send and has not been sent."""
        return self._outgoing.read()

    def transmit(self, data: bytes):
        """Sends bytes as they are."""
        # Sending zero bytes also fails if the output was shut.
        if data:
            self.socket.sendall(data)

    def transmit_in_pieces(self, data: bytes, size: int):
        """Sends bytes so many at a time, each in a write of its own."""
        for start in range(0, len(data), size):
            self.transmit(data[start:start + size])

    def _fetch(self) -> bool:
        """Takes what the server sent; false at the end of TCP."""
        data = self.socket.recv(65536)
        self._incoming.write(data) if data else self._incoming.write_eof()
        return bool(data)

    def _through_tls(self, step):
        """Does a step that may need bytes from the server."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.transmit(self.outgoing())
                self._fetch()

    def shake_hands(self, pieces: int | None = None):
        """The handshake to its end; the client's bytes go out so many at a time, if given."""
        self._send(self._last_flight(pieces), pieces)
        return self

    def shake_hands_but_for_the_end(self) -> bytes:
        """The handshake up to the client's last bytes, which are returned and not sent. For TLS 1.3."""
        return self._last_flight(None)

    def _last_flight(self, pieces: int | None) -> bytes:
        while True:
            try:
                self.tls.do_handshake()
                return self.outgoing()
            except ssl.SSLWantReadError:
                self._send(self.outgoing(), pieces)
                self._fetch()
            except ssl.SSLError:
                # The client's own alert.
                self.transmit(self.outgoing())
                raise

    def _send(self, data: bytes, pieces: int | None):
        self.transmit_in_pieces(data, pieces) if pieces else self.transmit(data)

    def encrypt(self, data: bytes) -> bytes:
        """The records that carry these bytes."""
        self.tls.write(data)
        return self.outgoing()

    def close_notify(self) -> bytes:
        """The client's `close_notify`, as a record."""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLSyscallError):
            self.tls.unwrap()
        return self.outgoing()

    def shut_output(self):
        """The end of TCP on the client's side."""
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes | str):
        self.transmit(self.encrypt(data.encode() if isinstance(data, str) else data))

    def _more(self) -> bool:
        try:
            received = self._through_tls(lambda: self.tls.read(65536))
        except ssl.SSLZeroReturnError:
            received = b""
        self.buffer += received
        return bool(received)

    def drain(self):
        """Discards all input until TCP ends in any way."""
        with contextlib.suppress(ConnectionError):
            while self.socket.recv(65536):
                pass

    def alert(self) -> str:
        """Reads on until the server's alert and returns its name; fails when the connection ends without one."""
        try:
            while True:
                if not self.tls.version():
                    self.shake_hands()
                elif not self._more():
                    return "CLOSE_NOTIFY"
        except ssl.SSLEOFError:
            raise AssertionError("the connection ended without an alert") from None
        except ssl.SSLError as error:
            return error.reason
