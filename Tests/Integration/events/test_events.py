"""Live messages as Server-Sent Events: GET /api/v2/events."""

import pytest
from Support.clients.access import call
from Support.clients.events import PATH, STEPS, EventStream
from Support.clients.ingest import accept
from Support.clients.live import LiveSocket
from Support.clients.openwire import accept_steps
from Support.clients.runs import errors, path, put, send
from Support.payloads import payload, run_id
from Support.wire.raw import RawConnection, request


def step(number: int, **more) -> dict:
    return {"step": number, "time": number + 1, "scalars": {"loss": number / 4}, "layers": ["a.b", "c"],
            "metrics": {"m": [number, None], "n": [1, "NaN"]}, "vectors": {"v": {"c": [number]}}, **more}


# The response

@pytest.mark.parametrize("gzip", [False, True])
def test_the_head_forbids_proxies_to_store_or_hold_back_the_stream(either, gzip):
    with EventStream(either, gzip=gzip) as stream:
        assert (stream.answer.version, stream.answer.status) == ("HTTP/1.1", 200)
        assert stream.answer["content-type"] == "text/event-stream"
        assert stream.answer["cache-control"] == "no-cache, no-store, no-transform"
        assert stream.answer["x-accel-buffering"] == "no"
        assert "Accept-Encoding" in stream.answer["vary"]
        assert stream.answer["content-encoding"] == ("gzip" if gzip else "")


def test_an_event_has_its_seq_as_id_and_its_message_on_one_line(server):
    run = run_id("lines")
    put(server, run, {}, 201)
    with EventStream(server, run=run, form="columns", metrics="") as stream:
        # A client that is cut off before its first event resumes from here.
        assert stream.block() == ["id: 0"]
        accept_steps(server, run, {"step": 7, "time": 1, "scalars": {"a\nb": 1}} | {"scalars": {"é": 1}})
        assert stream.block() == [
            "id: 1", f'data: {{"type":"step","run_id":"{run}","seq":1,'
                     '"data":{"step":7,"time":1.0,"seq":1,"scalars":{"é":1.0}}}']
        put(server, run, {"name": "n"})
        data, = stream.block()
        assert data.startswith('data: {"type":"run",'), "only a step has an id"


def test_head_has_the_same_fields_and_subscribes_nobody(start_server):
    server = start_server("--max-subscribers", 1)
    put(server, "r", {}, 201)
    with EventStream(server, run="r") as stream, RawConnection(server) as connection:
        head = connection.ask(request(PATH + "?run=r", "HEAD"), head=True)
        fields = [(name, value) for name, value in stream.answer.headers if name not in ("date", "transfer-encoding")]
        assert [field for field in head.headers if field[0] != "date"] == fields
        # The connection goes on.
        assert connection.ask(request("/health")).json()["active_connections"] == 1
        assert connection.ask(request(PATH + "?run=x", "HEAD"), head=True).status == 404


@pytest.mark.parametrize("gzip", [False, True])
def test_a_client_of_http_1_0_gets_the_stream_without_chunks(start_server, gzip):
    server = start_server()
    with EventStream(server, version="HTTP/1.0", gzip=gzip, form="columns") as stream:
        assert "transfer-encoding" not in stream.answer and stream.answer["connection"] == "close"
        accept_steps(server, "r", {"step": 1})
        assert stream.steps(1) == [(1, 1)]
        server.signal(15)
        assert stream.rest() == [] and stream.is_complete


# What comes

@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("query, watch", [
    ({}, {}), ({"form": "full"}, {}), ({"form": "lite"}, {"form": "lite"}), ({"form": "columns"}, {"form": "columns"}),
    ({"form": "columns", "metrics": "m,v"}, {"form": "columns", "metrics": ["m", "v"]}),
    ({"form": "columns", "metrics": ""}, {"form": "columns", "metrics": []}),
    ({"form": "columns", "layers": "false"}, {"form": "columns", "layers": False}),
    ({"form": "columns", "layers": "true", "metrics": r"a\,b"}, {"form": "columns", "metrics": ["a,b"]}),
])
def test_the_messages_are_those_of_a_websocket_that_watches_the_run(either, query, watch, gzip):
    run, other = run_id("same"), run_id("other")
    put(either, run, {}, 201)
    with LiveSocket(either) as socket, EventStream(either, run=run, gzip=gzip, **query) as stream:
        socket.watch([run], **watch)
        accept_steps(either, run, step(1), step(2, layers=["x"], metrics={"a,b": [1]}, vectors={}), {"step": 3})
        accept_steps(either, other, step(1))
        accept(either, payload(run, 9))
        put(either, run, {"name": "n"})
        put(either, run, {"resume_from": 3})
        assert send(either, "POST", path(run) + "/alerts", {"title": "t"}).status_code == 202
        accept_steps(either, run, step(4))
        send(either, "DELETE", path(run))
        expected = socket.arrived()
        events = [stream.next() for _ in expected]
    assert [event.message for event in events] == expected
    for event in events:
        assert event.id == (str(event.message["seq"]) if event.message["type"] in STEPS else None)


def test_without_a_run_all_runs_come_live_and_without_ids(server):
    one, two = run_id("one"), run_id("two")
    accept_steps(server, one, {"step": 1})
    with EventStream(server, last_event_id=0, form="columns", since_seq=0) as stream:
        accept_steps(server, two, {"step": 5})
        accept_steps(server, one, {"step": 6})
        events = []
        while len([event for event in events if event.message["type"] == "step"]) < 2:
            event = stream.next()
            if event.message["run_id"] in (one, two):
                events.append(event)
    assert [(event.message["type"], event.message["run_id"], event.id) for event in events] == [
        ("run", two, None), ("step", two, None), ("step", one, None)]


def test_the_form_runs_has_no_steps(server):
    run = run_id("runs")
    accept_steps(server, run, {"step": 1})
    with EventStream(server, run=run, form="runs", since_seq=0) as stream:
        accept_steps(server, run, {"step": 2})
        assert stream.next().message["data"]["last_seq"] == 2, "the run, at most once a second"
        send(server, "DELETE", path(run))
        events = [stream.next()]
        while events[-1].message["type"] != "run_deleted":
            events.append(stream.next())
    assert {event.message["type"] for event in events} <= {"run", "run_deleted"} and stream.last_id is None


def test_a_run_that_is_deleted_and_begins_again_goes_on(server):
    run = run_id("again")
    accept_steps(server, run, {"step": 1})
    with EventStream(server, run=run, form="columns") as stream:
        send(server, "DELETE", path(run))
        assert stream.next().message == {"type": "run_deleted", "run_id": run, "reason": "deleted"}
        accept_steps(server, run, {"step": 8})
        assert stream.next().message["type"] == "run"
        assert stream.steps(1) == [(1, 8)]


def test_run_ids_are_compared_as_bytes(server):
    base = run_id("bytes")
    composed, decomposed = base + "\u00e9", base + "e\u0301"
    for run in (composed, decomposed):
        put(server, run, {}, 201)
    with EventStream(server, run=decomposed, form="columns") as stream:
        for run in (composed, decomposed):
            accept_steps(server, run, {"step": 1})
        assert stream.until("step").message["run_id"] == decomposed


# Refused

@pytest.mark.parametrize("name, value, kind", [
    ("form", "tiny", "enum"), ("form", "", "enum"), ("since_seq", "x", "int_parsing"),
    ("since_seq", "-1", "greater_than_equal"), ("since_seq", "1.5", "int_parsing"), ("since_seq", "", "int_parsing"),
    ("limit", "-1", "greater_than_equal"), ("limit", "all", "int_parsing"), ("layers", "no", "enum"),
    ("run", "", "string_too_short"), ("run", "..", "string_pattern_mismatch"),
])
def test_an_invalid_parameter_is_answered_422(server, name, value, kind):
    run = run_id("invalid")
    put(server, run, {}, 201)
    response = send(server, "GET", f"{PATH}?run={run}&{name}={value}")
    assert errors(response) == [(kind, ["query", name])]
    assert response.headers["Content-Type"] == "application/json"


def test_an_unknown_run_is_answered_404_and_counts_as_no_subscriber(server):
    before = send(server, "GET", "/health").json()["active_connections"]
    for query in ({}, {"since_seq": 3}, {"form": "runs"}):
        with EventStream(server, run="nowhere", **query) as stream:
            assert stream.answer.status == 404
            assert stream.answer.json() == {"detail": {"error": "not_found", "message": "Run 'nowhere' not found"}}
            # The connection goes on.
            assert stream.ask(request("/health")).json()["active_connections"] == before


def test_reading_needs_the_scope_read(guarded):
    for token, status in (("", 401), ("trainer", 403), ("viewer", 404)):
        assert call(guarded, "GET", PATH + "?run=nowhere", token).status_code == status
    assert call(guarded, "POST", PATH, "viewer").status_code == 405


def test_pages_of_listed_origins_may_read_and_resume(start_server):
    server = start_server("--cors-origins", "https://page.example")
    put(server, "r", {}, 201)
    with EventStream(server, run="r", headers=["Origin: https://page.example"]) as stream:
        assert stream.answer["access-control-allow-origin"] == "https://page.example"
    answer = call(server, "OPTIONS", PATH, headers={
        "Origin": "https://page.example", "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "last-event-id"})
    assert "last-event-id" in answer.headers["Access-Control-Allow-Headers"]
