"""POST /api/v2/runs/{run}/steps with one step: what is accepted, refused, ignored, and what comes back."""

import gzip
import json
import time
import unicodedata
import zlib

import pytest
from Support.clients.access import call
from Support.clients.ingest import kinds, post, raw_get, rejected
from Support.clients.libraries import receive, subscribe
from Support.clients.openwire import (EXAMPLE, accept_steps, as_served, exists, post_step, read_steps,
                                      run_path)
from Support.payloads import payload, run_id


def errors_at(server, body, *paths):
    """Posts what must be refused, and compares type and path of each error."""
    assert kinds(rejected(post_step(server, run_id("refused"), body))) == list(paths)


def test_a_step_comes_back_as_it_was_posted(server):
    run = run_id("step")
    response = post_step(server, run, EXAMPLE)
    assert (response.status_code, response.text) == (202, f'{{"status":"accepted","run_id":"{run}","seq":1}}')
    assert read_steps(server, run) == [as_served(EXAMPLE, 1)]


def test_a_step_needs_only_its_number(server):
    run = run_id("alone")
    before = time.time()
    accept_steps(server, run, {"step": 0})
    step, = read_steps(server, run)
    assert step.keys() == {"step", "time", "seq"}
    assert before - 1 < step["time"] < time.time() + 1


def test_each_step_gets_the_next_number_also_by_v1(server):
    run = run_id("seq")
    assert [accept_steps(server, run, {"step": 5})["seq"], accept_steps(server, run, {"step": 5})["seq"],
            post(server, payload(run, 1)).json()["seq"], accept_steps(server, run, {"step": 9})["seq"]] == [1, 2, 3, 4]
    assert [(step["step"], step["seq"]) for step in read_steps(server, run)] == [(1, 3), (5, 2), (9, 4)]


def test_the_answer_of_v1_and_the_message_have_the_number_as_last_key(server):
    run = run_id("v1")
    with subscribe(server) as socket:
        receive(socket, "initial_runs")
        response = post(server, payload(run, 7))
        message = receive(socket, "new_metrics", run)
    assert response.text == f'{{"status":"accepted","run_id":"{run}","seq":1}}'
    assert list(message) == ["type", "run_id", "data", "seq"] and message["seq"] == 1


def test_the_same_step_again_replaces_the_whole_step(server):
    run = run_id("again")
    accept_steps(server, run, EXAMPLE, {"step": 1200, "time": 1, "scalars": {"b": 2}})
    assert read_steps(server, run) == [{"step": 1200, "time": 1, "seq": 2, "scalars": {"b": 2}}]


@pytest.mark.parametrize(("posted", "served"), [
    ("NaN", '"NaN"'), ("Infinity", '"Infinity"'), ("-Infinity", '"-Infinity"'), ('"NaN"', '"NaN"'),
    ('"-Infinity"', '"-Infinity"'), ("1e999", '"Infinity"'), ("-1e999", '"-Infinity"'), ("1e-999", "0"), ("-1", "-1"),
    ("0.30000000000000004", "0.30000000000000004"), ("5e-324", "5e-324"), ("9007199254740993", "9007199254740992"),
])
def test_no_step_is_lost_for_a_number(server, posted, served):
    run = run_id("number")
    accept_steps(server, run, f'{{"step":1,"scalars":{{"s":{posted}}},"layers":["a","b"],'
                              f'"metrics":{{"activation_std":[{posted},null]}},"vectors":{{"v":{{"a":[1,{posted}]}}}}}}')
    step, = read_steps(server, run)
    value = json.loads(served)
    assert step["scalars"] == {"s": value} and step["metrics"] == {"activation_std": [value, None]}
    assert step["vectors"] == {"v": {"a": [1, value]}}


def test_null_is_absent(server):
    run = run_id("null")
    answer = accept_steps(
        server, run, dict.fromkeys(["time", "batch_size", "scalars", "layers", "metrics", "vectors"]) | {"step": 1},
        {"step": 2, "time": 1, "scalars": {"a": None, "b": 1}, "layers": [{"id": "l", "type": None, "shape": None}],
         "metrics": {"m": [None], "n": None}, "vectors": {"v": {"l": None}, "w": None}})
    assert "warnings" not in answer
    assert read_steps(server, run)[1] == {
        "step": 2, "time": 1, "seq": 2, "scalars": {"b": 1}, "layers": [{"id": "l"}], "metrics": {"m": [None]}}
    errors_at(server, {"step": 1, "vectors": {"v": {"l": [None]}}}, ("float_type", ("vectors", "v", "l", 0)))


def test_every_error_is_reported_in_schema_order(server):
    errors_at(
        server, {"vectors": {"v": 3}, "metrics": {"m": [1, "z"], "n": [1, 2, 3]}, "layers": ["", "b"],
                 "scalars": {"x": "y", "": 1}, "batch_size": 0, "time": -1, "step": -1},
        ("greater_than_equal", ("step",)), ("greater_than", ("time",)), ("greater_than", ("batch_size",)),
        ("float_type", ("scalars", "x")), ("string_too_short", ("scalars", "")), ("string_too_short", ("layers", 0)),
        ("float_type", ("metrics", "m", 1)), ("too_long", ("metrics", "n")), ("dict_type", ("vectors", "v")))


@pytest.mark.parametrize(("body", "kind", "path"), [
    ("", "missing", ()), ("[]", "model_attributes_type", ()), ("{}", "missing", ("step",)),
    ('{"step":null}', "int_type", ("step",)), ('{"step":NaN}', "finite_number", ("step",)),
    ('{"step":"NaN"}', "int_type", ("step",)), ('{"step":1e30}', "int_parsing_size", ("step",)),
    ('{"step":1,"time":"1"}', "float_type", ("time",)),
    ('{"step":1,"layers":[7]}', "model_attributes_type", ("layers", 0)),
    ('{"step":1,"layers":[{"type":"x"}]}', "missing", ("layers", 0, "id")),
    ('{"step":1,"layers":["a.b",{"id":"a/b"}]}', "value_error", ("layers", 1, "id")),
    ('{"step":1,"layers":[{"id":"a","trainable":1}]}', "bool_type", ("layers", 0, "trainable")),
    ('{"step":1,"layers":[{"id":"a","shape":[2,NaN]}]}', "finite_number", ("layers", 0, "shape", 1)),
    ('{"step":1,"metrics":{"m":[1]}}', "too_long", ("metrics", "m")),
    ('{"step":1,"metrics":{"m":[1]},"layers":["a","b"]}', "too_short", ("metrics", "m")),
    ('{"step":1,"scalars":{"a\\n":1}}', "string_pattern_mismatch", ("scalars", "a\n")),
    ('{"step":1,"scalars":{"%s":1}}' % ("x" * 129), "string_too_long", ("scalars", "x" * 129)),
])
def test_an_error_has_its_type_and_path(server, body, kind, path):
    errors_at(server, body, (kind, path))


def test_a_refused_step_begins_no_run(server):
    run = run_id("refused")
    assert post_step(server, run, {"step": -1}).status_code == 422
    assert not exists(server, run)


@pytest.mark.parametrize("body", ["{", '{"step":1}x', '{"step":1}{"step":2}', '{"step":1}\n{"step":2}', '{"step":01}',
                                  '{"step":1,"scalars":{"x":nan}}', '{"step":1,"scalars":{"x":-NaN}}'])
def test_broken_json_is_one_error_with_its_place(server, body):
    error, = rejected(post_step(server, run_id("broken"), body))
    assert error["type"] == "json_invalid" and isinstance(error["loc"][1], int)


def test_the_last_of_duplicate_keys_counts(server):
    run = run_id("twice")
    accept_steps(server, run, '{"step":1,"step":2,"time":1,"scalars":{"x":"bad","y":1,"x":2},"layers":["a"],'
                              '"metrics":{"m":["bad"],"m":[3]},"vectors":{"v":7,"v":{"a":[1],"a":[2]}}}')
    assert read_steps(server, run) == [
        {"step": 2, "time": 1, "seq": 1, "scalars": {"y": 1, "x": 2}, "layers": [{"id": "a"}], "metrics": {"m": [3]},
         "vectors": {"v": {"a": [2]}}}]


# Warnings

@pytest.mark.parametrize("value", [0.3, 1, "NaN"])
def test_a_number_at_the_top_level_gets_a_warning(server, value):
    run = run_id("loss")
    assert accept_steps(server, run, {"step": 1, "time": 1, "loss": value}) == {
        "status": "accepted", "run_id": run, "seq": 1,
        "warnings": ['"loss" at the top level is ignored: put it under "scalars"']}
    assert read_steps(server, run) == [{"step": 1, "time": 1, "seq": 1}]


def test_there_are_at_most_ten_warnings(server):
    answer = accept_steps(server, run_id("warn"), {"step": 1, **{f"u{index}": index for index in range(30)}})
    assert len(answer["warnings"]) == 10


@pytest.mark.parametrize("value", ["NaN", '"Infinity"', "1e999"])
def test_a_time_that_is_not_finite_is_replaced_and_warned_of(server, value):
    run = run_id("time")
    answer = accept_steps(server, run, f'{{"step":1,"time":{value},"scalars":{{"x":4}}}}')
    assert len(answer["warnings"]) == 1 and '"time"' in answer["warnings"][0]
    step, = read_steps(server, run)
    assert abs(step["time"] - time.time()) < 60 and step["scalars"] == {"x": 4}


def test_a_served_step_can_be_posted_without_warning(server):
    first, second = run_id("export"), run_id("import")
    accept_steps(server, first, EXAMPLE)
    step, = read_steps(server, first)
    assert "warnings" not in accept_steps(server, second, step)
    assert read_steps(server, second) == [step]


# What a step shares with the one before it

def test_steps_with_and_without_layers_and_with_changing_names_come_back_unchanged(server):
    run = run_id("mixed")
    steps = []
    for number in range(40):
        step = {"step": number, "time": number + 1, "scalars": {"loss": number / 7, "lr": 1e-3}}
        if number % 5 == 0:
            step["scalars"]["eval"] = number
        if number % 3:
            step["layers"] = [{"id": f"l{index}", "shape": [number // 10, 2]} for index in range(3)] + ["x"]
            step["metrics"] = {"m": [number, None, 1, 2], **({"n": [1, 2, 3, "NaN"]} if number % 4 else {})}
        if number % 7 == 0:
            step["vectors"] = {"v": {"x": list(range(number + 1)), "y": [1]}}
        steps.append(step)
    accept_steps(server, run, *steps)
    assert read_steps(server, run) == [as_served(step, index + 1) for index, step in enumerate(steps)]


# Limits

def test_the_limits_of_a_step_are_settings(server, start_server):
    small = start_server("--max-scalars", 20, "--max-metrics", 16)
    for target, scalars, metrics in ((server, 1000, 128), (small, 20, 16)):
        def step(more_scalars=0, more_metrics=0, more_vectors=0, scalars=scalars, metrics=metrics):
            return {"step": 1, "scalars": {f"s{i}": i for i in range(scalars + more_scalars)}, "layers": ["l"],
                    "metrics": {f"m{i}": [i] for i in range(metrics + more_metrics)},
                    "vectors": {f"v{i}": {"l": [1]} for i in range(metrics + more_vectors)}}
        accept_steps(target, run_id("limit"), step())
        for body, field, limit in ((step(1), "scalars", scalars), (step(0, 1), "metrics", metrics),
                                   (step(0, 0, 1), "vectors", metrics)):
            error, = rejected(post_step(target, run_id("limit"), body))
            assert (error["type"], error["loc"]) == ("too_long", ["body", field])
            assert error["ctx"] == {"max_length": limit, "actual_length": limit + 1} and str(limit) in error["msg"]


def test_a_vector_has_at_most_4096_values(server):
    accept_steps(server, run_id("long"), {"step": 1, "vectors": {"v": {"l": [0] * 4096}}})
    errors_at(server, {"step": 1, "vectors": {"v": {"l": [0] * 4097}}}, ("too_long", ("vectors", "v", "l")))


# Requests

@pytest.mark.parametrize(("content_type", "status"), [
    ("application/json", 202), ("Application/JSON; charset=utf-8", 202), ("application/x+json", 202),
    ("text/plain", 415), ("application/octet-stream", 415), ("application/x-ndjsons", 415)])
def test_other_content_types_are_refused(server, content_type, status):
    response = post_step(server, run_id("type"), {"step": 1}, {"Content-Type": content_type})
    assert response.status_code == status
    if status == 415:
        assert response.json()["detail"]["error"] == "unsupported_media_type"
        assert "application/x-ndjson" in response.json()["detail"]["message"]


def test_v1_takes_no_lines(server):
    response = post(server, "{}", {"Content-Type": "application/x-ndjson"})
    assert response.status_code == 415 and "ndjson" not in response.text


@pytest.mark.parametrize(("encoding", "compress"), [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress),
    ("deflate", lambda data: zlib.compress(data)[2:-4])])
def test_a_step_may_be_compressed(server, encoding, compress):
    run = run_id("coded")
    response = post_step(server, run, compress(json.dumps(EXAMPLE).encode()), {"Content-Encoding": encoding})
    assert response.status_code == 202, response.text
    assert read_steps(server, run) == [as_served(EXAMPLE, 1)]


@pytest.mark.parametrize(("run", "kind"), [
    ("x" * 513, "string_too_long"), ("é" * 257, "string_too_long"), ("a\nb", "string_pattern_mismatch"),
    ("a\u0085", "string_pattern_mismatch")])
def test_a_run_id_in_the_path_follows_the_rules_of_v1(server, run, kind):
    response = post_step(server, run, {"step": 1})
    assert response.status_code == 422
    error, = response.json()["detail"]
    assert (error["type"], error["loc"]) == (kind, ["path", "run"])


@pytest.mark.parametrize("run", ["%2E", "%2e%2E"])
def test_a_run_id_of_dots_is_refused(server, run):
    status, body = raw_get(server, f"/api/v2/runs/{run}/steps", "POST")
    error, = json.loads(body)["detail"]
    assert (status, error["type"], error["loc"]) == (422, "string_pattern_mismatch", ["path", "run"])


def test_a_path_that_is_not_utf8_is_400(server):
    status, body = raw_get(server, "/api/v2/runs/%FF/steps", "POST")
    assert status == 400 and json.loads(body)["detail"]["error"] == "bad_request"


def test_ids_and_names_are_compared_as_bytes(server):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    run = run_id("bytes")
    step = {"step": 1, "time": 1, "scalars": {composed: 1, decomposed: 2}, "layers": [composed, decomposed],
            "metrics": {composed: [1, 2], decomposed: [3, 4]}}
    accept_steps(server, run + composed, step)
    accept_steps(server, run + decomposed, step, step)
    assert read_steps(server, run + composed) == [as_served(step, 1)]
    assert read_steps(server, run + decomposed) == [as_served(step, 2)]


def test_a_step_that_is_not_kept_says_so(start_server):
    server = start_server("--max-steps-per-run", 10)
    run = run_id("low")
    accept_steps(server, run, *({"step": 100 + number} for number in range(10)))
    assert accept_steps(server, run, {"step": 1, "loss": 1}) == {
        "status": "accepted", "run_id": run, "seq": 11, "kept": False, "reason": "below_kept_steps",
        "warnings": ['"loss" at the top level is ignored: put it under "scalars"']}
    assert "kept" not in accept_steps(server, run, {"step": 200})
    # v1's answer says nothing of it.
    assert post(server, payload(run, 2)).text == f'{{"status":"accepted","run_id":"{run}","seq":13}}'


def test_posting_needs_the_scope_ingest(guarded):
    statuses = {
        token: call(guarded, "POST", run_path("scopes") + "/steps", token, data=b'{"step":1}').status_code
        for token in ("", "trainer", "viewer", "both", "boss")}
    assert statuses == {"": 401, "trainer": 202, "viewer": 403, "both": 202, "boss": 202}
