"""Run ids and keys are compared as bytes: canonically equivalent strings stay distinct."""

import json

import pytest
from Support.clients.ingest import accept, changed, get, kept_run, kept_steps, kinds, post, raw_get, rejected, run_path
from Support.clients.libraries import receive, session, subscribe
from Support.payloads import payload, run_id
from Support.wire.raw import RawConnection

# Pairs of canonically equivalent strings.
EQUIVALENT = {
    "precomposed": ("\u00e9", "e\u0301"),
    "kelvin": ("K", "\u212a"),
    "angstrom": ("\u00c5", "\u212b"),
    "hangul": ("\uac00", "\u1100\u1161"),
    "order of marks": ("q\u0307\u0323", "q\u0323\u0307"),
    "semicolon": (";", "\u037e"),
}
pairs = pytest.mark.parametrize("first, second", EQUIVALENT.values(), ids=EQUIVALENT.keys())


@pairs
def test_ids_of_other_bytes_are_other_runs(server, first, second):
    prefix = run_id()
    runs = [prefix + first, prefix + second]
    for step, run in enumerate(runs):
        assert accept(server, payload(run, step))["run_id"] == run
    listing = get(server, "/api/v1/runs").json()
    for step, run in enumerate(runs):
        assert [item["step"] for item in kept_steps(server, run)] == [step]
        assert get(server, run_path(run) + "/latest").json()["step"] == step
        assert (listing[run]["step_count"], listing[run]["latest_step"]) == (1, step)
    with session(server) as client:
        assert client.delete(server.url + run_path(runs[0])).status_code == 204
        assert client.delete(server.url + run_path(runs[0])).status_code == 404
    assert get(server, run_path(runs[0])).status_code == 404
    assert [item["step"] for item in kept_steps(server, runs[1])] == [1]


@pairs
def test_a_subscriber_gets_the_history_and_the_steps_of_the_bytes_it_named(server, first, second):
    prefix = run_id()
    runs = [prefix + first, prefix + second]
    accept(server, payload(runs[0], 1))
    with subscribe(server) as watching:
        receive(watching, kind="initial_runs")
        watching.send(json.dumps({"action": "subscribe_run", "run_id": runs[1]}))
        assert receive(watching, kind="error")["message"] == f"Run '{runs[1]}' not found"
        watching.send(json.dumps({"action": "subscribe_run", "run_id": runs[0]}))
        assert [step["step"] for step in receive(watching, kind="run_history", run=runs[0])["data"]["steps"]] == [1]
        accept(server, payload(runs[1], 2))
        assert receive(watching, kind="new_metrics", run=runs[1])["data"]["step"] == 2


@pairs
def test_a_new_run_of_other_bytes_evicts(start_server, first, second):
    own = start_server("--max-runs", 1)
    accept(own, payload(first))
    accept(own, payload(second, 5))
    assert list(get(own, "/api/v1/runs").json()) == [second]
    assert [step["step"] for step in kept_steps(own, second)] == [5]


@pairs
def test_keys_and_names_of_other_bytes_are_others(server, first, second):
    run = run_id("keys")
    posted = payload(run)
    posted["cross_layer_analysis"]["gradient_norm_ratio"] = {first: 1.5, second: 2.5}
    posted["metadata"]["layer_groups"] = {first: [second], second: [first]}
    accept(server, posted)
    again = payload(run, 1)
    for item, name in zip(again["layer_statistics"], (first, second)):
        item["layer_id"] = item["layer_type"] = name
    accept(server, again)
    swapped = payload(run, 2)
    for item, name in zip(swapped["layer_statistics"], (second, first)):
        item["layer_id"] = item["layer_type"] = name
    accept(server, swapped)
    steps = kept_run(server, run)["steps"]
    assert steps[0]["cross_layer"]["gradient_norm_ratio"] == {first: 1.5, second: 2.5}
    assert steps[0]["layer_groups"] == {first: [second], second: [first]}
    assert [item["layer_id"] for item in steps[1]["layers"]] == [first, second]
    assert [item["layer_id"] for item in steps[2]["layers"]] == [second, first]
    assert [item["layer_type"] for item in steps[2]["layers"]] == [second, first]


@pytest.mark.parametrize("run", [".", ".."])
def test_ids_that_no_url_can_name_are_refused(server, run):
    errors = rejected(post(server, payload(run)))
    assert kinds(errors) == [("string_pattern_mismatch", ("metadata", "run_id"))]
    # Clients and proxies may remove the dot segment, however it is encoded: no such run can exist.
    assert raw_get(server, f"/api/v1/runs/{run.replace('.', '%2E')}")[0] == 404


@pytest.mark.parametrize("run", ["...", ".a", "a.", "./", "..a", ". "])
def test_ids_with_dots_that_urls_can_name_are_accepted(server, run):
    accept(server, payload(run, 3))
    assert 3 in [step["step"] for step in kept_steps(server, run)]


def test_an_escaped_id_is_its_characters(server):
    assert kinds(rejected(post(server, changed(payload("x"), ("metadata", "run_id"), ".."))))
    body = json.dumps(payload("RUN")).replace('"RUN"', '"\\u002e\\u002E"')
    assert kinds(rejected(post(server, body))) == [("string_pattern_mismatch", ("metadata", "run_id"))]


@pytest.mark.parametrize("word, status", [("websocket", 101), ("WebSocKet", 101), ("websoc\u212aet", 426)])
def test_a_word_of_the_protocol_is_its_bytes(server, word, status):
    """U+212A lowercases to `k` in a Unicode case mapping."""
    head = (f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: {word}\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    with RawConnection(server) as connection:
        assert connection.ask(head.encode(), head=status == 101).status == status
