"""The messages on /ws."""

import asyncio
import json

import aiohttp
import pytest
import requests
from Support.clients.libraries import (context, healthy, post, post_steps, receive, run_async, session, subscribe,
                                       wait_until)
from Support.payloads import payload, run_id, served
from Support.wire.raw_websocket import BINARY, PING, PONG, Ended, RawWebSocket, stays_open

LITE_KEYS = ["layer_id", "layer_type", "depth_index", "intermediate_features", "gradient_flow"]


@pytest.fixture
def client(server):
    with session(server) as made:
        yield made


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
        assert receive(socket)["type"] == "initial_runs"
        for body in post_steps(http, either, run, [5, 1, 5, 9]):
            message = receive(socket, "new_metrics", run)
            assert message["data"] == served(body)
            assert list(message["data"]) == list(served(body))
            assert list(message)[:2] == ["type", "run_id"]


def test_step_that_is_too_low_to_be_kept_is_broadcast_all_the_same(start_server):
    small = start_server("--max-steps-per-run", 10)
    with session(small) as http, subscribe(small) as socket:
        assert receive(socket)["type"] == "initial_runs"
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
def test_unknown_run_is_named_in_the_error(subscriber, run):
    subscriber.say({"action": "subscribe_run", "run_id": run})
    assert subscriber.read_until("error") == {"type": "error", "message": f"Run '{run}' not found"}
    stays_open(subscriber)


def test_run_id_with_slash_quote_and_umlaut_can_be_subscribed(server, client):
    run = run_id("exp/1 'ä\"☃")
    body = post_steps(client, server, run, [1])[0]
    with subscribe(server) as socket:
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
        assert receive(socket, "run_history", run)["data"]["steps"] == [served(body)]


def test_ping_is_answered_with_pong(subscriber):
    subscriber.say({"action": "ping"})
    assert subscriber.read_until("pong") == {"type": "pong"}


@pytest.mark.parametrize("text", ["", "hello", "{", '{"action":', "{'action':'ping'}", '{"action":"ping"} x', "[1,]"])
def test_text_that_is_no_json_gets_the_contract_error_and_stays_open(subscriber, text):
    subscriber.say(text)
    assert subscriber.read_until("error") == {"type": "error", "message": "Invalid JSON format"}
    stays_open(subscriber)


@pytest.mark.parametrize("text", [
    "[]", "1", '"ping"', "null", "true", "{}", '{"action":null}', '{"action":7}', '{"action":"dance"}',
    '{"run_id":"a"}', '{"action":"subscribe_run"}', '{"action":"subscribe_run","run_id":7}',
    '{"action":"subscribe_run","run_id":null}',
    '{"action":"subscribe_run","run_id":["a"]}'])
def test_message_that_makes_no_sense_gets_an_error_and_stays_open(subscriber, text):
    subscriber.say(text)
    message = subscriber.read_until("error")
    assert list(message) == ["type", "message"]
    assert message["message"] not in ("", "Invalid JSON format")
    stays_open(subscriber)


def test_error_names_the_unknown_action(subscriber):
    subscriber.say({"action": "dance"})
    assert "dance" in subscriber.read_until("error")["message"]


def test_unknown_fields_are_ignored(subscriber):
    subscriber.say({"action": "ping", "more": [1, {"a": None}]})
    assert subscriber.read_until("pong") == {"type": "pong"}


def test_binary_message_is_closed_with_1003(subscriber):
    subscriber.frame(BINARY, b"{}")
    assert subscriber.read_close() == 1003
    assert subscriber.gone()


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

        run_async(watch())


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_history_of_several_megabytes_arrives_whole(either, compression):
    run = run_id()
    with session(either) as http, subscribe(either, compression) as socket:
        posted = post_steps(http, either, run, range(120), layers=50)
        socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
        message = receive(socket, "run_history", run)
        assert message["data"]["steps"] == [served(body) for body in posted]
        assert len(json.dumps(message)) > 2_000_000


# Timeouts longer than, shorter than and equal to the ping interval. The next ping must not wait for the timeout of the
# previous one. With equal values (the default), the timeout of an answered ping is due together with the next ping.
@pytest.mark.parametrize("timeout", ["60", "0.2", "0.4"])
def test_server_pings_and_a_client_that_answers_stays(start_server, timeout):
    own = start_server("--ws-ping-interval", "0.2", "--ws-pong-timeout", timeout)
    with RawWebSocket(own, timeout=20) as socket:
        pings = 0
        while pings < 15:
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


def test_post_before_a_get_or_read_is_seen_by_it(server, client):
    run = run_id()
    with subscribe(server) as socket:
        assert receive(socket)["type"] == "initial_runs"
        for step in range(20):
            assert post(client, server, payload(run, step)).status_code == 202
            assert requests.get(f"{server.url}/api/v1/runs/{run}/latest", timeout=20).json()["step"] == step
            socket.send(json.dumps({"action": "subscribe_run", "run_id": run}))
            assert receive(socket, "run_history", run)["data"]["steps"][-1]["step"] == step
