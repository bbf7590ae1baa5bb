"""The messages of a connection to /ws about runs: `run`, `alert` and `run_deleted`."""

import pytest
from Support.clients.ingest import accept
from Support.clients.live import LiveSocket
from Support.clients.openwire import accept_lines, accept_steps
from Support.clients.runs import path, put, read, send
from Support.payloads import payload, run_id


def alert(server, run: str, **more):
    response = send(server, "POST", path(run) + "/alerts", {"title": "t", **more})
    assert response.status_code == 202, response.text


def test_the_message_run_comes_when_a_run_begins_or_a_put_changes_it(server):
    run = run_id("run")
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        put(server, run, {"name": "n", "config": {"a": 1}}, 201)
        accept_lines(server, run, [{"step": number} for number in range(5)])
        put(server, run, {})
        put(server, run, {"tags": ["t"]})
        put(server, run, {"tags": ["t"]})
        put(server, run, {"state": "finished", "exit_code": 0})
        messages = socket.arrived(run)
        assert [message["type"] for message in messages] == ["run", *["step"] * 5, *["run"] * 2]
        begun, tagged, ended = (message["data"] for message in messages if message["type"] == "run")
        assert (begun["name"], begun["tags"], begun["state"], begun["last_seq"]) == ("n", [], "running", 0)
        assert (tagged["tags"], tagged["state"], tagged["last_seq"]) == (["t"], "running", 5)
        whole = read(server, run)
        del whole["layers"]
        assert ended == whole and list(ended) == list(whole)


@pytest.mark.parametrize("wire", ["v1", "v2"])
def test_a_run_that_begins_with_a_step_comes_before_the_step(server, wire):
    run = run_id("begins")
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns", metrics=[])
        if wire == "v1":
            accept(server, payload(run, 1))
        else:
            accept_steps(server, run, {"step": 1, "scalars": {"loss": 1}, "layers": ["l"], "metrics": {"m": [1]},
                                       "vectors": {"v": {"l": [1]}}})
        begun, first = socket.arrived(run)
    assert (begun["type"], begun["data"]["run_id"], begun["data"]["state"]) == ("run", run, "running")
    assert first["type"] == "step" and "metrics" not in first["data"] and "vectors" not in first["data"]
    assert set(first["data"]["scalars"]) == {
        "v1": {"feature_std_gradient", "gradient_norm_ratio/block1.fc/block0.fc"}, "v2": {"loss"}}[wire]


def test_the_form_runs_has_no_steps_and_shorter_runs(server):
    run = run_id("runs")
    with LiveSocket(server) as socket:
        assert socket.watch([run], form="runs")["form"] == "runs"
        put(server, run, {"name": "n", "config": {"a": 1}, "notes": "x"}, 201)
        put(server, run, {"state": "failed"})
        alert(server, run)
        send(server, "DELETE", path(run))
        messages = socket.arrived(run)
    assert [message["type"] for message in messages] == ["run", "run", "alert", "run_deleted"]
    for message, state in zip(messages, ["running", "failed"], strict=False):
        data = message["data"]
        assert (data["name"], data["state"]) == ("n", state) and not {"config", "notes", "events"} & data.keys()


def test_the_form_runs_shows_new_steps_at_most_once_a_second(server):
    run, other = run_id("busy"), run_id("full")
    count = 300
    with LiveSocket(server) as socket, LiveSocket(server) as full:
        socket.watch([run], form="runs")
        full.watch([other], form="full")
        for number in range(count):
            accept_steps(server, run, {"step": number})
        accept_steps(server, other, {"step": 1})
        # The last message has all steps.
        seen = []
        while not seen or seen[-1]["last_seq"] < count:
            message = socket.read_json()
            assert (message["type"], message["run_id"]) == ("run", run)
            assert message["data"]["silent"] is False, "a message for new steps, not for silence"
            assert not {"config", "notes", "events"} & message["data"].keys()
            seen.append(message["data"])
        assert [data["last_seq"] for data in seen] == sorted({data["last_seq"] for data in seen})
        assert len(seen) < count / 4
        assert [message["type"] for message in full.arrived(other)] == ["run", "new_metrics"]


def test_an_alert_goes_to_those_who_watch_its_run(server):
    run, other = run_id("alert"), run_id("other")
    accept_steps(server, run, {"step": 7})
    accept_steps(server, other, {"step": 7})
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        alert(server, other)
        alert(server, run, level="critical", title="é", text="x\ny", step=7)
        message, = socket.arrived()
    assert list(message) == ["type", "run_id", "data"] and (message["type"], message["run_id"]) == ("alert", run)
    data = message["data"]
    assert {key: data[key] for key in ("run_id", "severity", "state", "source", "title", "message", "opened_step",
                                       "episode", "rule", "layer", "evidence", "inputs")} == {
        "run_id": run, "severity": "critical", "state": "closed", "source": "trainer", "title": "é",
        "message": "x\ny", "opened_step": 7, "episode": "1", "rule": None, "layer": None, "evidence": [], "inputs": {}}


@pytest.mark.parametrize("form", ["columns", "runs"])
def test_a_deletion_goes_to_those_who_watch_its_run(start_server, form):
    server = start_server("--max-runs", 2)
    accept_steps(server, "one", {"step": 1})
    accept_steps(server, "two", {"step": 1})
    with LiveSocket(server) as plain, LiveSocket(server) as watching:
        watching.watch(["one", "four"], form=form)
        accept_steps(server, "three", {"step": 1})
        accept_steps(server, "four", {"step": 1})
        send(server, "DELETE", path("three"))
        send(server, "DELETE", path("four"))

        def deletions(socket):
            return [(message["run_id"], message["reason"]) for message in socket.arrived()
                    if message["type"] == "run_deleted"]

        assert deletions(plain) == [("one", "evicted"), ("two", "evicted"), ("three", "deleted"), ("four", "deleted")]
        assert deletions(watching) == [("one", "evicted"), ("four", "deleted")]
