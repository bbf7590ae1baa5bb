"""Limits on what one WebSocket client may send, and the turns of others meanwhile."""

import contextlib
import threading
import zlib

from Support.clients.libraries import session
from Support.wire.raw_websocket import TEXT, RawWebSocket, frame_bytes, stays_open

COMPRESSED = 4  # RSV1, the highest of the three reserved bits


def burst(text: str, size: int) -> bytes:
    """Frames of one compressed message, repeated up to `size` bytes."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
    frame = frame_bytes(TEXT, data.removesuffix(b"\x00\x00\xff\xff"), rsv=COMPRESSED)
    return frame * (size // len(frame))


def closed_meanwhile(server, bursts) -> list[int]:
    """Sends each burst on a connection of its own, then asks for `/health` ten times; the close codes."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(RawWebSocket(server, offer="permessage-deflate; client_no_context_takeover"))
            for _ in bursts]
        senders = []
        for socket, data in zip(sockets, bursts, strict=True):
            senders.append(threading.Thread(target=send_all, args=(socket, data), daemon=True))
            senders[-1].start()
        with session(server) as client:
            assert sum(client.get(server.url + "/health").status_code == 200 for _ in range(10)) == 10
        codes = [socket.read_close() for socket in sockets]
    for sender in senders:
        sender.join(60)
    return codes


def send_all(socket, data: bytes):
    with contextlib.suppress(OSError):
        socket.send(data)


def test_a_burst_of_messages_that_inflate_to_much_is_closed_with_1008_while_others_are_answered(server):
    # 65 000 bytes are within the limit on a message's size.
    assert closed_meanwhile(server, [burst(" " * 65_000, 1_000_000)] * 2) == [1008, 1008]


def test_more_messages_than_the_rate_allows_are_closed_with_1008_while_others_are_answered(server):
    assert closed_meanwhile(server, [burst('{"action":"ping"}', 100_000)] * 2) == [1008, 1008]


def test_a_burst_within_the_rate_is_answered_whole(server):
    with RawWebSocket(server) as socket:
        socket.send(frame_bytes(TEXT, '{"action":"ping"}') * 1000)
        for _ in range(1000):
            assert socket.read_until("pong") == {"type": "pong"}
        stays_open(socket)
