"""Section 4 of the contract: the messages on /ws, and RFC 6455 under them."""

import asyncio
import json
import signal
import struct

import aiohttp
import pytest
import requests
from support.clients import context, healthy, post, post_steps, receive, session, subscribe, wait_until
from support.payloads import payload, run_id, served
from support.raw import RawConnection, request
from support.raw_websocket import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Ended, RawWebSocket, frame_bytes)
from websockets.exceptions import ConnectionClosed, InvalidStatus

LITE_KEYS = ["layer_id", "layer_type", "depth_index", "intermediate_features", "gradient_flow"]


@pytest.fixture(params=["plain", "secure"])
def either(request):
    """The shared server over plain HTTP, then the one over HTTPS."""
    return request.getfixturevalue("server" if request.param == "plain" else "secure_server")


@pytest.fixture
def client(server):
    with session(server) as made:
        yield made


@pytest.fixture
def raw(server):
    """A frame-by-frame subscriber that has had its initial_runs."""
    with RawWebSocket(server) as socket:
        assert socket.answer.status == 101
        assert socket.read_json()["type"] == "initial_runs"
        yield socket


def stays_open(socket: RawWebSocket):
    socket.say({"action": "ping"})
    assert socket.read_until("pong") == {"type": "pong"}


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_first_message_is_the_listing_of_runs(either, compression):
    run = run_id()
    with session(either) as http:
        post_steps(http, either, run, [3, 8])
        listing = http.get(either.url + "/api/v1/runs").json()
        with subscribe(either, compression) as socket:
            first = json.loads(socket.recv(timeout=20))
    assert list(first) == ["type", "data"]
    assert first["type"] == "initial_runs"
    assert first["data"][run] == listing[run]
    assert first["data"][run]["step_count"] == 2
    assert first["data"][run]["latest_step"] == 8
    assert list(first["data"]) == list(listing)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_every_stored_step_is_sent_as_it_is_served(either, compression):
    run = run_id()
    with session(either) as http, subscribe(either, compression) as socket:
        for body in post_steps(http, either, run, [5, 1, 5, 9]):
            message = receive(socket, "new_metrics", run)
            assert message["data"] == served(body)
            assert list(message["data"]) == list(served(body))
            assert list(message)[:2] == ["type", "run_id"]


def test_step_that_is_too_low_to_be_kept_is_broadcast_all_the_same(start_server):
    small = start_server("--max-steps-per-run", 10)
    with session(small) as http, subscribe(small) as socket:
        post_steps(http, small, "full", range(100, 110))
        late = post_steps(http, small, "full", [7])[0]
        steps = [receive(socket, "new_metrics")["data"] for _ in range(11)]
        assert steps[-1] == served(late)
        kept = http.get(small.url + "/api/v1/runs/full").json()["steps"]
        assert [step["step"] for step in kept] == list(range(100, 110))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_subscribe_run_sends_the_whole_history(either, compression):
    run = run_id()
    with session(either) as http, subscribe(either, compression) as socket:
        posted = post_steps(http, either, run, [4, 2, 6])
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
        message = receive(socket, "run_history")
        assert message["run_id"] == run
        assert message["data"] == http.get(f"{either.url}/api/v1/runs/{run}").json()
        assert message["data"]["steps"] == [served(posted[index]) for index in (1, 0, 2)]
        assert list(message["data"])[:2] == ["created_at", "last_update"]


def test_lite_history_has_exactly_the_keys_of_the_contract(server, client):
    run = run_id()
    posted = post_steps(client, server, run, [0, 1], layers=3)
    with subscribe(server) as socket:
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run, "lite": True}))
        steps = receive(socket, "run_history", run)["data"]["steps"]
    for step, body in zip(steps, posted, strict=True):
        whole = served(body)
        for layer, full in zip(step["layers"], whole["layers"], strict=True):
            assert list(layer) == LITE_KEYS
            features, flow = full["intermediate_features"], full["gradient_flow"]
            assert layer["intermediate_features"] == {
                "activation_std": features["activation_std"],
                "cross_layer_std_ratio": features["cross_layer_std_ratio"]}
            assert layer["gradient_flow"] == {
                "gradient_l2_norm": flow["gradient_l2_norm"], "gradient_max_abs": flow["gradient_max_abs"]}
            assert [layer[key] for key in LITE_KEYS[:3]] == [full[key] for key in LITE_KEYS[:3]]
        assert {key: value for key, value in step.items() if key != "layers"} == {
            key: value for key, value in whole.items() if key != "layers"}


def test_lite_false_is_the_full_history(server, client):
    run = run_id()
    body = post_steps(client, server, run, [1])[0]
    with subscribe(server) as socket:
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run, "lite": False}))
        assert receive(socket, "run_history", run)["data"]["steps"] == [served(body)]


@pytest.mark.parametrize("run", ["nowhere", "", "a'b", 'q"uote', "späß/☃", "x" * 600])
def test_unknown_run_is_named_in_the_error(raw, run):
    raw.say({"action": "subscribe_run", "run_id": run})
    assert raw.read_until("error") == {"type": "error", "message": f"Run '{run}' not found"}
    stays_open(raw)


def test_run_id_with_slash_quote_and_umlaut_can_be_subscribed(server, client):
    run = run_id("exp/1 'ä\"☃")
    body = post_steps(client, server, run, [1])[0]
    with subscribe(server) as socket:
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
        assert receive(socket, "run_history", run)["data"]["steps"] == [served(body)]


def test_ping_is_answered_with_pong(raw):
    raw.say({"action": "ping"})
    assert raw.read_until("pong") == {"type": "pong"}


@pytest.mark.parametrize("text", ["", "hello", "{", '{"action":', "{'action':'ping'}", '{"action":"ping"} x', "[1,]"])
def test_text_that_is_no_json_gets_the_contract_error_and_stays_open(raw, text):
    raw.say(text)
    assert raw.read_until("error") == {"type": "error", "message": "Invalid JSON format"}
    stays_open(raw)


@pytest.mark.parametrize("text", [
    "[]", "1", '"ping"', "null", "true", "{}", '{"action":null}', '{"action":7}', '{"action":"dance"}',
    '{"run_id":"a"}', '{"action":"subscribe_run"}', '{"action":"subscribe_run","run_id":7}',
    '{"action":"subscribe_run","run_id":null}',
    '{"action":"subscribe_run","run_id":["a"]}'])
def test_message_that_makes_no_sense_gets_an_error_and_stays_open(raw, text):
    raw.say(text)
    message = raw.read_until("error")
    assert list(message) == ["type", "message"]
    assert message["message"] not in ("", "Invalid JSON format")
    stays_open(raw)


def test_error_names_the_unknown_action(raw):
    raw.say({"action": "dance"})
    assert "dance" in raw.read_until("error")["message"]


def test_unknown_fields_are_ignored(raw):
    raw.say({"action": "ping", "more": [1, {"a": None}]})
    assert raw.read_until("pong") == {"type": "pong"}


def test_binary_message_is_closed_with_1003(raw):
    raw.frame(BINARY, b"{}")
    assert raw.read_close() == 1003
    assert raw.gone()


def test_unmasked_frame_is_closed_with_1002(raw):
    raw.frame(TEXT, '{"action":"ping"}', mask=False)
    assert raw.read_close() == 1002
    assert raw.gone()


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
def test_breach_of_the_protocol_is_closed_with_1002(raw, frames):
    for fields in frames:
        raw.frame(**fields)
    assert raw.read_close() == 1002
    assert raw.gone()


@pytest.mark.parametrize("payload_bytes", [
    b"\xff", b'{"action":"\xc3\x28"}', b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"])
def test_invalid_utf8_is_closed_with_1007(raw, payload_bytes):
    raw.frame(TEXT, payload_bytes)
    assert raw.read_close() == 1007


def test_invalid_utf8_is_refused_before_the_message_is_whole(raw):
    raw.send(frame_bytes(TEXT, b"\xce\xba\xf4\x90\x80\x80" + b"x" * 100)[:12])
    assert raw.read_close() == 1007


def test_invalid_utf8_in_a_close_reason_is_closed_with_1007(raw):
    raw.frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe")
    assert raw.read_close() == 1007


def test_character_split_over_two_fragments_is_valid(raw):
    text = json.dumps({"action": "späß"}, ensure_ascii=False).encode()
    cut = text.index(b"\xc3") + 1
    raw.frame(TEXT, text[:cut], fin=False)
    raw.frame(CONTINUATION, text[cut:])
    assert "späß" in raw.read_until("error")["message"]


@pytest.mark.parametrize("pieces", [1, 4])
def test_oversized_message_is_closed_with_1009(raw, pieces):
    size = 70_000 // pieces
    for index in range(pieces):
        try:
            raw.frame(CONTINUATION if index else TEXT, b" " * size, fin=index == pieces - 1)
        except ConnectionError:
            break
    assert raw.read_close() == 1009


def test_oversized_message_is_refused_by_its_announced_length(raw):
    raw.send(b"\x81\xff" + struct.pack("!Q", 1 << 40) + b"abcd")
    assert raw.read_close() == 1009


def test_message_of_the_largest_size_is_read(raw):
    text = '{"action":"ping"}'
    raw.say(text + " " * (65536 - len(text)))
    assert raw.read_until("pong") == {"type": "pong"}


def test_fragmented_message_with_a_ping_in_between(raw):
    text = '{"action":"ping"}'
    raw.frame(TEXT, text[:5], fin=False)
    raw.frame(PING, b"in between")
    raw.frame(CONTINUATION, text[5:9], fin=False)
    raw.frame(CONTINUATION, b"", fin=False)
    raw.frame(CONTINUATION, text[9:])
    frames = [raw.read_frame(), raw.read_frame()]
    assert (frames[0].opcode, frames[0].payload) == (PONG, b"in between")
    assert json.loads(frames[1].payload) == {"type": "pong"}


def test_frames_that_arrive_byte_by_byte_are_read(raw):
    for byte in frame_bytes(TEXT, '{"action":"ping"}'):
        raw.send(bytes([byte]))
    assert raw.read_until("pong") == {"type": "pong"}


def test_many_messages_in_one_piece_are_answered_in_order(raw):
    raw.send(b"".join(
        frame_bytes(TEXT, json.dumps({"action": "subscribe_run", "run_id": f"none-{index}"})) for index in range(100)))
    got = [raw.read_until("error")["message"] for _ in range(100)]
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


def test_close_is_answered_with_the_same_code(raw):
    raw.frame(CLOSE, struct.pack("!H", 1000) + b"done")
    assert raw.read_close() == 1000
    assert raw.gone()


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


@pytest.mark.parametrize("compress", [0, 15])
def test_aiohttp_client_gets_history_and_steps(either, compress):
    run = run_id()
    with session(either) as http:
        before = post_steps(http, either, run, [1])[0]

        async def watch():
            headers = {"Authorization": f"Bearer {either.token}"} if either.token else {}
            options = {"ssl": context(either) or True, "compress": compress, "max_msg_size": 0}
            async with (
                aiohttp.ClientSession(headers=headers) as client,
                client.ws_connect(either.ws_url, **options) as socket,
            ):
                async def next_of(kind):
                    async with asyncio.timeout(30):
                        while True:
                            message = await socket.receive_json()
                            if message["type"] == kind:
                                return message

                assert (await next_of("initial_runs"))["data"][run]["latest_step"] == 1
                await socket.send_json({"action": "subscribe_run", "run_id": run})
                assert (await next_of("run_history"))["data"]["steps"] == [served(before)]
                after = (await asyncio.to_thread(post_steps, http, either, run, [2]))[0]
                assert (await next_of("new_metrics"))["data"] == served(after)
            assert socket.close_code == 1000

        asyncio.run(watch())


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_history_of_several_megabytes_arrives_whole(either, compression):
    run = run_id()
    with session(either) as http, subscribe(either, compression) as socket:
        posted = post_steps(http, either, run, range(120), layers=50)
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
        message = receive(socket, "run_history", run)
        assert message["data"]["steps"] == [served(body) for body in posted]
        assert len(json.dumps(message)) > 2_000_000


def test_server_pings_and_a_client_that_answers_stays(start_server):
    own = start_server("--ws-ping-interval", "0.2", "--ws-pong-timeout", "5")
    with RawWebSocket(own) as socket:
        pings = 0
        while pings < 8:
            frame = socket.read_frame()
            if frame.opcode == PING:
                pings += 1
                socket.frame(PONG, frame.payload)
        stays_open(socket)


def test_client_that_answers_no_ping_is_dropped_silently(start_server):
    own = start_server("--ws-ping-interval", "0.2", "--ws-pong-timeout", "0.5")
    with session(own) as http, subscribe(own) as other, RawWebSocket(own) as mute:
        assert receive(other)["type"] == "initial_runs"
        wait_until(lambda: healthy(own)["active_connections"] == 2)
        seen = set()
        with pytest.raises(Ended):
            while True:
                seen.add(mute.read_frame().opcode)
        assert PING in seen
        wait_until(lambda: healthy(own)["active_connections"] == 1)
        body = post_steps(http, own, "after", [1])[0]
        assert receive(other)["data"] == served(body)


def test_subscribers_are_closed_with_1001_at_shutdown(start_server):
    own = start_server()
    with subscribe(own) as first, subscribe(own, None) as second, RawWebSocket(own) as third:
        for socket in (first, second):
            assert receive(socket)["type"] == "initial_runs"
        own.signal(signal.SIGTERM)
        for socket in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                receive(socket, "never")
            assert closed.value.rcvd.code == 1001
        assert third.read_close() == 1001
    assert own.stop() == 0


def test_subscriber_beyond_the_limit_is_refused_until_one_leaves(start_server):
    own = start_server("--max-subscribers", 2)
    with subscribe(own) as first:
        with subscribe(own) as second:
            assert receive(second)["type"] == "initial_runs"
            with pytest.raises(InvalidStatus) as refused, subscribe(own):
                pass
            assert refused.value.response.status_code == 503
            assert healthy(own)["active_connections"] == 2

        def free_again():
            try:
                with subscribe(own) as third:
                    return receive(third)["type"] == "initial_runs"
            except InvalidStatus:
                return False

        wait_until(free_again)
        assert receive(first)["type"] == "initial_runs"


def test_post_before_a_get_or_read_is_seen_by_it(server, client):
    run = run_id()
    with subscribe(server) as socket:
        assert receive(socket)["type"] == "initial_runs"
        for step in range(20):
            assert post(client, server, payload(run, step)).status_code == 202
            assert requests.get(f"{server.url}/api/v1/runs/{run}/latest", timeout=20).json()["step"] == step
            socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
            assert receive(socket, "run_history", run)["data"]["steps"][-1]["step"] == step
