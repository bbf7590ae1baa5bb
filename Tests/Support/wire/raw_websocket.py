"""A WebSocket client that sends any frames, valid or not (RFC 6455, RFC 7692)."""

import base64
import contextlib
import json
import os
import struct
import zlib
from dataclasses import dataclass

from .raw import RawConnection, request

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


@dataclass
class Frame:
    fin: bool
    rsv: int
    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """The status code of a close frame."""
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else None


class Ended(Exception):
    """The server closed the connection without a frame more."""


def offers(header: str) -> dict[str, str | None]:
    """The parameters of the one permessage-deflate answer in a header."""
    name, *parameters = [part.strip() for part in header.split(";")]
    assert name == "permessage-deflate", header
    read = {}
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        assert key not in read, f"{key} twice in {header}"
        read[key] = value.strip('"') or None
    return read


def inflate_within(window_bits: int, data: bytes) -> bytes:
    """Inflates one message, and fails when it reaches further back than the window: small outputs force zlib to
    look into its window instead of what it wrote last."""
    stream = zlib.decompressobj(-window_bits)
    data += b"\x00\x00\xff\xff"
    pieces = []
    while True:
        piece = stream.decompress(data, 16)
        data = stream.unconsumed_tail
        if not piece and not data:
            return b"".join(pieces)
        pieces.append(piece)


class RawWebSocket(RawConnection):
    """Connects and upgrades; `answer` is the handshake's response. Nothing is answered by itself."""

    def __init__(self, server, headers=(), offer: str | None = None, key: str | None = None, host: str = "localhost",
                 **connection):
        super().__init__(server, **connection)
        key = base64.b64encode(os.urandom(16)).decode() if key is None else key
        lines = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        if offer:
            lines.append(f"Sec-WebSocket-Extensions: {offer}")
        self.answer = self.ask(request("/ws", headers=[*lines, *headers], host=host))
        agreed = self.answer["sec-websocket-extensions"]
        self.parameters = offers(agreed) if agreed else None

    def frame(self, opcode: int, payload: bytes | str = b"", fin: bool = True, rsv: int = 0, mask: bool = True):
        self.send(frame_bytes(opcode, payload, fin, rsv, mask))

    def say(self, message: dict | str):
        self.frame(TEXT, message if isinstance(message, str) else json.dumps(message))

    def read_frame(self) -> Frame:
        while len(self.buffer) < 2:
            try:
                more = self._more()
            except ConnectionError as error:
                raise Ended from error
            if not more:
                raise Ended
        first, second = self._exactly(2)
        assert not second & 0x80, "the server masked a frame"
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._exactly(8))[0]
        return Frame(bool(first & 0x80), first >> 4 & 7, first & 15, self._exactly(size))

    def read_message(self) -> tuple[bytes, bool]:
        """The next data message's bytes as sent, and whether it is compressed; pings are answered, pongs skipped."""
        parts, compressed = [], False
        while True:
            frame = self.read_frame()
            if frame.opcode == PING:
                self.frame(PONG, frame.payload)
            elif frame.opcode == CLOSE:
                raise AssertionError(f"closed with {frame.code}: {frame.payload[2:]!r}")
            elif frame.opcode in (TEXT, CONTINUATION):
                assert (frame.opcode == CONTINUATION) == bool(parts), "a message begins inside another"
                if frame.opcode == TEXT:
                    compressed = bool(frame.rsv & 4)
                else:
                    assert not frame.rsv & 4, "RSV1 belongs to the first frame of a message alone"
                parts.append(frame.payload)
                if frame.fin:
                    return b"".join(parts), compressed

    def read_json(self):
        data, compressed = self.read_message()
        if compressed:
            assert self.parameters is not None, "compressed without having been offered"
            data = inflate_within(int(self.parameters.get("server_max_window_bits") or 15), data)
        return json.loads(data)

    def read_until(self, kind: str):
        """The next message of a type."""
        while True:
            message = self.read_json()
            if message["type"] == kind:
                return message

    def read_close(self) -> int | None:
        """Skips messages until the server's close frame; returns its status code."""
        while True:
            frame = self.read_frame()
            if frame.opcode == CLOSE:
                with contextlib.suppress(OSError):
                    self.frame(CLOSE, frame.payload[:2])
                return frame.code


def frame_bytes(opcode: int, payload: bytes | str = b"", fin: bool = True, rsv: int = 0, mask: bool = True) -> bytes:
    data = payload.encode() if isinstance(payload, str) else payload
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if len(data) < 126:
        head += bytes([bit | len(data)])
    elif len(data) < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", len(data))
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", len(data))
    if not mask:
        return head + data
    key = os.urandom(4)
    stream = key * (len(data) // 4 + 1)
    masked = (int.from_bytes(data, "big") ^ int.from_bytes(stream[:len(data)], "big")).to_bytes(len(data), "big")
    return head + key + masked


def stays_open(socket: RawWebSocket):
    """Fails unless the server still answers on this connection."""
    socket.say({"action": "ping"})
    assert socket.read_until("pong") == {"type": "pong"}
