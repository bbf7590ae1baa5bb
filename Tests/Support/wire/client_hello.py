"""TLS hellos made by hand, for what no TLS library will say, and what the server answers to them."""

import secrets
import struct
from dataclasses import dataclass, field

from .raw import RawConnection
from .tls_wire import ALERT, HANDSHAKE, record

SSL3, TLS1_0, TLS1_1, TLS1_2, TLS1_3 = range(0x0300, 0x0305)
SERVER_NAME, ALPN, HEARTBEAT, EARLY_DATA, SUPPORTED_VERSIONS, KEY_SHARE = 0, 16, 15, 42, 43, 51

# ECDHE with AES-GCM, for ECDSA and RSA; the three of TLS 1.3; an old one with CBC.
SUITES = (0xC02B, 0xC02C, 0xC02F, 0x1301, 0x1302, 0x1303, 0xC009)


def _sized(data: bytes, bytes_of_size: int = 2) -> bytes:
    return len(data).to_bytes(bytes_of_size, "big") + data


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!H", kind) + _sized(body)


def server_names(*names: bytes, kind: int = 0) -> bytes:
    """RFC 6066 §3; kind 0 is a host name, nothing else is known."""
    return extension(SERVER_NAME, _sized(b"".join(bytes([kind]) + _sized(name) for name in names)))


def protocols(*names: bytes) -> bytes:
    """RFC 7301 §3.1."""
    return extension(ALPN, _sized(b"".join(_sized(name, 1) for name in names)))


def client_hello(version: int = TLS1_2, extensions: bytes = b"", compressions: bytes = b"\0", suites=SUITES,
                 modern: bool = False) -> bytes:
    """A ClientHello in one record (RFC 5246 §7.4.1.2); `modern` offers TLS 1.3, with a key for X25519."""
    extensions += extension(10, _sized(struct.pack("!3H", 29, 23, 24)))
    extensions += extension(11, b"\1\0")
    extensions += extension(13, _sized(struct.pack("!4H", 0x0403, 0x0804, 0x0401, 0x0503)))
    if modern:
        extensions += extension(SUPPORTED_VERSIONS, _sized(struct.pack("!2H", TLS1_3, TLS1_2), 1))
        extensions += extension(KEY_SHARE, _sized(struct.pack("!H", 29) + _sized(secrets.token_bytes(32))))
    body = struct.pack("!H", version) + secrets.token_bytes(32) + _sized(secrets.token_bytes(32), 1)
    body += _sized(struct.pack(f"!{len(suites)}H", *suites)) + _sized(compressions, 1) + _sized(extensions)
    return record(HANDSHAKE, b"\1" + _sized(body, 3), min(version, TLS1_0))


@dataclass
class Answer:
    """The server's first message: an alert or a ServerHello."""

    alert: tuple[int, int] | None = None
    version: int | None = None
    suite: int | None = None
    compression: int | None = None
    extensions: dict[int, bytes] = field(default_factory=dict)


def answer_to(server, data: bytes) -> Answer:
    """Sends bytes over a connection of their own; fails if the server sends nothing."""
    with RawConnection(server, tls=False) as connection:
        connection.send(data)
        return read_answer(connection)


def read_answer(connection: RawConnection) -> Answer:
    kind, _, length = struct.unpack("!BHH", connection._exactly(5))
    body = connection._exactly(length)
    if kind == ALERT:
        return Answer(alert=(body[0], body[1]))
    assert (kind, body[0]) == (HANDSHAKE, 2), body
    body = body[4:4 + int.from_bytes(body[1:4], "big")]
    version, rest = int.from_bytes(body[:2], "big"), body[34:]
    rest = rest[1 + rest[0]:]
    suite, compression, rest = int.from_bytes(rest[:2], "big"), rest[2], rest[5:]
    extensions = {}
    while rest:
        kind, length = struct.unpack("!HH", rest[:4])
        extensions[kind], rest = rest[4:4 + length], rest[4 + length:]
    return Answer(version=version, suite=suite, compression=compression, extensions=extensions)
