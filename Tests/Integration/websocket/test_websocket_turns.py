"""Limits on what a WebSocket client may send, and turns of bounded work."""

import contextlib
import struct
import threading
import zlib

from Support.clients.libraries import healthy, session
from Support.wire.raw_websocket import CLOSE, TEXT, RawWebSocket, frame_bytes, stays_open

COMPRESSED = 4  # RSV1, the highest of the three reserved bits
OFFER = "permessage-deflate; client_no_context_takeover"
PING = frame_bytes(TEXT, '{"action":"ping"}')
# 65 000 bytes, which are within the limit on a message's size, from some 80.
BLANKS = " " * 65_000


def compressed(text: str) -> bytes:
    """The frame of a compressed message."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
    return frame_bytes(TEXT, data.removesuffix(b"\x00\x00\xff\xff"), rsv=COMPRESSED)


class Burst:
    """Sends messages without waiting for answers, then a close frame, on a connection of its own."""

    def __init__(self, server, frame: bytes, count: int):
        self.socket = RawWebSocket(server, offer=OFFER)
        assert self.socket.read_json()["type"] == "initial_runs"
        data = frame * count + frame_bytes(CLOSE, struct.pack("!H", 1000))
        self.sender = threading.Thread(target=self.send, args=(data,), daemon=True)
        self.sender.start()

    def send(self, data: bytes):
        # The server stops reading when it closes the connection.
        with contextlib.suppress(OSError):
            self.socket.send(data)

    def result(self) -> tuple[int, int | None]:
        """The number of answers before the server's close frame, and its code."""
        answers = 0
        while (frame := self.socket.read_frame()).opcode != CLOSE:
            answers += frame.opcode == TEXT
        self.socket.close()
        self.sender.join(60)
        return answers, frame.code


def test_a_burst_of_messages_that_expand_too_much_is_closed_with_1008_at_the_first(server):
    frame = compressed(BLANKS)
    bursts = [Burst(server, frame, 1_000_000 // len(frame)) for _ in range(2)]
    assert [burst.result() for burst in bursts] == [(0, 1008)] * 2
    healthy(server)


def test_a_message_above_16_kib_may_expand_by_the_ratio_and_a_smaller_one_by_any(start_server):
    own = start_server("--ws-max-expansion-ratio", 100)
    beyond = " " * 16_385
    within = "".join("%x" % 7**i for i in range(1, 45))
    within += " " * (50 * len(compressed(within)) - len(within))
    assert len(within) > 16_384
    for text, result in [(beyond, (0, 1008)), (beyond[:-1], (1, 1000)), (within, (1, 1000))]:
        assert Burst(own, compressed(text), 1).result() == result


def test_more_messages_than_the_rate_allows_are_closed_with_1008(start_server):
    # Ten messages at once, and one more in each second of the test.
    own = start_server("--ws-max-message-rate", 1)
    bursts = [Burst(own, PING, 5_000) for _ in range(2)]
    for burst in bursts:
        answers, code = burst.result()
        assert code == 1008
        assert 10 <= answers < 2_500


def test_a_burst_within_the_rate_is_answered_whole(server):
    with RawWebSocket(server) as socket:
        socket.send(PING * 1000)
        for _ in range(1000):
            assert socket.read_until("pong") == {"type": "pong"}
        stays_open(socket)


def test_other_connections_have_their_turns_while_a_burst_expands(start_server):
    # The limits are lifted, so that the burst is handled whole.
    own = start_server("--threads", 1, "--ws-max-expansion-ratio", 100_000, "--ws-max-message-rate", 1_000_000)
    count = 4_000
    burst = Burst(own, compressed(BLANKS), count)
    result = []
    reader = threading.Thread(target=lambda: result.append(burst.result()), daemon=True)
    reader.start()
    answered = 0
    with session(own) as client:
        while reader.is_alive():
            assert client.get(own.url + "/health", timeout=600).status_code == 200
            answered += 1
    assert result == [(count, 1000)]
    # A turn ends after 128 KiB of decompressed bytes, which are two or three of the messages.
    assert answered >= 50, answered
