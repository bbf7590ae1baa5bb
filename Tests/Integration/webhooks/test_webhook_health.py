"""Episodes of layer health at the receivers of alerts."""

import json
from pathlib import Path

import jsonschema
import pytest
from Support.clients.alerts import settled
from Support.clients.openwire import accept_steps
from Support.clients.runs import path, put, send
from Support.servers.receiver import Receiver

SCHEMAS = Path(__file__).parent / "schemas"
LAYERS = [f"block{number}" for number in range(40)]


def step(number: int, metric: str, value) -> dict:
    return {"step": number, "layers": [{"id": layer, "depth": depth} for depth, layer in enumerate(LAYERS)],
            "metrics": {metric: [value] * len(LAYERS)}}


def test_a_fault_of_many_layers_is_one_message_for_each_event(start):
    with Receiver() as receiver:
        server = start(f"json=http://127.0.0.1:{receiver.port}/", options=["--public-url", "https://m.example/"])
        accept_steps(server, "r", *(step(number, "activation_std", 0 if number >= 10 else 0.64) for number in range(20)))
        [opened] = [message.json for message in receiver.wait(1)]
        assert opened["event"] == "opened" and opened["episode"]["kind"] == "dead_layer"
        assert opened["episode"]["layer_count"] == len(LAYERS) and opened["episode"]["state"] == "open"
        assert opened["episode"]["url"] == "https://m.example/#run=r&step=10&layer=block0"
        assert len(opened["alerts"]) == 10 and opened["alerts"][0]["layer"] == "block0"
        found = send(server, "GET", path("r") + "/health").json()
        # The step after the opening has changed it.
        changing = {"last_step": None}
        assert {**found["episodes"][0], **changing} == {**opened["episode"], **changing}
        accept_steps(server, "r", *(step(number, "activation_std", 0.64) for number in range(20, 31)))
        closed = receiver.wait(2)[1].json
        assert closed["event"] == "closed" and closed["episode"]["id"] == opened["episode"]["id"]
        assert closed["episode"]["state"] == "closed" and closed["delivery"] != opened["delivery"]
        settled(server, delivered=2)


def test_a_warning_that_becomes_critical_is_escalated(start):
    with Receiver() as receiver:
        server = start(f"json=http://127.0.0.1:{receiver.port}/")
        accept_steps(server, "r", *(step(number, "overflow_fraction", value)
                                    for number, value in enumerate([0, 0, 0.0005, 0.0005, 0.1, 0.1])))
        events = [(message.json["event"], message.json["episode"]["severity"]) for message in receiver.wait(2)]
        assert events == [("opened", "warning"), ("escalated", "critical")]
        settled(server, delivered=2)


def test_an_episode_below_the_least_severity_is_sent_once_it_is_critical(start):
    with Receiver() as receiver:
        server = start(f"json=http://127.0.0.1:{receiver.port}/", options=["--alert-min-severity", "critical"])
        accept_steps(server, "r", *(step(number, "overflow_fraction", value)
                                    for number, value in enumerate([0, 0.0005, 0.1])))
        [message] = receiver.wait(1)
        assert message.json["event"] == "escalated"
        settled(server, delivered=1)


@pytest.mark.parametrize("name", ["slack", "discord", "ntfy"])
def test_people_get_layer_step_value_and_link(start, name):
    with Receiver() as receiver:
        server = start(f"{name}=http://127.0.0.1:{receiver.port}/topic", options=["--public-url", "https://m.example"])
        put(server, "r", {"name": "first", "project": "digits"})
        accept_steps(server, "r", *(step(number, "activation_std", "NaN" if number >= 10 else 0.64)
                                    for number in range(12)))
        accept_steps(server, "r", *(step(number, "activation_std", 0.64) for number in range(12, 23)))
        messages = receiver.wait(2)
        for message in messages:
            jsonschema.validate(message.json, json.loads((SCHEMAS / f"{name}.json").read_text()))
        opened, closed = (json.dumps(message.json).replace("\\\\", "") for message in messages)
        for part in ("Critical: ", "first (r)", "digits", "activation_std = NaN", "10", "#run=r"):
            assert part in opened, part
        assert "Resolved: " in closed
