"""What the receivers of alerts get, in each format."""

import base64
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from Support.clients.openwire import accept_steps
from Support.clients.runs import path, put, send
from Support.servers.receiver import Receiver

SCHEMAS = Path(__file__).parent / "schemas"
EPISODE = {"id", "run_id", "state", "severity", "kind", "origin", "rules", "layers", "layer_count", "alerts", "first_step",
           "opened_step", "last_step", "closed_step", "opened_at", "closed_at", "title", "message", "advice", "url"}
ALERT = {"id", "run_id", "episode", "source", "rule", "layer", "depth", "severity", "state", "first_step", "opened_step",
         "escalated_step", "last_step", "closed_step", "opened_seq", "last_seq", "opened_at", "last_at", "closed_at",
         "reports", "metric", "value", "opened_value", "worst_value", "worst_step", "comparison", "threshold", "baseline",
         "inputs", "evidence", "inputs_missing", "title", "message", "advice", "help", "url"}


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def start(start_server, webhooks: str, *options):
    return start_server("--public-url", "https://monitor.example.org/nn", *options,
                        env={"NN_MONITOR_ALERT_WEBHOOKS": webhooks})


def post(server, run: str, title: str, level: str = "warning", **more):
    response = send(server, "POST", path(run) + "/alerts", {"level": level, "title": title, **more})
    assert response.status_code == 202, response.text


def valid(name: str, message):
    jsonschema.validate(message.json, json.loads((SCHEMAS / f"{name}.json").read_text()))


def test_json_has_the_whole_episode(start_server, receiver):
    server = start(start_server, f"json=http://127.0.0.1:{receiver.port}/hook?a=1,2")
    put(server, "r/7", {"name": "first", "project": "digits"}, 201)
    accept_steps(server, "r/7", {"step": 7, "scalars": {"x": 1}})
    before = time.time()
    post(server, "r/7", "plateau", "critical", text="no progress\nfor an hour", step=7)
    [message] = receiver.wait(1)
    assert (message.method, message.target) == ("POST", "/hook?a=1,2")
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["content-type"] == "application/json"
    body = message.json
    assert set(body) == {"event", "sent_at", "delivery", "run", "episode", "alerts"}
    assert body["event"] == "opened" and body["delivery"] == message.delivery and len(body["delivery"]) == 32
    assert before - 1 <= body["sent_at"] <= time.time() + 1
    assert body["run"] == {"run_id": "r/7", "project": "digits", "name": "first"}
    link = "https://monitor.example.org/nn/#run=r%2F7&step=7"
    episode = body["episode"]
    assert set(episode) == EPISODE
    assert {name: episode[name] for name in ("kind", "state", "severity", "title", "message", "first_step", "url")} == {
        "kind": "trainer", "state": "closed", "severity": "critical", "title": "plateau",
        "message": "no progress\nfor an hour", "first_step": 7, "url": link}
    [alert] = body["alerts"]
    assert set(alert) == ALERT
    assert alert["id"] in episode["alerts"] and alert["source"] == "trainer" and alert["url"] == link


@pytest.mark.parametrize("name", ["slack", "discord", "ntfy"])
def test_each_service_gets_a_body_that_it_accepts(start_server, receiver, name):
    server = start(start_server, f"{name}=http://127.0.0.1:{receiver.port}/topic")
    put(server, "r", {"name": "first", "project": "digits"}, 201)
    post(server, "r", "no progress", text="for an hour", step=7)
    post(server, "r", "x" * 1024, "critical", text="<&>*_`" * 10_000)
    post(server, "r", "\u0001\t\U0001F600", "critical", text=" \n")
    put(server, " ", {}, 201)
    post(server, " ", "of a run with a blank name", "critical")
    put(server, "long", {"name": "&" * 1024, "project": "_" * 1024}, 201)
    post(server, "long", "of a run with a long name")
    messages = receiver.wait(5)
    for message in messages:
        valid(name, message)
    text = json.dumps(messages[0].json)
    for part in ("no progress", "first (r)", "digits", "for an hour", "https://monitor.example.org/nn/#run=r"):
        assert part in text, part
    assert messages[0].target == {"slack": "/topic", "discord": "/topic?wait=true", "ntfy": "/"}[name]


def test_without_a_public_address_there_is_no_link(start_server, receiver):
    base = f"http://127.0.0.1:{receiver.port}"
    server = start_server(env={"NN_MONITOR_ALERT_WEBHOOKS": f"slack={base}/a discord={base}/b ntfy={base}/c json={base}/d"})
    put(server, "r", {}, 201)
    post(server, "r", "t")
    messages = {message.target: message for message in receiver.wait(4)}
    for name, target in [("slack", "/a"), ("discord", "/b?wait=true"), ("ntfy", "/")]:
        valid(name, messages[target])
        assert "#run=" not in messages[target].body.decode()
    assert messages["/d"].json["episode"]["url"] is None


def test_the_user_of_an_address_becomes_a_header(start_server, receiver):
    server = start(start_server, f"ntfy=http://:tk_secret@127.0.0.1:{receiver.port}/topic")
    put(server, "r", {}, 201)
    post(server, "r", "t")
    [message] = receiver.wait(1)
    assert message.headers["authorization"] == "Basic " + base64.b64encode(b":tk_secret").decode()
    assert message.json["topic"] == "topic"


@pytest.mark.parametrize(("minimum", "sent"), [("info", ["i", "w", "c"]), ("warning", ["w", "c"]), ("critical", ["c"])])
def test_less_severe_alerts_are_not_sent(start_server, receiver, minimum, sent):
    server = start(start_server, f"json=http://127.0.0.1:{receiver.port}/", "--alert-min-severity", minimum)
    put(server, "r", {}, 201)
    for title, level in [("i", "info"), ("w", "warning"), ("c", "critical")]:
        post(server, "r", title, level)
    assert [message.json["episode"]["title"] for message in receiver.wait(len(sent))] == sent
    server.end()
    assert len(receiver.messages) == len(sent)


def test_the_receiver_of_the_documentation(start_server, tmp_path):
    text = (Path(__file__).parents[3] / "docs/ALERTS.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "9000" in code
    program = subprocess.Popen([sys.executable, "-c", code.replace("9000", str(port))], cwd=tmp_path, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        server = start(start_server, f"json=http://127.0.0.1:{port}/alerts", "--alert-retries", 1000,
                       "--alert-retry-max", 0.2)
        put(server, "r7", {}, 201)
        post(server, "r7", "a test")
        assert program.stdout.readline() == "opened r7 a test\n"
    finally:
        program.kill()
        program.communicate()


def test_the_start_shows_the_receivers_without_their_secrets(start_server, receiver):
    server = start(start_server, f"json=http://a:s3cret@127.0.0.1:{receiver.port}/s3cret ntfy=http://localhost/s3cret")
    server.wait_for_line("^  alerts  to json 127.0.0.1, ntfy localhost$")
    server.end()
    assert "s3cret" not in server.output


def test_webhooks_of_the_env_file(start_server, receiver, tmp_path):
    (tmp_path / ".env").write_text(
        f"NN_MONITOR_ALERT_WEBHOOKS=json=http://127.0.0.1:{receiver.port}/a  json=http://127.0.0.1:{receiver.port}/b\n")
    server = start_server()
    put(server, "r", {}, 201)
    post(server, "r", "t")
    assert {message.target for message in receiver.wait(2)} == {"/a", "/b"}
