"""`subscribe_run` with `since_seq` or `form`: a client that lost its connection misses nothing."""

import pytest
from Support.clients.ingest import accept, kept_steps
from Support.clients.live import STEPS, LiveSocket
from Support.clients.openwire import accept_lines, accept_steps, read_steps
from Support.clients.runs import path, put, read, send
from Support.payloads import payload, run_id


def step(number: int, **more) -> dict:
    return {"step": number, "time": number + 1, "scalars": {"loss": number / 4}, "layers": ["a.b", "c"],
            "metrics": {"m": [number, None], "n": [1, "NaN"]}, "vectors": {"v": {"c": [number]}}, **more}


def changes(socket, run: str, seq: int, **more) -> tuple[bool, list[tuple[int, int]]]:
    """Whether a history is a reset, and its steps as (seq, step)."""
    history = socket.history(run, since_seq=seq, form="columns", **more)
    return history["reset"], [(found["seq"], found["step"]) for found in history["data"]["steps"]]


# What a history has

@pytest.mark.parametrize("form", ["full", "lite", "columns", None])
def test_a_history_has_the_newest_versions_of_the_changed_steps_in_seq_order(server, form):
    run = run_id("since")
    accept_steps(server, run, step(5), step(3), step(9), step(3), step(1), step(9))
    asked = {"form": form} if form else {}
    with LiveSocket(server) as socket:
        history = socket.history(run, since_seq=2, **asked)
        assert list(history) == ["type", "run_id", "reset", "data"] and history["reset"] is False
        assert list(history["data"]) == ["created_at", "last_update", "steps", "last_seq"]
        assert history["data"]["last_seq"] == 6
        steps = history["data"]["steps"]
        assert [found["step"] for found in steps] == [3, 1, 9]
        if form == "columns":
            assert steps == sorted(read_steps(server, run, to=4) + read_steps(server, run, **{"from": 9}),
                                   key=lambda found: found["seq"])
        elif form == "lite":
            assert not any({"parameter_statistics", "metrics"} & layer.keys()
                           for found in steps for layer in found["layers"])
        else:
            assert steps == sorted((found for found in kept_steps(server, run) if found["step"] != 5),
                                   key=lambda found: [3, 1, 9].index(found["step"]))
        accept_steps(server, run, step(2))
        message, = socket.arrived(run)
        assert (message["type"], message["seq"]) == ("step" if form == "columns" else "new_metrics", 7)


def test_lite_is_a_form_too(server):
    run = run_id("lite")
    accept(server, payload(run, 1))
    with LiveSocket(server) as socket:
        history = socket.history(run, since_seq=0, lite=True)
        accept(server, payload(run, 2))
        message, = socket.arrived(run)
        assert all("parameter_statistics" not in found["layers"][0]
                   for found in (*history["data"]["steps"], message["data"]))


def test_a_client_that_has_everything_gets_no_step(server):
    run = run_id("all")
    accept_steps(server, run, step(1), step(2))
    with LiveSocket(server) as socket:
        assert changes(socket, run, 2) == (False, [])
        put(server, run, {"name": "n"})
        assert changes(socket, run, 2) == (False, [])
        empty = run_id("empty")
        put(server, empty, {}, 201)
        assert changes(socket, empty, 0) == (False, [])


def test_without_since_seq_all_steps_come_in_ascending_order(server):
    run = run_id("ascending")
    accept_steps(server, run, step(5), step(3))
    with LiveSocket(server) as socket:
        history = socket.history(run, form="columns")
        assert "reset" not in history and history["data"]["steps"] == read_steps(server, run)
        accept_steps(server, run, step(1))
        assert [message["type"] for message in socket.arrived(run)] == ["step"]


def test_metrics_and_layers_hold_for_the_history_and_what_follows(server):
    run = run_id("selected")
    accept_steps(server, run, step(1), step(2), {"step": 3, "layers": ["x"], "metrics": {"m": [1]}})
    with LiveSocket(server) as socket:
        socket.say({"action": "subscribe_run", "run_id": run, "since_seq": 1, "form": "columns", "metrics": ["m"],
                    "layers": False})
        known = {}
        while (message := socket.read_json())["type"] == "structure":
            known[message["structure"]] = [layer["id"] for layer in message["layers"]]
        assert sorted(known.values()) == [["a/b", "c"], ["x"]]
        accept_steps(server, run, step(4))
        # The layers may have a new identifier, which then comes before the step.
        *structures, live = socket.arrived(run)
        for structure in structures:
            assert structure["structure"] not in known
            known[structure["structure"]] = [layer["id"] for layer in structure["layers"]]
        for found, layers in zip((*message["data"]["steps"], live["data"]), (["a/b", "c"], ["x"], ["a/b", "c"]),
                                 strict=True):
            assert known[found["structure"]] == layers and "layers" not in found
            assert list(found["metrics"]) == ["m"] and "vectors" not in found


def test_a_limit_bounds_the_steps(server):
    run = run_id("limit")
    accept_steps(server, run, *map(step, range(5)))
    with LiveSocket(server) as socket:
        assert changes(socket, run, 2, limit=3) == (False, [(3, 2), (4, 3), (5, 4)])
        assert changes(socket, run, 2, limit=2) == (True, [])
        assert changes(socket, run, 5, limit=0) == (False, [])
        assert changes(socket, run, 99, limit=4) == (True, [])
        history = socket.history(run, limit=4, form="columns", layers=False)
        assert (history["reset"], history["data"]["steps"], history["data"]["last_seq"]) == (True, [], 5)
        assert "reset" not in socket.history(run, limit=5, form="columns")
        # Later steps come after a history without steps.
        changes(socket, run, 0, limit=1)
        accept_steps(server, run, step(6))
        assert [message["seq"] for message in socket.arrived(run)] == [6]


# Reset

def test_reset_where_the_run_is_another_one(server):
    run = run_id("anew")
    accept_steps(server, run, step(1), step(2))
    with LiveSocket(server) as socket:
        created = socket.history(run, since_seq=0, form="columns")["data"]["created_at"]
        assert created == read(server, run)["created_at"]
        assert changes(socket, run, 1, created_at=created) == (False, [(2, 2)])
        send(server, "DELETE", path(run))
        accept_steps(server, run, step(7), step(6), step(9))
        assert changes(socket, run, 2, created_at=created) == (True, [(1, 7), (2, 6), (3, 9)])
        assert changes(socket, run, 2) == (False, [(3, 9)])
        again = socket.history(run, since_seq=2)["data"]["created_at"]
        assert again != created and changes(socket, run, 2, created_at=again) == (False, [(3, 9)])
        assert changes(socket, run, 2, created_at="") == (True, [(1, 7), (2, 6), (3, 9)])


def test_reset_where_since_seq_is_beyond_the_last_one(server):
    run = run_id("beyond")
    accept_steps(server, run, step(4), step(2))
    with LiveSocket(server) as socket:
        for seq in (3, 99, 2**63 - 1):
            assert changes(socket, run, seq) == (True, [(1, 4), (2, 2)])


def test_reset_where_a_changed_step_is_no_longer_kept(start_server):
    server = start_server("--max-steps-per-run", 10)
    accept_lines(server, "r", [{"step": 100 + number} for number in range(12)])
    kept = [(seq, 99 + seq) for seq in range(3, 13)]
    with LiveSocket(server) as socket:
        assert changes(socket, "r", 0) == changes(socket, "r", 1) == (True, kept)
        # The client has every step that was dropped.
        assert changes(socket, "r", 2) == (False, kept)
        # A step that was never kept.
        accept_steps(server, "r", {"step": 1})
        assert changes(socket, "r", 12) == (True, kept)
        assert changes(socket, "r", 13) == (False, [])


def test_reset_where_since_seq_is_before_the_seam(server):
    run = run_id("seam")
    accept_steps(server, run, *map(step, range(6)))
    put(server, run, {"resume_from": 4})
    kept = [(number + 1, number) for number in range(4)]
    with LiveSocket(server) as socket:
        for seq in (0, 4, 6):
            assert changes(socket, run, seq) == (True, kept)
        accept_steps(server, run, step(4), step(5))
        assert changes(socket, run, 6) == (True, [*kept, (7, 4), (8, 5)])
        assert changes(socket, run, 7) == (False, [(8, 5)])


def test_the_message_reset_comes_before_the_next_step(server):
    run, other = run_id("resumed"), run_id("other")
    for name in (run, other):
        accept_steps(server, name, *map(step, range(6)))
    with (LiveSocket(server) as plain, LiveSocket(server) as watching, LiveSocket(server) as runs,
          LiveSocket(server) as since, LiveSocket(server) as formed, LiveSocket(server) as history):
        watching.watch([run], form="columns")
        runs.watch(None, form="runs")
        changes(since, run, 6)
        formed.history(run, form="full")
        history.history(run)
        put(server, run, {"resume_from": 4})
        accept_steps(server, run, step(4))
        expected = {"type": "reset", "run_id": run, "from_step": 4}
        for socket in (watching, since, formed):
            messages = [message for message in socket.arrived(run) if message["type"] in ("reset", *STEPS)]
            assert messages[0] == expected and [message["seq"] for message in messages[1:]] == [7]
        assert expected in runs.arrived(run)
        for socket in (plain, history):
            assert [message["type"] for message in socket.arrived(run)] == ["new_metrics"]
        put(server, other, {"resume_from": 0})
        assert watching.arrived(other) == []


# What a subscription adds

def test_a_subscription_adds_a_run_in_its_form_until_the_next_watch(server):
    one, two = run_id("one"), run_id("two")
    accept_steps(server, one, step(1))
    accept_steps(server, two, step(1))

    def arrived(socket):
        for run in (one, two):
            accept_steps(server, run, step(2))
        put(server, two, {"name": run_id("name")})
        return [(message["type"], message["run_id"]) for message in socket.arrived(one, two)
                if message["type"] in STEPS or message["run_id"] == two]

    with LiveSocket(server) as socket:
        changes(socket, one, 1)
        assert arrived(socket) == [("step", one), ("new_metrics", two)]
        socket.watch([], form="columns")
        assert arrived(socket) == []
        socket.history(two, form="lite")
        changes(socket, two, 0)
        assert arrived(socket) == [("step", two), ("run", two)]
        socket.watch([two], form="runs")
        changes(socket, one, 1)
        assert arrived(socket) == [("step", one), ("run", two)]


@pytest.mark.parametrize("message", [
    {"since_seq": -1}, {"since_seq": "3"}, {"since_seq": 1.5}, {"since_seq": True}, {"form": "tiny"}, {"form": 1},
    {"form": "runs"}, {"created_at": 7}, {"limit": -1}, {"limit": "1"}, {"form": "columns", "metrics": "m"},
    {"form": "columns", "metrics": [1]}, {"form": "columns", "layers": "no"},
])
def test_an_invalid_subscription_is_refused_and_changes_nothing(server, message):
    run = run_id("refused")
    accept_steps(server, run, step(1))
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        answer = socket.request("run_history", "subscribe_run", run_id=run, **message)
        assert answer["type"] == "error" and f'"{list(message)[-1]}"' in answer["message"], answer
        accept_steps(server, run, step(1))
        assert [found["type"] for found in socket.arrived(run)] == ["step"]


def test_a_subscription_of_an_unknown_run_is_refused(server):
    run = run_id("unknown")
    with LiveSocket(server) as socket:
        for message in ({}, {"since_seq": 0}, {"since_seq": 3, "form": "columns"}):
            answer = socket.request("run_history", "subscribe_run", run_id=run, **message)
            assert answer == {"type": "error", "message": f"Run '{run}' not found"}
        accept_steps(server, run, step(1))
        assert [found["type"] for found in socket.arrived(run)] == ["new_metrics"]
