"""RFC 6455 on /ws: handshake, frames, fragments, control frames, UTF-8, sizes, the closing handshake."""

import json
import struct

import pytest
from Support.clients.libraries import healthy, session, wait_until
from Support.wire.raw import RawConnection, request
from Support.wire.raw_websocket import CLOSE, CONTINUATION, PING, PONG, TEXT, RawWebSocket, frame_bytes


def test_unmasked_frame_is_closed_with_1002(subscriber):
    subscriber.frame(TEXT, '{"action":"ping"}', mask=False)
    assert subscriber.read_close() == 1002
    assert subscriber.gone()


@pytest.mark.parametrize("frames", [
    [dict(opcode=3)],
    [dict(opcode=11)],
    [dict(opcode=TEXT, payload="a", rsv=4)],
    [dict(opcode=TEXT, payload="a", rsv=1)],
    [dict(opcode=CONTINUATION, payload="a")],
    [dict(opcode=TEXT, payload="a", fin=False), dict(opcode=TEXT, payload="b")],
    [dict(opcode=PING, payload=b"x" * 126)],
    [dict(opcode=PING, payload=b"x", fin=False)],
    [dict(opcode=CLOSE, payload=b"x")],
    [dict(opcode=CLOSE, payload=struct.pack("!H", 1005))],
    [dict(opcode=CLOSE, payload=struct.pack("!H", 999))],
], ids=["opcode 3", "opcode 11", "RSV1 without extension", "RSV3", "stray continuation", "message inside a message",
        "ping of 126 bytes", "ping in pieces", "close of one byte", "close 1005", "close 999"])
def test_breach_of_the_protocol_is_closed_with_1002(subscriber, frames):
    for fields in frames:
        subscriber.frame(**fields)
    assert subscriber.read_close() == 1002
    assert subscriber.gone()


@pytest.mark.parametrize("payload_bytes", [
    b"\xff", b'{"action":"\xc3\x28"}', b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"])
def test_invalid_utf8_is_closed_with_1007(subscriber, payload_bytes):
    subscriber.frame(TEXT, payload_bytes)
    assert subscriber.read_close() == 1007


def test_invalid_utf8_is_refused_before_the_message_is_whole(subscriber):
    subscriber.send(frame_bytes(TEXT, b"\xce\xba\xf4\x90\x80\x80" + b"x" * 100)[:12])
    assert subscriber.read_close() == 1007


def test_invalid_utf8_in_a_close_reason_is_closed_with_1007(subscriber):
    subscriber.frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe")
    assert subscriber.read_close() == 1007


def test_character_split_over_two_fragments_is_valid(subscriber):
    text = json.dumps({"action": "späß"}, ensure_ascii=False).encode()
    cut = text.index(b"\xc3") + 1
    subscriber.frame(TEXT, text[:cut], fin=False)
    subscriber.frame(CONTINUATION, text[cut:])
    assert "späß" in subscriber.read_until("error")["message"]


@pytest.mark.parametrize("pieces", [1, 4])
def test_oversized_message_is_closed_with_1009(subscriber, pieces):
    size = 70_000 // pieces
    for index in range(pieces):
        try:
            subscriber.frame(CONTINUATION if index else TEXT, b" " * size, fin=index == pieces - 1)
        except ConnectionError:
            break
    assert subscriber.read_close() == 1009


def test_oversized_message_is_refused_by_its_announced_length(subscriber):
    subscriber.send(b"\x81\xff" + struct.pack("!Q", 1 << 40) + b"abcd")
    assert subscriber.read_close() == 1009


def test_message_of_the_largest_size_is_read(subscriber):
    text = '{"action":"ping"}'
    subscriber.say(text + " " * (65536 - len(text)))
    assert subscriber.read_until("pong") == {"type": "pong"}


def test_fragmented_message_with_a_ping_in_between(subscriber):
    text = '{"action":"ping"}'
    subscriber.frame(TEXT, text[:5], fin=False)
    subscriber.frame(PING, b"in between")
    subscriber.frame(CONTINUATION, text[5:9], fin=False)
    subscriber.frame(CONTINUATION, b"", fin=False)
    subscriber.frame(CONTINUATION, text[9:])
    frames = [subscriber.read_frame(), subscriber.read_frame()]
    assert (frames[0].opcode, frames[0].payload) == (PONG, b"in between")
    assert json.loads(frames[1].payload) == {"type": "pong"}


def test_frames_that_arrive_byte_by_byte_are_read(subscriber):
    for byte in frame_bytes(TEXT, '{"action":"ping"}'):
        subscriber.send(bytes([byte]))
    assert subscriber.read_until("pong") == {"type": "pong"}


def test_many_messages_in_one_piece_are_answered_in_order(subscriber):
    subscriber.send(b"".join(
        frame_bytes(TEXT, json.dumps({"action": "subscribe_run", "run_id": f"none-{index}"})) for index in range(100)))
    got = [subscriber.read_until("error")["message"] for _ in range(100)]
    assert got == [f"Run 'none-{index}' not found" for index in range(100)]


def test_frames_sent_together_with_the_handshake_are_not_lost(server):
    with RawConnection(server) as socket:
        socket.send(request("/ws", headers=[
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]) + frame_bytes(TEXT, '{"action":"ping"}'))
        answer = socket.read_response()
        assert answer["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        socket.__class__ = RawWebSocket
        assert socket.read_until("pong") == {"type": "pong"}


def test_close_is_answered_with_the_same_code(subscriber):
    subscriber.frame(CLOSE, struct.pack("!H", 1000) + b"done")
    assert subscriber.read_close() == 1000
    assert subscriber.gone()


def test_subscriber_that_vanishes_is_forgotten(start_server):
    own = start_server()
    sockets = [RawWebSocket(own) for _ in range(3)]
    wait_until(lambda: healthy(own)["active_connections"] == 3)
    sockets[0].reset()
    wait_until(lambda: healthy(own)["active_connections"] == 2)
    sockets[1].frame(CLOSE, struct.pack("!H", 1001))
    wait_until(lambda: healthy(own)["active_connections"] == 1)
    sockets[2].close()
    wait_until(lambda: healthy(own)["active_connections"] == 0)


def test_get_without_upgrade_is_426(either):
    with session(either) as http:
        answer = http.get(either.url + "/ws")
    assert answer.status_code == 426
    assert answer.headers["Upgrade"].lower() == "websocket"
    assert answer.headers["Sec-WebSocket-Version"] == "13"


def test_other_version_of_websocket_is_426(server):
    with RawConnection(server) as socket:
        answer = socket.ask(request("/ws", headers=[
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 8",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
    assert answer.status == 426
    assert answer["sec-websocket-version"] == "13"


@pytest.mark.parametrize("key", ["", "short", "not base64 at all!!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
def test_bad_key_is_400(server, key):
    with RawWebSocket(server, key=key) as socket:
        assert socket.answer.status == 400


def test_upgrade_on_another_path_is_no_websocket(server):
    with RawConnection(server) as socket:
        answer = socket.ask(request("/nowhere", headers=[
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
    assert answer.status == 404
