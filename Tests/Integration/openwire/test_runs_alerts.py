"""Alerts that a trainer posts."""

import pytest
from Support.clients.ingest import accept
from Support.clients.libraries import receive, subscribe
from Support.clients.runs import errors, path, put, read, send
from Support.payloads import payload, run_id


def post(server, run: str, body):
    return send(server, "POST", path(run) + "/alerts", body)


def test_an_alert_is_an_event_of_the_run_and_closed_at_once(either):
    run = run_id("alert")
    accept(either, payload(run, 7))
    before = read(either, run)["last_update"]
    response = post(either, run, {"level": "warning", "title": "plateau", "text": "no progress\nfor an hour", "step": 7})
    assert response.status_code == 202
    assert response.json() == {"status": "accepted", "run_id": run}
    assert post(either, run, {"title": "only a title"}).status_code == 202
    whole = read(either, run)
    assert whole["alerts"] == {"warning": 0, "critical": 0}
    assert whole["last_update"] > before
    assert [{**event, "time": 0} for event in whole["events"]] == [
        {"type": "alert", "time": 0, "id": "1", "level": "warning", "title": "plateau",
         "text": "no progress\nfor an hour", "step": 7},
        {"type": "alert", "time": 0, "id": "2", "level": "info", "title": "only a title", "text": None, "step": None}]


@pytest.mark.parametrize(("body", "found"), [
    ({}, [("missing", ["body", "title"])]),
    ({"title": ""}, [("string_too_short", ["body", "title"])]),
    ({"title": None}, [("string_type", ["body", "title"])]),
    ({"title": "x" * 1025}, [("string_too_long", ["body", "title"])]),
    ({"title": "t", "level": "fatal"}, [("enum", ["body", "level"])]),
    ({"title": "t", "text": 7, "step": -1},
     [("string_type", ["body", "text"]), ("greater_than_equal", ["body", "step"])]),
    ({"title": "t", "text": "x" * 65_537}, [("string_too_long", ["body", "text"])]),
])
def test_an_invalid_alert_is_refused(server, body, found):
    run = run_id("invalid")
    put(server, run, {}, 201)
    assert errors(post(server, run, body)) == found
    assert read(server, run)["events"] == []


def test_an_alert_of_an_unknown_run(server):
    run = run_id("nowhere")
    response = post(server, run, {"title": "t"})
    assert response.status_code == 404
    assert response.json() == {"detail": {"error": "not_found", "message": f"Run '{run}' not found"}}


def test_the_last_thousand_events_are_kept(server):
    run = run_id("thousand")
    put(server, run, {}, 201)
    for number in range(1005):
        assert post(server, run, {"title": f"{number}"}).status_code == 202
    events = read(server, run)["events"]
    assert [event["title"] for event in events] == [f"{number}" for number in range(5, 1005)]


def test_a_plain_subscriber_gets_no_new_messages(server):
    run = run_id("plain")
    with subscribe(server) as watching:
        assert receive(watching)["type"] == "initial_runs"
        put(server, run, {"name": "n"}, 201)
        accept(server, payload(run, 1))
        post(server, run, {"title": "t"})
        put(server, run, {"state": "finished", "resume_from": 0})
        accept(server, payload(run, 2))
        send(server, "DELETE", path(run))
        messages = []
        while not messages or messages[-1]["type"] != "run_deleted":
            message = receive(watching)
            if message.get("run_id") == run:
                messages.append(message)
    assert [message["type"] for message in messages] == ["new_metrics", "new_metrics", "run_deleted"]
