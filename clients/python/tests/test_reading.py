"""The commands that read: tail and health."""

import json
import re
import subprocess
import sys

import pytest

from nnmonitor.cli import main
from nnmonitor.commands import tail as tail_command
from support.readable import BREAK, END, Readable


@pytest.fixture
def server(monkeypatch):
    made = Readable()
    monkeypatch.setenv("NN_MONITOR_URL", made.url)
    yield made
    made.close()


def step(number, seq, time=1_795_000_000.0, run="r7", **scalars):
    data = {"step": number, "time": time, "seq": seq, "scalars": scalars}
    return {"type": "step", "run_id": run, "seq": seq, "data": data}


def state(name, run="r7"):
    return {"type": "run", "run_id": run, "data": {"run_id": run, "state": name}}


def alert(**fields):
    data = {
        "id": "3", "source": "rule", "rule": "dead_layer", "layer": "conv1", "severity": "critical", "state": "open",
        "first_step": 360, "opened_step": 366, "escalated_step": None, "last_step": 366, "closed_step": None,
        "title": "conv1 is dead", "message": "activation_std is 0 since step 360."}
    return {"type": "alert", "run_id": "r7", "data": {**data, **fields}}


def episode(**fields):
    return {
        "id": "1", "state": "open", "severity": "critical", "kind": "dead_layer", "rules": ["dead_layer"],
        "layers": ["conv1", "conv0"], "layer_count": 2, "first_step": 360, "opened_step": 366, "last_step": 372,
        "closed_step": None, "title": "conv1 is dead", "message": "activation_std is 0.", "advice": "Lower the rate.",
        **fields}


def answer(status, **fields):
    return {
        "run_id": "r7", "status": status, "as_of": {"step": 372, "seq": 125, "time": 1.0, "reports": 125},
        "open": {"warning": 0, "critical": 0}, "episodes": [], "alerts": [], "layers": [], "rules": [], "forgotten": 0,
        **fields}


def test_tail_prints_a_line_for_each_step_until_the_run_ends(server, capsys):
    server.add_run("other")
    server.add_run("r7", last_seq=3)
    server.stream(
        step(11, 4, lr=0.001, **{"train/loss": 0.31234567, "count": 7}), ": \n", step(12, 5, **{"train/loss": "NaN"}),
        state("running"), state("finished"))
    assert main(["tail"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert re.fullmatch(r" +11  \d\d:\d\d:\d\d  train/loss=0.312346  lr=0.001  count=7", lines[0])
    assert lines[1].endswith("train/loss=NaN")
    assert lines[2:] == ["r7: finished"]
    assert "following r7" in captured.err
    query, _ = server.asked[0]
    assert (query["run"], query["since_seq"], query["metrics"], query["form"]) == ("r7", "0", "", "columns")


@pytest.mark.parametrize(("last", "since"), [("0", "125"), ("2", "123"), ("1000", "0")])
def test_tail_begins_with_the_last_steps(server, last, since):
    server.add_run("r7", last_seq=125)
    server.stream(state("finished"), step(1, 125))
    assert main(["tail", "r7", "--last", last]) == 0
    assert server.asked[0][0]["since_seq"] == since


def test_tail_resumes_after_a_lost_connection_without_gap_or_repetition(server, capsys):
    server.add_run("r7")
    server.refusals += [503, 429]
    server.stream(step(1, 1, loss=1.0), step(2, 2, loss=0.5), BREAK)
    server.stream(404)
    server.stream(step(3, 3, loss=0.4), END)
    server.stream("id: 7\n\n", END)
    server.stream(step(8, 8, loss=0.3), state("failed"))
    assert main(["tail", "r7"]) == 1
    captured = capsys.readouterr()
    assert [line.split()[0] for line in captured.out.splitlines()] == ["1", "2", "3", "8", "r7:"]
    assert [query["since_seq"] for query, _ in server.asked] == ["0", "0", "0", "2", "2", "3", "7"]
    assert captured.err.count("not connected yet (503 try again later): trying again") == 1
    assert captured.err.count("connection lost") == 3 and captured.err.count("connected again") == 4


def test_tail_of_a_run_that_has_ended_prints_its_last_steps_and_ends(server, capsys):
    server.add_run("r7", state="failed", last_seq=9)
    server.stream(step(8, 8, loss=1.0), step(9, 9, loss=1.0))
    assert main(["tail", "r7"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_tail_notices_an_end_between_its_look_at_the_run_and_the_stream(server, capsys, monkeypatch):
    server.add_run("r7", last_seq=9)
    server.stream(step(9, 9, loss=1.0))
    original = tail_command.find_run

    def ended_meanwhile(transport, wanted):
        found = original(transport, wanted)
        server.add_run("r7", state="finished", last_seq=9)
        return found

    monkeypatch.setattr(tail_command, "find_run", ended_meanwhile)
    assert main(["tail", "r7"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "r7: finished"


def test_tail_prints_alerts_resets_and_deletions(server, capsys):
    server.add_run("r7")
    server.stream(
        alert(), alert(last_step=380, escalated_step=380), alert(state="closed", closed_step=390),
        alert(source="trainer", state="closed", severity="warning", title="disk", message="90 %\x1b[31m\nfull"),
        {"type": "alert", "run_id": "r7", "data": {"level": "info", "title": "old server", "text": "", "step": 4}},
        {"type": "reset", "run_id": "r7", "from_step": 300}, {"type": "reset", "run_id": "r7"}, "data: not JSON\n\n",
        {"type": "lagged", "skipped": 3}, {"type": "run_deleted", "run_id": "r7", "reason": "evicted"})
    assert main(["tail", "r7"]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "-- alert  critical  step 366  conv1 is dead: activation_std is 0 since step 360.",
        "-- escalated  critical  step 380  conv1 is dead: activation_std is 0 since step 360.",
        "-- closed  critical  step 390  conv1 is dead: activation_std is 0 since step 360.",
        "-- alert  warning  step 366  disk: 90 % [31m full",
        "-- alert  info  step 4  old server", "-- steps from 300 on were dropped", "-- all kept steps follow",
        "r7: evicted"]
    assert "skipped 3 messages" in captured.err


def test_tail_prints_chosen_scalars_or_the_messages_themselves(server, capsys):
    server.add_run("r7")
    sent = [step(1, 1, loss=1.0, lr=0.1, acc=0.5), state("finished")]
    server.stream(*sent)
    assert main(["tail", "r7", "--scalars", "acc,absent,lr"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("  acc=0.5  lr=0.1")
    server.stream(*sent)
    assert main(["tail", "r7", "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == sent


def test_tail_says_what_is_wrong(server, capsys, monkeypatch):
    assert main(["tail"]) == 1
    assert "has no run yet" in capsys.readouterr().err
    assert main(["tail", "nothing"]) == 1
    assert "has no run 'nothing'" in capsys.readouterr().err
    server.add_run("r7")
    server.refusals.append(403)
    assert main(["tail", "r7"]) == 1
    assert "scope read" in capsys.readouterr().err
    server.close()
    monkeypatch.setenv("NN_MONITOR_URL", "http://localhost:1")
    assert main(["tail"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["tail", "r7", "--last", "-1"])


def test_tail_into_a_pipe_that_closes_ends_quietly(server):
    server.add_run("r7", last_seq=20_000)
    server.stream(*[step(number, number, loss=1.0) for number in range(1, 20_001)], state("finished"))
    command = f"{sys.executable} -m nnmonitor tail r7 --last 20000 --url {server.url} | head -n 1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert len(ended.stdout.splitlines()) == 1
    assert "Traceback" not in ended.stderr and "BrokenPipe" not in ended.stderr


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("waiting", 0), ("warning", 1), ("critical", 2), ("new", 3)])
def test_health_ends_with_a_code_for_scripts(server, capsys, status, code):
    server.add_run("r7")
    server.health["r7"] = answer(status)
    assert main(["health"]) == code
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"r7: {status} (as of step 372, 125 reports); open: 0 critical, 0 warnings"


def test_health_prints_episodes_and_what_rules_need(server, capsys):
    server.add_run("a/b")
    rules = [
        {"rule": "dead_layer", "state": "running", "inputs_missing": [], "hint": None},
        {"rule": "update_ratio", "state": "inputs_missing", "inputs_missing": ["update_ratio"],
         "hint": "post `update_ratio` to get this rule"},
        {"rule": "saturation", "state": "inputs_missing", "inputs_missing": ["saturated_fraction"], "hint": None}]
    layers = [f"conv{number}" for number in range(9)]
    server.health["a/b"] = answer(
        "critical", open={"warning": 1, "critical": 1}, rules=rules, forgotten=1,
        as_of={"step": 3, "seq": 1, "time": 1.0, "reports": 1},
        episodes=[
            episode(), episode(severity="warning", title="loss\x1b[2J", layers=layers, layer_count=12, advice=None),
            episode(state="closed", closed_step=380, layers=["conv1"], layer_count=1),
            episode(state="closed", closed_step=360, layers=[], message="", advice="")])
    assert main(["health", "a/b", "--closed"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "a/b: critical (as of step 3, 1 report); open: 1 critical, 1 warning", "",
        "critical  conv1 is dead, since step 360", "          activation_std is 0.",
        "          advice: Lower the rate.", "          layers: conv1, conv0", "",
        "warning   loss [2J, since step 360", "          activation_std is 0.",
        "          layers: conv0, conv1, conv2, conv3, conv4 and 7 more", "",
        "closed    conv1 is dead, steps 360 to 380", "          activation_std is 0.",
        "          advice: Lower the rate.", "", "closed    conv1 is dead, step 360", "",
        "rules whose inputs are missing:",
        "  update_ratio  post `update_ratio` to get this rule", "  saturation    post saturated_fraction", "",
        "1 older alert not kept"]
    assert server.asked[-1][0] == {"state": "all", "layers": "false"}
    assert main(["health", "a/b"]) == 2
    assert server.asked[-1][0] == {"state": "open", "layers": "false"}


def test_health_before_the_first_step(server, capsys):
    server.add_run("r7")
    server.health["r7"] = answer("waiting", as_of={"step": None, "seq": 0, "time": None, "reports": 0})
    assert main(["health", "r7"]) == 0
    assert "r7: waiting (no step was judged yet)" in capsys.readouterr().out


def test_health_prints_the_answer_itself(server, capsys):
    server.add_run("r7")
    server.health["r7"] = answer("warning", episodes=[episode()])
    assert main(["health", "r7", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == server.health["r7"]


def test_health_that_is_not_known_has_a_code_of_its_own(server, capsys, monkeypatch, tmp_path):
    assert main(["health"]) == 3
    assert "has no run yet" in capsys.readouterr().err
    assert main(["health", "r7"]) == 3
    assert "has no run 'r7'" in capsys.readouterr().err
    server.add_run("r7")
    assert main(["health", "r7"]) == 3
    assert "update the server" in capsys.readouterr().err
    server.health["r7"] = 401
    assert main(["health", "r7"]) == 3
    assert "scope read" in capsys.readouterr().err
    monkeypatch.setenv("NN_MONITOR_TOKEN", "reader-token")
    server.health["r7"] = answer("ok")
    assert main(["health", "r7"]) == 0
    assert server.asked[-1][1] == "Bearer reader-token"
