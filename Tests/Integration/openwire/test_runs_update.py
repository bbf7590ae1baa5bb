"""PUT, GET and DELETE of a run of the open wire."""

import gzip
import re

import pytest
from Support.clients.ingest import accept, kept_steps, run_path
from Support.clients.runs import errors, path, put, read, send
from Support.payloads import payload, run_id

KEYS = [
    "run_id", "project", "name", "group", "tags", "notes", "config", "state", "silent", "created_at", "last_update",
    "finished_at", "exit_code", "reason", "step_count", "first_step", "last_step", "last_seq", "layer_count",
    "metrics", "scalars", "vectors", "derived", "alerts", "events",
]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")


def test_a_put_begins_a_run_and_later_ones_change_it(either):
    run = run_id("é put")
    first = put(either, run, {
        "project": "p", "name": "n", "group": "g", "tags": ["a", "b"], "notes": "one\ntwo",
        "config": {"lr": 3e-4, "deep": {"x": 1}}}, 201)
    assert list(first) == KEYS
    assert first["run_id"] == run
    assert [first[key] for key in ("project", "name", "group", "tags", "notes")] == ["p", "n", "g", ["a", "b"],
                                                                                    "one\ntwo"]
    assert (first["state"], first["silent"], first["finished_at"], first["exit_code"]) == ("running", False, None, None)
    assert TIME.match(first["created_at"]) and TIME.match(first["last_update"])
    second = put(either, run, {"name": "other"})
    assert second["name"] == "other" and second["project"] == "p" and second["config"] == first["config"]
    assert second["created_at"] == first["created_at"] and second["last_update"] > first["last_update"]
    whole = read(either, run)
    assert list(whole) == KEYS + ["layers"]
    assert {key: whole[key] for key in KEYS} == second


def test_a_run_without_fields_has_their_empty_values(server):
    run = run_id("empty")
    whole = put(server, run, {}, 201)
    empty = {
        "project": None, "name": None, "group": None, "tags": [], "notes": None, "config": {}, "state": "running",
        "silent": False, "finished_at": None, "exit_code": None, "reason": None, "step_count": 0, "first_step": None,
        "last_step": None, "last_seq": 0, "layer_count": 0, "metrics": [], "scalars": [], "vectors": [], "derived": [],
        "alerts": {"warning": 0, "critical": 0}, "events": []}
    assert {key: whole[key] for key in empty} == empty
    assert read(server, run)["layers"] == []


def test_a_run_without_steps_in_the_first_wire(server):
    run = run_id("bare")
    put(server, run, {}, 201)
    entry = send(server, "GET", "/api/v1/runs").json()[run]
    assert list(entry) == ["created_at", "last_update", "step_count", "latest_step", "last_seq"]
    assert (entry["step_count"], entry["latest_step"], entry["last_seq"]) == (0, None, 0)
    assert kept_steps(server, run) == []
    latest = send(server, "GET", run_path(run) + "/latest")
    assert latest.status_code == 404
    assert latest.json() == {"detail": {"error": "not_found", "message": f"No data for run '{run}'"}}


def test_the_counters_names_and_layers_of_a_run(server):
    run = run_id("counters")
    for step in (7, 3, 7):
        accept(server, payload(run, step, layers=3))
    whole = read(server, run)
    assert (whole["step_count"], whole["first_step"], whole["last_step"], whole["last_seq"]) == (2, 3, 7, 3)
    assert whole["layer_count"] == 3
    assert [layer["id"] for layer in whole["layers"]] == ["block0/fc", "block1/fc", "block2/fc"]
    assert whole["layers"][1] == {"id": "block1/fc", "type": "Linear", "depth": 1, "shape": [32, 65]}
    assert set(whole["metrics"]) == {
        "activation_std", "activation_mean", "cross_layer_std_ratio", "gradient_l2_norm", "gradient_std",
        "gradient_max_abs", "weight_std", "weight_mean", "weight_spectral_norm", "weight_frobenius_norm", "bias_std",
        "bias_mean_abs"}
    assert whole["scalars"] == ["gradient_norm_ratio/block1.fc/block0.fc", "feature_std_gradient"]
    assert whole["derived"] == ["gradient_to_weight", "stable_rank", "gradient_rms", "heavy_tail"]
    assert send(server, "GET", "/api/v1/runs").json()[run]["last_seq"] == 3
    assert list(send(server, "GET", run_path(run)).json()) == ["created_at", "last_update", "steps", "last_seq"]


def test_metrics_without_a_value_are_not_listed(server):
    run = run_id("unbiased")
    posted = payload(run, 1, layers=1)
    del posted["layer_statistics"][0]["parameter_statistics"]["bias"]
    accept(server, posted)
    assert {"bias_std", "bias_mean_abs", "cross_layer_std_ratio"}.isdisjoint(read(server, run)["metrics"])
    accept(server, payload(run, 2, layers=1))
    assert {"bias_std", "bias_mean_abs"} <= set(read(server, run)["metrics"])


def test_the_config_merges_by_its_top_level_keys(server):
    run = run_id("config")
    put(server, run, {"config": {"a": 1, "b": {"x": 1, "y": 2}, "c": 3}}, 201)
    whole = put(server, run, {"config": {"b": {"z": 3}, "c": None, "d": [None]}})
    assert whole["config"] == {"a": 1, "b": {"z": 3}, "d": [None]}
    assert put(server, run, {"config": None, "tags": None, "state": None})["config"] == whole["config"]


def test_the_config_keeps_its_values_as_posted(server):
    run = run_id("exact")
    text = ('{"config": {"i": 9007199254740993, "f": 1.50e+2 ,"list":[ 1, [2, {"x" : null}] ,true,false, {}, []],'
            '"": "empty", "u\\u006e": "\\u00e9 \\" \\\\ \\n 😀", "nan": NaN, "inf": [Infinity, -Infinity, 1e999]}}')
    put(server, run, text, 201)
    body = send(server, "GET", path(run)).text
    assert ('"config":{"i":9007199254740993,"f":1.50e+2,"list":[1,[2,{"x":null}],true,false,{},[]],"":"empty",'
            '"un":"\\u00e9 \\" \\\\ \\n 😀","nan":"NaN","inf":["Infinity","-Infinity","Infinity"]}') in body


def test_the_limit_of_the_config_holds_after_merging(server):
    run = run_id("large")
    put(server, run, {"config": {"a": "x" * 200_000}}, 201)
    response = send(server, "PUT", path(run), {"config": {"b": "x" * 100_000}, "name": "new"})
    assert errors(response) == [("too_long", ["body", "config"])]
    assert response.json()["detail"][0]["ctx"]["max_length"] == 262_144
    whole = read(server, run)
    assert list(whole["config"]) == ["a"] and whole["name"] is None
    assert list(put(server, run, {"config": {"a": None, "b": "x" * 100_000}})["config"]) == ["b"]
    new = run_id("refused")
    assert errors(send(server, "PUT", path(new), {"config": {"a": "x" * 300_000}})) == [("too_long", ["body", "config"])]
    assert send(server, "GET", path(new)).status_code == 404


def test_null_clears_a_text_and_tags_are_replaced_whole(server):
    run = run_id("cleared")
    fields = ("project", "name", "group", "notes", "reason", "exit_code")
    put(server, run, {**dict.fromkeys(fields[:-1], "x"), "exit_code": 3, "tags": ["a"]}, 201)
    whole = put(server, run, {**dict.fromkeys(fields), "tags": ["b"]})
    assert [whole[key] for key in fields] == [None] * 6 and whole["tags"] == ["b"]


@pytest.mark.parametrize(("body", "found"), [
    ("", [("missing", ["body"])]),
    ("[]", [("model_attributes_type", ["body"])]),
    ("7", [("model_attributes_type", ["body"])]),
    ("{", [("json_invalid", ["body", 1])]),
    ('{"name":"x"}y', [("json_invalid", ["body", 12])]),
    ('{"name":7}', [("string_type", ["body", "name"])]),
    ('{"name":"\\ud800"}', [("string_unicode", ["body", "name"])]),
    ({"project": "é" * 513}, [("string_too_long", ["body", "project"])]),
    ({"notes": "x" * 65_537}, [("string_too_long", ["body", "notes"])]),
    ({"tags": "a"}, [("list_type", ["body", "tags"])]),
    ({"tags": ["a", 7, "x" * 1025]}, [("string_type", ["body", "tags", 1]), ("string_too_long", ["body", "tags", 2])]),
    ({"tags": ["a"] * 101}, [("too_long", ["body", "tags"])]),
    ({"config": []}, [("dict_type", ["body", "config"])]),
    ('{"config":{"\\ud800":1}}', [("string_unicode", ["body", "config", "\ufffd"])]),
    ({"state": "crashed"}, [("enum", ["body", "state"])]),
    ({"state": 1}, [("string_type", ["body", "state"])]),
    ({"exit_code": "1"}, [("int_type", ["body", "exit_code"])]),
    ({"exit_code": 1.5}, [("int_from_float", ["body", "exit_code"])]),
    ('{"exit_code":NaN}', [("finite_number", ["body", "exit_code"])]),
    ('{"exit_code":9223372036854775808}', [("int_parsing_size", ["body", "exit_code"])]),
    ({"resume_from": -1}, [("greater_than_equal", ["body", "resume_from"])]),
    ({"resume_from": True}, [("int_type", ["body", "resume_from"])]),
    ('{"resume_from":-1,"name":7,"state":0}',
     [("string_type", ["body", "name"]), ("string_type", ["body", "state"]),
      ("greater_than_equal", ["body", "resume_from"])]),
])
def test_an_invalid_update_is_refused_and_changes_nothing(server, body, found):
    run = run_id("invalid")
    response = send(server, "PUT", path(run), body)
    assert errors(response) == found
    assert send(server, "GET", path(run)).status_code == 404


def test_the_last_of_duplicate_keys_wins(server):
    run = run_id("duplicate")
    assert put(server, run, '{"name":7,"name":"x","config":{"a":1,"a":2},"unknown":[1]}', 201)["name"] == "x"
    assert read(server, run)["config"] == {"a": 2}


@pytest.mark.parametrize(("run", "kind"), [
    ("x" * 513, "string_too_long"), ("a\nb", "string_pattern_mismatch"), ("a\x7f", "string_pattern_mismatch"),
])
def test_an_invalid_run_id_is_refused(server, run, kind):
    for method, where, body in (("PUT", "", {}), ("GET", "", None), ("DELETE", "", None),
                                ("POST", "/alerts", {"title": "t"})):
        assert errors(send(server, method, path(run) + where, body)) == [(kind, ["path", "run"])], method


def test_states(server):
    run = run_id("states")
    put(server, run, {}, 201)
    whole = put(server, run, {"state": "failed", "exit_code": -9, "reason": "SIGKILL"})
    assert (whole["state"], whole["exit_code"], whole["reason"]) == ("failed", -9, "SIGKILL")
    assert TIME.match(whole["finished_at"])
    accept(server, payload(run, 1))
    again = put(server, run, {"state": "failed"})
    assert again["state"] == "failed" and again["finished_at"] == whole["finished_at"], "steps do not change the state"
    whole = put(server, run, {"state": "running"})
    assert [whole[key] for key in ("state", "finished_at", "exit_code", "reason")] == ["running", None, None, None]
    events = [{key: value for key, value in event.items() if key != "time"} for event in whole["events"]]
    assert events == [{"type": "state", "state": "failed", "exit_code": -9, "reason": "SIGKILL"},
                      {"type": "state", "state": "running", "exit_code": None, "reason": None}]
    assert all(TIME.match(event["time"]) for event in whole["events"])


def test_a_heartbeat_moves_the_last_update(server):
    run = run_id("heartbeat")
    first = put(server, run, {}, 201)
    second = put(server, run, {})
    assert second["last_update"] > first["last_update"]
    assert {**second, "last_update": 0} == {**first, "last_update": 0}


def test_resume_from_drops_the_steps_from_it_on(server):
    run = run_id("resumed")
    for step in range(10):
        accept(server, payload(run, step))
    whole = put(server, run, {"resume_from": 6})
    assert (whole["step_count"], whole["last_step"], whole["last_seq"]) == (6, 5, 10)
    (event,) = whole["events"]
    assert {**event, "time": 0} == {"type": "resumed", "time": 0, "step": 6, "dropped": 4}
    assert [step["step"] for step in kept_steps(server, run)] == list(range(6))
    accept(server, payload(run, 6))
    assert read(server, run)["last_seq"] == 11
    whole = put(server, run, {"resume_from": 0})
    assert whole["step_count"] == 0 and whole["layer_count"] == 2
    assert send(server, "GET", run_path(run) + "/latest").status_code == 404


def test_a_restart_below_the_kept_steps_is_an_event_and_a_log_line(start_server):
    own = start_server("--max-steps-per-run", 10)
    for step in range(100, 112):
        accept(own, payload("r", step))
    for step in range(5):
        accept(own, payload("r", step))
    whole = read(own, "r")
    events = [{**event, "time": 0} for event in whole["events"]]
    assert events == [
        {"type": "steps_dropped", "time": 0, "step": 101, "dropped": 2, "reason": "max_steps_per_run"},
        {"type": "restarted", "time": 0, "step": 0, "not_kept": 5}]
    assert (whole["step_count"], whole["last_seq"]) == (10, 17)
    assert own.stop() == 0
    assert [line for line in own.output.splitlines() if "resume_from" in line and "run_id=r" in line]


def test_a_deleted_run_begins_anew(server):
    run = run_id("deleted")
    first = put(server, run, {"name": "n", "config": {"a": 1}}, 201)
    accept(server, payload(run, 1))
    assert send(server, "DELETE", path(run)).status_code == 204
    for method in ("GET", "DELETE"):
        response = send(server, method, path(run))
        assert response.status_code == 404
        assert response.json() == {"detail": {"error": "not_found", "message": f"Run '{run}' not found"}}
    accept(server, payload(run, 9))
    whole = read(server, run)
    assert (whole["name"], whole["config"], whole["last_seq"]) == (None, {}, 1)
    assert whole["created_at"] > first["created_at"]


def test_a_compressed_update(server):
    run = run_id("compressed")
    body = gzip.compress('{"name":"é"}'.encode())
    headers = {"Content-Encoding": "gzip"}
    assert send(server, "PUT", path(run), body[:-3], headers).status_code == 400
    response = send(server, "PUT", path(run), body, headers)
    assert response.status_code == 201 and response.json()["name"] == "é"
