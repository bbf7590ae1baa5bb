"""GET /api/v2/runs/{run}/health, and alerts of rules on their way to subscribers."""

import json
import signal

import pytest
from Support.clients.events import EventStream
from Support.clients.libraries import wait_until
from Support.clients.live import LiveSocket
from Support.clients.openwire import accept_steps
from Support.clients.runs import errors, listing, path, put, read, send
from Support.payloads import run_id
from Support.servers.server import end_of_start

ALERT = ["id", "run_id", "episode", "source", "rule", "layer", "depth", "severity", "state", "first_step", "opened_step",
         "escalated_step", "last_step", "closed_step", "opened_seq", "last_seq", "opened_at", "last_at", "closed_at",
         "reports", "metric", "value", "opened_value", "worst_value", "worst_step", "comparison", "threshold", "baseline",
         "inputs", "evidence", "inputs_missing", "title", "message", "advice", "help", "url"]
EPISODE = ["id", "run_id", "state", "severity", "kind", "origin", "rules", "layers", "layer_count", "alerts",
           "first_step", "opened_step", "last_step", "closed_step", "opened_at", "closed_at", "title", "message",
           "advice", "url"]


def step(number: int, std: float = 1, **more) -> dict:
    """A step of two layers, the second of which comes first in depth order."""
    return {"step": number, "time": 1000 + number, "layers": [{"id": "conv1", "depth": 2, "type": "Conv2d"},
                                                              {"id": "conv0", "depth": 1}],
            "metrics": {"activation_std": [std, 1]}, **more}


def health(server, run: str, query: str = "") -> dict:
    response = send(server, "GET", path(run) + "/health" + query)
    assert response.status_code == 200, response.text
    return response.json()


def dead(server, run: str):
    """A layer that dies at step 10."""
    accept_steps(server, run, *(step(number, 0 if number >= 10 else 0.64) for number in range(14)))


def test_a_dead_layer_is_named_with_its_evidence(either):
    run = run_id("dead")
    dead(either, run)
    found = health(either, run)
    assert list(found) == ["run_id", "status", "as_of", "open", "episodes", "alerts", "layers", "rules", "forgotten"]
    assert (found["run_id"], found["status"], found["open"]) == (run, "critical", {"warning": 0, "critical": 1})
    assert found["as_of"] == {"step": 13, "seq": 14, "time": 1013, "reports": 14} and found["forgotten"] == 0
    alert, = found["alerts"]
    assert list(alert) == ALERT
    advice = alert.pop("advice")
    assert advice and {**alert, "baseline": round(alert["baseline"], 9)} == {
        "id": "1", "run_id": run, "episode": "1", "source": "rule", "rule": "dead_layer", "layer": "conv1", "depth": 2,
        "severity": "critical", "state": "open", "first_step": 10, "opened_step": 12, "escalated_step": 12,
        "last_step": 13, "closed_step": None, "opened_seq": 13, "last_seq": 14, "opened_at": 1012, "last_at": 1013,
        "closed_at": None, "reports": 4, "metric": "activation_std", "value": 0, "opened_value": 0, "worst_value": 0,
        "worst_step": 12, "comparison": "==", "threshold": 0, "baseline": 0.64, "inputs": {"activation_std": 0},
        "evidence": [[7, 0.64], [8, 0.64], [9, 0.64], [10, 0], [11, 0], [12, 0], [13, 0]], "inputs_missing": [],
        "title": "conv1 is dead", "message": "activation_std is 0 since step 10 (mean before: 0.64).",
        "help": "docs/LAYER_HEALTH.md#dead_layer", "url": None}
    episode, = found["episodes"]
    assert list(episode) == EPISODE
    assert episode["origin"] == {
        "layer": "conv1", "depth": 2, "rule": "dead_layer", "alert": "1", "step": 10,
        "reason": "the only layer with this finding"}
    assert {key: episode[key] for key in ("state", "severity", "kind", "rules", "layers", "layer_count", "alerts",
                                          "first_step", "opened_step", "last_step", "title", "advice")} == {
        "state": "open", "severity": "critical", "kind": "dead_layer", "rules": ["dead_layer"], "layers": ["conv1"],
        "layer_count": 1, "alerts": ["1"], "first_step": 10, "opened_step": 12, "last_step": 13,
        "title": "conv1 is dead", "advice": advice}
    assert found["layers"] == [
        {"id": "conv0", "depth": 1, "type": None, "status": "ok", "alerts": []},
        {"id": "conv1", "depth": 2, "type": "Conv2d", "status": "critical", "alerts": ["1"]}]
    assert read(either, run)["alerts"] == {"warning": 0, "critical": 1}
    assert next(entry for entry in listing(either)["runs"] if entry["run_id"] == run)["alerts"]["critical"] == 1


def test_each_step_is_judged_when_its_202_arrives(server):
    run = run_id("judged")
    for number in range(4):
        accept_steps(server, run, step(number))
        assert health(server, run)["as_of"]["seq"] == number + 1


def test_the_state_selects_alerts_and_episodes(server):
    run = run_id("states")
    dead(server, run)
    accept_steps(server, run, *(step(number, 0.64) for number in range(14, 24)))
    send(server, "POST", path(run) + "/alerts", {"title": "mine", "level": "warning"})
    accept_steps(server, run, step(24, 1, scalars={"loss": "NaN"}))
    for query, ids in (("", ["3", "2", "1"]), ("?state=all", ["3", "2", "1"]), ("?state=open", ["3"]),
                       ("?state=closed&layers=false", ["2", "1"])):
        found = health(server, run, query)
        assert [alert["id"] for alert in found["alerts"]] == ids, query
        assert [episode["id"] for episode in found["episodes"]] == ids, query
        assert bool(found["layers"]) == ("layers=false" not in query)
    closed = found["alerts"][1]
    assert (closed["state"], closed["last_step"], closed["closed_step"], closed["closed_at"]) == ("closed", 13, 23, 1023)
    trainer = found["alerts"][0]
    assert (trainer["source"], trainer["episode"], found["episodes"][0]["kind"]) == ("trainer", "2", "trainer")
    assert found["open"] == {"warning": 0, "critical": 1}
    # With a limit the worst come first: open ones, then the most severe.
    for query, ids in (("?limit=0", []), ("?limit=1", ["3"]), ("?limit=2", ["3", "1"]), ("?limit=9", ["3", "1", "2"]),
                       ("?state=closed&limit=1", ["1"])):
        found = health(server, run, query)
        assert [alert["id"] for alert in found["alerts"]] == ids, query
        assert [episode["id"] for episode in found["episodes"]] == ids, query
    assert found["open"] == {"warning": 0, "critical": 1}


def test_of_equally_severe_findings_the_first_one_is_the_worst(server):
    run = run_id("worst")
    layers = [{"id": f"conv{layer}", "depth": layer} for layer in range(3)]

    def dying(number: int) -> dict:
        values = [0 if number >= since else 0.64 for since in (30, 10, 20)]
        return {"step": number, "layers": layers, "metrics": {"activation_std": values}}

    accept_steps(server, run, *(dying(number) for number in range(40)))
    everything = health(server, run)
    assert sorted(alert["layer"] for alert in everything["alerts"]) == ["conv0", "conv1", "conv2"]
    first, second = (health(server, run, f"?limit={limit}") for limit in (1, 2))
    assert [alert["layer"] for alert in first["alerts"]] == ["conv1"]
    assert [alert["layer"] for alert in second["alerts"]] == ["conv1", "conv2"]
    assert len(first["episodes"]) == 1 and first["rules"] == everything["rules"]


@pytest.mark.parametrize(("query", "found"), [
    ("?state=none", [("enum", ["query", "state"])]), ("?layers=1", [("enum", ["query", "layers"])]),
    ("?limit=-1", [("greater_than_equal", ["query", "limit"])]), ("?limit=x", [("int_parsing", ["query", "limit"])])])
def test_a_bad_parameter_is_refused(server, query, found):
    run = run_id("query")
    put(server, run, {}, 201)
    assert errors(send(server, "GET", path(run) + "/health" + query)) == found


def test_a_run_without_steps_is_waiting(server):
    run = run_id("waiting")
    put(server, run, {}, 201)
    found = health(server, run)
    assert (found["status"], found["layers"], found["alerts"]) == ("waiting", [], [])
    assert found["as_of"] == {"step": None, "seq": 0, "time": None, "reports": 0}
    assert send(server, "GET", path(run_id("nowhere")) + "/health").status_code == 404


def test_rules_name_what_they_lack(server):
    run = run_id("lacking")
    accept_steps(server, run, step(0))
    rules = {rule["rule"]: rule for rule in health(server, run)["rules"]}
    assert len(rules) == 20
    assert rules["update_ratio"] == {
        "rule": "update_ratio", "scope": "layer", "enabled": True, "state": "inputs_missing",
        "inputs": ["update_ratio", "lr"], "inputs_missing": ["update_ratio", "lr"], "layers_missing": 2,
        "hint": "post `update_ratio` to get this rule"}
    assert (rules["dead_layer"]["state"], rules["activation_drift"]["state"]) == ("running", "warming_up")
    assert rules["loss_spike"]["scope"] == "run"


@pytest.mark.parametrize("form", ["columns", "runs", "full"])
def test_alerts_come_after_their_step_to_those_who_watch_the_run(server, form):
    run, other = run_id("watched"), run_id("other")
    accept_steps(server, run, step(0, 0.64))
    with LiveSocket(server) as socket:
        socket.watch([run], form=form)
        for number in range(1, 17):
            accept_steps(server, run, step(number, 0 if 3 <= number <= 6 else 0.64))
        dead(server, other)
        messages = [message for message in socket.arrived() if message["type"] != "run" or form != "runs"]
    alerts = [message for message in messages if message["type"] == "alert"]
    assert [(message["run_id"], message["data"]["state"], message["data"]["opened_step"], message["data"]["closed_step"])
            for message in alerts] == [(run, "open", 5, None), (run, "closed", 5, 16)]
    assert list(alerts[0]["data"]) == ALERT
    if form == "columns":
        place = messages.index(alerts[0])
        assert messages[place - 1]["data"]["step"] == 5
        # The counts in RUN have changed.
        assert messages[place + 1]["type"] == "run" and messages[place + 1]["data"]["alerts"] == {"warning": 0, "critical": 1}


def test_alerts_come_as_server_sent_events(server):
    run = run_id("events")
    accept_steps(server, run, step(0))
    with EventStream(server, run=run, form="columns") as stream:
        stream.block()
        accept_steps(server, run, step(1, float("nan")))
        kinds = []
        while "alert" not in kinds:
            for line in stream.block():
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    kinds.append(message["type"])
    assert message["data"]["rule"] == "non_finite" and message["data"]["value"] == "NaN"
    assert kinds[-2:] == ["step", "alert"]


def test_going_back_closes_what_opened_later(server):
    run = run_id("back")
    dead(server, run)
    with LiveSocket(server) as socket:
        socket.watch([run], form="columns")
        put(server, run, {"resume_from": 5})
        messages = socket.arrived()
    assert [message["data"]["state"] for message in messages if message["type"] == "alert"] == ["closed"]
    assert read(server, run)["alerts"] == {"warning": 0, "critical": 0}
    accept_steps(server, run, *(step(number, 0 if number >= 10 else 0.64) for number in range(5, 14)))
    assert [alert["id"] for alert in health(server, run)["alerts"]] == ["2", "1"]


def test_steps_of_the_first_wire_are_judged(server):
    from Support.clients.ingest import accept
    from Support.payloads import payload
    run = run_id("first")
    for number in range(20):
        body = payload(run, number)
        for layer in body["layer_statistics"]:
            layer["gradient_flow"]["gradient_l2_norm"] = 0
        accept(server, body)
    assert {alert["rule"] for alert in health(server, run)["alerts"]} >= {"vanishing_gradient"}


def test_a_deleted_run_has_no_health_and_a_new_one_begins_anew(server):
    run = run_id("deleted")
    dead(server, run)
    send(server, "DELETE", path(run))
    accept_steps(server, run, step(0))
    assert health(server, run)["status"] == "ok" and health(server, run)["alerts"] == []


# Thresholds

def test_thresholds_are_read_at_the_start_and_by_sighup(start_server, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text('{"rules": {"overflow": {"warning": 0.5}}}')
    server = start_server("--health-rules", rules)

    def post(number: int):
        accept_steps(server, "r", {"step": number, "layers": ["a"], "metrics": {"overflow_fraction": [0.0005]}})
        return health(server, "r")["status"]
    assert post(0) == "ok"
    rules.write_text('{"rules": {"overflow": {\n"warnin": 0.1}}}')
    server.signal(signal.SIGHUP)
    server.wait_for_line("not reloaded.*HEALTH_RULES.*line 2: .*warnin.*rules of layer health")
    assert post(1) == "ok"
    rules.write_text('{"layers": [{"match": "a", "rules": {"overflow": {"warning": 0.0001}}}]}')
    server.signal(signal.SIGHUP)
    server.wait_for_line("reloaded.*rules of layer health")
    numbers = iter(range(2, 10_000))
    wait_until(lambda: post(next(numbers)) == "warning")


@pytest.mark.parametrize(("text", "reason"), [
    ("{", "line 1: unexpected end"), ('{"rules": {"dead": {}}}', 'line 1: "dead" is no rule')])
def test_a_bad_file_of_thresholds_is_refused_at_the_start(tmp_path, text, reason):
    rules = tmp_path / "rules.json"
    rules.write_text(text)
    done = end_of_start(["--port", 0, "--health-rules", rules], tmp_path)
    assert done.returncode == 64
    assert "NN_MONITOR_HEALTH_RULES" in done.stderr and reason in done.stderr and len(done.stderr.splitlines()) == 1
