"""What a connection to /ws gets: without asking, and after `watch`."""

import contextlib
import threading

import pytest
from Support.clients.ingest import accept, kept_steps
from Support.clients.live import DEFLATE, STEPS, LiveSocket
from Support.clients.openwire import EXAMPLE, accept_lines, accept_steps, read_steps
from Support.clients.runs import path, put, send
from Support.payloads import payload, run_id

LITE_LAYER = ["layer_id", "layer_type", "depth_index", "intermediate_features", "gradient_flow"]


def step(number: int, **more) -> dict:
    return {"step": number, "time": number + 1, "scalars": {"loss": number / 4},
            "layers": [{"id": "a.b", "type": "T", "depth": 0}, "c"],
            "metrics": {"activation_std": [number, None], "update_ratio": [None, "NaN"]},
            "vectors": {"v": {"c": [number]}, "w": {"c": [1]}}, **more}


def alert(server, run: str, **more):
    response = send(server, "POST", path(run) + "/alerts", {"title": "t", **more})
    assert response.status_code == 202, response.text


def summary(messages: list[dict]) -> list[tuple]:
    return [(message["type"], message["run_id"]) for message in messages]


# A connection that asks for nothing

def test_a_plain_connection_gets_the_messages_of_v1_only(server):
    run = run_id("plain")
    with LiveSocket(server) as socket:
        put(server, run, {"name": "n"}, 201)
        accept_steps(server, run, EXAMPLE)
        alert(server, run)
        put(server, run, {"state": "finished"})
        nested, = kept_steps(server, run)
        put(server, run, {"resume_from": 0})
        send(server, "DELETE", path(run))
        new, deleted = socket.arrived(run)
    assert list(new) == ["type", "run_id", "data", "seq"]
    assert new == {"type": "new_metrics", "run_id": run, "data": nested, "seq": 1}
    assert deleted == {"type": "run_deleted", "run_id": run, "reason": "deleted"}


def test_the_listing_and_a_plain_history_have_last_seq(server):
    run, other = run_id("listed"), run_id("other")
    accept_steps(server, run, step(3), step(1))
    with LiveSocket(server) as socket:
        entry = socket.initial["data"][run]
        assert (entry["step_count"], entry["latest_step"], entry["last_seq"]) == (2, 3, 2)
        assert list(entry)[-1] == "last_seq"
        history = socket.history(run)
        assert list(history) == ["type", "run_id", "data"]
        assert list(history["data"]) == ["created_at", "last_update", "steps", "last_seq"]
        assert history["data"]["steps"] == kept_steps(server, run) and history["data"]["last_seq"] == 2
        # A plain subscription changes nothing of what follows.
        accept_steps(server, run, step(4))
        accept_steps(server, other, step(4))
        put(server, run, {"resume_from": 2})
        assert summary(socket.arrived(run, other)) == [("new_metrics", run), ("new_metrics", other)]


# Forms

@pytest.mark.parametrize("offer", [None, DEFLATE])
@pytest.mark.parametrize("form", ["full", "lite", "columns", None])
def test_watched_steps_come_in_the_asked_form(server, form, offer):
    run = run_id("form")
    with LiveSocket(server, offer=offer) as socket:
        socket.watch([run], **({"form": form} if form else {}))
        accept_steps(server, run, EXAMPLE, step(7))
        accept(server, payload(run, 9))
        messages = [message for message in socket.arrived(run) if message["type"] in STEPS]
    open_steps = sorted(read_steps(server, run), key=lambda found: found["seq"])
    nested = sorted(kept_steps(server, run), key=lambda found: [1200, 7, 9].index(found["step"]))
    if form == "columns":
        assert messages == [{"type": "step", "run_id": run, "seq": found["seq"], "data": found} for found in open_steps]
        assert all(list(message) == ["type", "run_id", "seq", "data"] for message in messages)
        return
    for index, message in enumerate(messages):
        assert list(message) == ["type", "run_id", "data", "seq"]
        assert (message["type"], message["seq"]) == ("new_metrics", index + 1)
    if form != "lite":
        assert [message["data"] for message in messages] == nested
        return
    for message, whole in zip(messages, nested, strict=True):
        data = message["data"]
        assert data["step"] == whole["step"] and data.get("scalars") == whole.get("scalars")
        assert [list(layer) for layer in data["layers"]] == [LITE_LAYER] * 2


def test_metrics_selects_metrics_and_vectors_of_columns(server):
    run = run_id("metrics")
    accept_steps(server, run, step(1))
    whole, = read_steps(server, run)
    with LiveSocket(server) as socket:
        for names, metrics, vectors in (
                (None, ["activation_std", "update_ratio"], ["v", "w"]), ([], [], []),
                (["update_ratio"], ["update_ratio"], []), (["w", "unknown"], [], ["w"]),
                (["loss"], [], []), (["v", "activation_std"], ["activation_std"], ["v"])):
            answer = socket.watch([run], form="columns", metrics=names)
            assert (sorted(answer["metrics"]) if names else answer["metrics"]) == (sorted(names) if names else names)
            seq = accept_steps(server, run, step(1))["seq"]
            message, = socket.arrived(run)
            data = message["data"]
            assert (list(data.get("metrics", {})), list(data.get("vectors", {}))) == (metrics, vectors), names
            assert {**data, "metrics": 0, "vectors": 0} == {**whole, "seq": seq, "metrics": 0, "vectors": 0}


def test_run_ids_and_names_are_compared_as_bytes(server):
    composed, decomposed = "\u00e9", "e\u0301"
    base = run_id("bytes")
    with LiveSocket(server) as socket:
        socket.watch([base + decomposed], form="columns", metrics=[decomposed])
        for run in (base + composed, base + decomposed):
            accept_steps(server, run, {"step": 1, "layers": ["l"], "metrics": {composed: [1], decomposed: [2]}})
        messages = [message for message in socket.arrived() if message["type"] == "step"]
    assert [(message["run_id"], message["data"]["metrics"]) for message in messages] == [
        (base + decomposed, {decomposed: [2]})]


def test_a_step_that_is_not_kept_is_sent_all_the_same(start_server):
    server = start_server("--max-steps-per-run", 10)
    accept_lines(server, "r", [{"step": 100 + number} for number in range(10)])
    with LiveSocket(server) as socket:
        socket.watch(["r"], form="columns")
        assert accept_steps(server, "r", step(1))["kept"] is False
        message, = (message for message in socket.arrived("r") if message["type"] == "step")
        assert (message["seq"], message["data"]["step"], message["data"]["seq"]) == (11, 1, 11)


@pytest.mark.parametrize("message", [{"form": "full"}, {"form": "columns", "metrics": ["m", "n"]}])
def test_connections_that_ask_for_the_same_get_the_same_compressed_bytes(server, message):
    run = run_id("compressed")
    posted = {"step": 1, "layers": [f"l{index}" for index in range(60)],
              "metrics": {name: [index / 7 for index in range(60)] for name in ("m", "n", "o")}}
    accept_steps(server, run, posted)
    offers = [f"{DEFLATE}; server_max_window_bits={bits}" for bits in range(9, 16)]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(LiveSocket(server, offer=offer)) for offer in offers]
        for socket in sockets:
            if "metrics" in message:
                message["metrics"].reverse()
            socket.watch([run], **message)
        accept_steps(server, run, posted)
        received = [socket.read_message() for socket in sockets]
    assert all(is_compressed for _, is_compressed in received)
    # One for windows of 2^9 bytes, one for those of 2^15.
    assert len({data for data, _ in received}) == 2


# Which runs

def test_a_watch_replaces_the_one_before(server):
    one, two = run_id("one"), run_id("two")
    accept_steps(server, one, {"step": 1})
    accept_steps(server, two, {"step": 1})
    with LiveSocket(server) as socket:
        def steps():
            accept_steps(server, one, {"step": 1})
            accept_steps(server, two, {"step": 1})
            return summary(socket.arrived(one, two))

        assert steps() == [("new_metrics", one), ("new_metrics", two)]
        for message, answered, expected in (
                ({"run_ids": [one], "form": "columns"}, [one], [("step", one)]),
                ({"run_ids": [], "form": "columns"}, [], []),
                ({"run_ids": None, "form": "columns"}, None, [("step", one), ("step", two)]),
                ({"run_ids": [two, "unknown", two]}, None, [("new_metrics", two)]),
                ({"run_ids": [two, one], "form": "runs"}, [two, one], []),
                ({}, None, [("new_metrics", one), ("new_metrics", two)])):
            answer = socket.request("watching", "watch", **message)
            assert answer["form"] == message.get("form", "full")
            if len(message.get("run_ids") or []) < 3:
                assert answer["run_ids"] == answered
            assert steps() == expected, message


def test_no_message_of_the_old_form_comes_after_the_answer(server):
    run = run_id("turn")
    accept_steps(server, run, {"step": 0})
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            accept_steps(server, run, {"step": number % 500})

    writer = threading.Thread(target=write)
    with LiveSocket(server) as socket:
        writer.start()
        try:
            last = 0
            for turn in range(60):
                form, kind = (("columns", "step"), ("full", "new_metrics"))[turn % 2]
                socket.say({"action": "watch", "run_ids": [run], "form": form})
                old = ("step", "new_metrics")[turn % 2 == 0]
                while (message := socket.read_json())["type"] != "watching":
                    if message["type"] in STEPS and message["run_id"] == run:
                        assert message["type"] == old
                        assert not last or message["seq"] == last + 1
                        last = message["seq"]
                for _ in range(3):
                    message = socket.next_step(run)
                    assert message["type"] == kind
                    assert not last or message["seq"] == last + 1
                    last = message["seq"]
        finally:
            stop.set()
            writer.join()


@pytest.mark.parametrize("message", [
    {"run_ids": "x"}, {"run_ids": [1]}, {"run_ids": {}}, {"form": "tiny"}, {"form": 1}, {"form": "FULL"},
    {"form": "columns", "metrics": "m"}, {"form": "columns", "metrics": [1]}, {"form": "columns", "layers": 0},
])
def test_an_invalid_watch_is_refused_and_changes_nothing(server, message):
    run = run_id("refused")
    accept_steps(server, run, {"step": 1})
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        answer = socket.request("watching", "watch", **message)
        assert list(answer) == ["type", "message"] and answer["type"] == "error"
        name = list(message)[-1]
        assert f'"{name}"' in answer["message"], "the message names the field"
        accept_steps(server, run, {"step": 1})
        assert summary(socket.arrived()) == [("step", run)]


# Structures

def test_layers_come_once_before_the_first_step_that_needs_them(server):
    run = run_id("structure")
    first = [{"id": "a.b", "type": "T", "depth": 1, "shape": [2, 3]}, "c"]
    lists = [first, first, None, [{"id": "a.b", "type": "T", "depth": 1, "shape": [4, 3]}, "c"], ["x"], first, first]
    steps = [{"step": number, "time": 1, **({"layers": layers, "metrics": {"m": list(range(len(layers)))}}
                                            if layers else {"scalars": {"s": 1}})}
             for number, layers in enumerate(lists)]
    with LiveSocket(server) as socket, LiveSocket(server, offer=DEFLATE) as late:
        assert socket.watch([run], form="columns", layers=False)["layers"] is False
        accept_steps(server, run, *steps[:3])
        late.watch([run], form="columns", layers=False)
        accept_steps(server, run, *steps[3:])
        accept(server, payload(run, 90))
        accept(server, payload(run, 91))
        served = {found["step"]: found for found in read_steps(server, run)}
        for connection, begin in ((socket, 0), (late, 3)):
            known, numbers = {}, []
            for message in connection.arrived(run):
                if message["type"] == "structure":
                    assert list(message) == ["type", "run_id", "structure", "layers"]
                    assert message["structure"] not in known, "the layers come once for each connection"
                    known[message["structure"]] = message["layers"]
                elif message["type"] == "step":
                    data = dict(message["data"])
                    numbers.append(data["step"])
                    if "structure" in data:
                        data["layers"] = known[data.pop("structure")]
                    assert data == served[data["step"]]
            assert numbers == [*range(begin, 7), 90, 91]
            assert len(known) <= 5
