"""GET /api/v2/runs/{run}/steps and /vectors, and what all readers have in common."""

import json
import random
from urllib.parse import urlencode

import pytest
from Support.clients.access import call
from Support.clients.ingest import accept, assert_json, raw_get
from Support.clients.openwire import LINES, accept_lines, accept_steps, as_served, read_steps, request, run_path
from Support.clients.runs import errors, put
from Support.payloads import payload, run_id

READERS = ["steps", "vectors", "export", "series", "matrix"]
# The parameters that a reader requires.
NEEDED = {"steps": {}, "vectors": {"name": "v", "layer": "l"}, "export": {"format": "jsonl"},
          "series": {"scalars": "x"}, "matrix": {"metric": "m"}}
HIGHEST = 2**63 - 1


def read(server, run: str, what: str, headers=None, **query):
    return request(server, "GET", run_path(run) + "/" + what, params=query, headers=headers or {})


def numbers(server, run: str, **query) -> list[int]:
    given = {key.rstrip("_"): value for key, value in query.items()}
    return [step["step"] for step in read_steps(server, run, **given)]


# All readers

@pytest.mark.parametrize("what", READERS)
def test_an_unknown_run_is_not_found(server, what):
    run = run_id("nowhere")
    response = read(server, run, what, **NEEDED[what])
    assert response.status_code == 404
    assert response.json() == {"detail": {"error": "not_found", "message": f"Run '{run}' not found"}}


@pytest.mark.parametrize("what", READERS)
def test_reading_needs_the_scope_read(guarded, what):
    run = run_id("scopes")
    path = run_path(run)
    assert call(guarded, "POST", path + "/steps", "trainer", data=b'{"step":1}').status_code == 202
    statuses = {token: call(guarded, "GET", f"{path}/{what}", token, params=NEEDED[what]).status_code
                for token in ("", "trainer", "viewer", "both", "boss")}
    assert statuses == {"": 401, "trainer": 403, "viewer": 200, "both": 200, "boss": 200}


@pytest.mark.parametrize("what", READERS)
def test_the_path_follows_the_rules_of_run_ids(server, what):
    for run, kind in (("%2E%2e", "string_pattern_mismatch"), ("x" * 513, "string_too_long")):
        status, body = raw_get(server, f"/api/v2/runs/{run}/{what}?{urlencode(NEEDED[what])}")
        error, = json.loads(body)["detail"]
        assert (status, error["type"], error["loc"]) == (422, kind, ["path", "run"])
    assert raw_get(server, f"/api/v2/runs/%FF/{what}?{urlencode(NEEDED[what])}")[0] == 400


@pytest.mark.parametrize(("what", "query", "found"), [
    ("steps", {"from": -1}, [("greater_than_equal", "from")]),
    ("steps", {"to": "x"}, [("int_parsing", "to")]),
    ("steps", {"from": "", "to": 1.5}, [("int_parsing", "from"), ("int_parsing", "to")]),
    ("steps", {"from": "0x5", "to": "1e2"}, [("int_parsing", "from"), ("int_parsing", "to")]),
    ("steps", {"last": -1}, [("greater_than_equal", "last")]),
    ("steps", {"last": 2**63}, [("int_parsing_size", "last")]),
    ("vectors", {}, [("missing", "name"), ("missing", "layer")]),
    ("vectors", {"layer": "l"}, [("missing", "name")]),
    ("vectors", {"name": "v"}, [("missing", "layer")]),
    ("vectors", {"name": "v", "layer": "l", "points": 0}, [("greater_than_equal", "points")]),
    ("vectors", {"name": "v", "layer": "l", "points": 10_001}, [("less_than_equal", "points")]),
    ("vectors", {"name": "v", "layer": "l", "from": "NaN"}, [("int_parsing", "from")]),
    ("export", {}, [("missing", "format")]),
    ("export", {"format": "xml"}, [("enum", "format")]),
    ("export", {"format": "CSV"}, [("enum", "format")]),
    ("series", {}, [("missing", "metric")]),
    ("series", {"layers": "l", "points": 5}, [("missing", "metric")]),
    ("series", {"metric": "m", "points": 0, "from": "x", "to": 1.5},
     [("int_parsing", "from"), ("int_parsing", "to"), ("greater_than_equal", "points")]),
    ("series", {"scalars": "x", "points": 10_001}, [("less_than_equal", "points")]),
    ("series", {"scalars": "x", "from": -1, "to": 2**63}, [("greater_than_equal", "from"), ("int_parsing_size", "to")]),
    ("matrix", {}, [("missing", "metric")]),
    ("matrix", {"metric": ""}, [("string_too_short", "metric")]),
    ("matrix", {"metric": "m", "agg": "mean"}, [("enum", "agg")]),
    ("matrix", {"metric": "m", "agg": "last,MAX,min"}, [("enum", "agg")]),
    ("matrix", {"metric": "m", "agg": "la*"}, [("enum", "agg")]),
    ("matrix", {"metric": "m", "points": "NaN", "from": -1}, [("greater_than_equal", "from"), ("int_parsing", "points")]),
])
def test_an_invalid_parameter_is_refused_with_its_name(server, what, query, found):
    run = run_id("query")
    accept_steps(server, run, {"step": 1})
    assert errors(read(server, run, what, **query)) == [(kind, ["query", name]) for kind, name in found]


# Steps

def test_steps_are_lines_in_ascending_order(either):
    run = run_id("lines/ü")
    steps = [{"step": step, "time": 1.5, "scalars": {"x": step % 10}} for step in (5, 0, HIGHEST, 3)]
    accept_steps(either, run, *steps)
    response = read(either, run, "steps")
    assert response.headers["Content-Type"].split(";")[0] == LINES
    assert response.content.endswith(b"\n") and b"\n\n" not in response.content and b"\r" not in response.content
    served = sorted((as_served(step, seq) for seq, step in enumerate(steps, 1)), key=lambda step: step["step"])
    assert [json.loads(line) for line in response.content.splitlines()] == served
    assert read(either, run, "steps", {"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert read(either, run, "steps", {"Accept-Encoding": "gzip"}).content == response.content
    assert "Content-Encoding" not in read(either, run, "steps", {"Accept-Encoding": "identity"}).headers


def test_a_step_of_v1_is_served_as_a_step_of_the_open_wire(server):
    run = run_id("v1")
    posted = payload(run, 3)
    posted["metadata"]["layer_groups"] = {"both": ["block0.fc", "block1.fc"]}
    del posted["layer_statistics"][1]["parameter_statistics"]["bias"]
    accept(server, posted)
    first, second = posted["layer_statistics"]

    def column(block, key, *inner):
        values = []
        for layer in (first, second):
            part = layer[block]
            for name in inner:
                part = part.get(name, {})
            values.append(part.get(key))
        return values

    cross = posted["cross_layer_analysis"]
    step, = read_steps(server, run)
    assert step == {
        "step": 3, "time": posted["metadata"]["timestamp"], "seq": 1, "batch_size": 32,
        "scalars": {
            "feature_std_gradient": cross["feature_std_gradient"],
            "gradient_norm_ratio/block1.fc/block0.fc": cross["gradient_norm_ratio"]["block1.fc/block0.fc"]},
        "layers": [{"id": f"block{index}/fc", "type": "Linear", "depth": index, "shape": [32, 64 + index],
                    "group": "both"} for index in range(2)],
        "metrics": {
            **{key: column("intermediate_features", key)
               for key in ("activation_std", "activation_mean", "cross_layer_std_ratio")},
            **{key: column("gradient_flow", key) for key in ("gradient_l2_norm", "gradient_std", "gradient_max_abs")},
            **{f"weight_{key}": column("parameter_statistics", key, "weight")
               for key in ("std", "mean", "spectral_norm", "frobenius_norm")},
            **{f"bias_{key}": column("parameter_statistics", key, "bias") for key in ("std", "mean_abs")}}}


def test_a_run_without_steps_has_no_lines(server):
    run = run_id("empty")
    put(server, run, {}, 201)
    assert read(server, run, "steps").content == b""
    assert read(server, run, "export", format="jsonl").content == b""
    assert read(server, run, "export", format="csv").content == b"step,time,layer,metric,value\r\n"
    answer = read(server, run, "vectors", name="v", layer="l").json()
    assert (answer["steps"], answer["last_steps"], answer["values"], answer["last_seq"]) == ([], [], [], 0)


def test_from_and_to_are_inclusive_and_last_counts_within_them(server):
    run = run_id("range")
    accept_lines(server, run, [{"step": step * 2} for step in range(10)])
    every = list(range(0, 20, 2))
    assert numbers(server, run, from_=4, to=8) == [4, 6, 8]
    assert numbers(server, run, from_=5, to=7) == [6]
    assert numbers(server, run, from_=8, to=4) == numbers(server, run, from_=19) == []
    assert numbers(server, run, from_=0, to=HIGHEST) == numbers(server, run, last=100) == every
    assert numbers(server, run, last=3) == [14, 16, 18]
    assert numbers(server, run, last=2, to=9) == [6, 8]
    assert numbers(server, run, last=3, from_=16) == [16, 18]


def test_every_range_gives_the_steps_in_it(server):
    run = run_id("ranges")
    rng = random.Random(7)
    steps = sorted(rng.sample(range(3000), 400))
    accept_lines(server, run, [{"step": step} for step in rng.sample(steps, len(steps))])
    for _ in range(40):
        first, end, last = rng.randrange(3000), rng.randrange(3000), rng.randrange(1, 300)
        inside = [step for step in steps if first <= step <= end]
        assert numbers(server, run, from_=first, to=end) == inside
        assert numbers(server, run, from_=first, to=end, last=last) == inside[-last:]


def test_metrics_selects_metrics_and_vectors_but_never_scalars(server):
    run = run_id("select")
    step = {"step": 1, "time": 1, "scalars": {"m": 1, "x": 2}, "layers": ["a.b", "c"],
            "metrics": {"m": [1, None], "n": [2, "NaN"]}, "vectors": {"v": {"c": [3]}, "w": {"a.b": [4]}}}
    accept_steps(server, run, step)
    whole = as_served(step, 1)
    for query in ({}, {"metrics": ""}, {"layers": ""}):
        assert read_steps(server, run, **query) == [whole]
    for names, metrics, vectors in (
            ("m", ["m"], []), ("n,v", ["n"], ["v"]), ("v,unknown", [], ["v"]), ("unknown", [], []),
            (["m", "w,n"], ["m", "n"], ["w"]), ("*", [], []), ("x", [], [])):
        served, = read_steps(server, run, metrics=names)
        assert (list(served.get("metrics", {})), list(served.get("vectors", {}))) == (metrics, vectors), names
        assert served["scalars"] == whole["scalars"] and served["layers"] == whole["layers"]


def test_layers_selects_layers_by_patterns(server):
    run = run_id("layers")
    ids = ["h.0.attn", "h.0.mlp", "h/1/attn", "a,b", "x*y", "z\\"]
    accept_steps(server, run, {
        "step": 1, "layers": ids, "metrics": {"m": list(range(6)), "n": [None] * 5 + [1]},
        "vectors": {"v": {layer: [index] for index, layer in enumerate(ids)}, "w": {"h.0.mlp": [9]}}})
    for patterns, found in (
            ("h.0.mlp", [1]), ("h/0/mlp", [1]), ("h.*", [0, 1, 2]), ("*attn", [0, 2]), ("h*0*", [0, 1]),
            ("*", range(6)),
            ("*/1/*,*mlp", [1, 2]), (["*mlp", "h.1.attn"], [1, 2]), ("a\\,b", [3]), ("x\\*y", [4]), ("x*y", [4]),
            ("z\\\\", [5]), ("a,b", []), ("H.0.mlp", []), ("h.0.ml", []), ("h.0.mlp,unknown", [1])):
        step, = read_steps(server, run, layers=patterns)
        served = [ids[index].replace(".", "/") for index in found]
        assert [layer["id"] for layer in step.get("layers", [])] == served, patterns
        assert step.get("metrics", {}).get("m", []) == list(found), patterns
        assert step.get("vectors", {}).get("v", {}) == dict(zip(served, ([index] for index in found))), patterns
        assert ("w" in step.get("vectors", {})) == (1 in found), patterns


def test_names_in_a_query_may_have_any_character(server):
    run = run_id("names")
    names = ["a,b", "x*y", "back\\slash", "e\u0301", "\u00e9", "100%&=+ /?#"]
    accept_steps(server, run, {"step": 1, "layers": ["l"], "metrics": {name: [1] for name in names}})
    for name in names:
        escaped = name.replace("\\", "\\\\").replace(",", "\\,").replace("*", "\\*")
        step, = read_steps(server, run, metrics=escaped)
        assert list(step["metrics"]) == [name]


def test_many_steps_arrive_whole(server):
    run = run_id("large")
    rng = random.Random(2)
    steps = [{"step": step, "time": step + 1, "layers": [f"l{index}" for index in range(100)],
              "metrics": {"m": [rng.random() for _ in range(100)], "n": [rng.random() for _ in range(100)]}}
             for step in range(500)]
    accept_lines(server, run, steps)
    assert read_steps(server, run) == [as_served(step, seq) for seq, step in enumerate(steps, 1)]
    column, = read_steps(server, run, last=1, metrics="n", layers="l1*5")
    assert column["metrics"] == {"n": [steps[-1]["metrics"]["n"][index] for index in (15,)]}


# Vectors

def vectors(server, run: str, **query) -> dict:
    response = read(server, run, "vectors", **query)
    assert_json(response)
    answer = response.json()
    assert list(answer) == ["name", "layer", "steps", "last_steps", "values", "resolution", "last_seq"]
    return answer


def buckets(steps: list[int], points: int) -> list[list[int]]:
    """The steps of each bucket."""
    shift = 0
    while len({step >> shift for step in steps}) > points:
        shift += 1
    found: dict[int, list[int]] = {}
    for step in steps:
        found.setdefault(step >> shift, []).append(step)
    return list(found.values())


def test_each_bucket_has_its_last_vector(server):
    run = run_id("vectors")
    rng = random.Random(3)
    posted = {}
    steps = rng.sample(range(2000), 300)
    lines = []
    for step in steps:
        line = {"step": step, "layers": ["e.0"], "vectors": {"other": {"e.0": [1]}, "load": {"e.1": [0]}}}
        if rng.random() < 0.4:
            posted[step] = [rng.choice([rng.random(), "NaN", "-Infinity"]) for _ in range(rng.choice([0, 1, 66]))]
            line["vectors"]["load"]["e.0"] = posted[step]
        lines.append(line)
    accept_lines(server, run, lines)
    steps.sort()
    for points in (None, 1, 2, 7, 100, 10_000):
        for first, end in ((None, None), (400, 1700), (1990, 1992), (500, 400)):
            query = {"points": points, "from": first, "to": end}
            answer = vectors(server, run, name="load", layer="e.0", **query)
            inside = [step for step in steps if first is None or first <= step <= end]
            expected = buckets(inside, points or 500)
            assert (answer["name"], answer["layer"]) == ("load", "e/0")
            assert (answer["last_seq"], answer["resolution"]) == (300, 1)
            assert answer["steps"] == [bucket[0] for bucket in expected]
            assert answer["last_steps"] == [bucket[-1] for bucket in expected]
            last = [[step for step in bucket if step in posted] for bucket in expected]
            assert answer["values"] == [posted[found[-1]] if found else None for found in last]
    assert vectors(server, run, name="load", layer="e/0") == vectors(server, run, name="load", layer="e.0")
    for name, layer in (("unknown", "e.0"), ("load", "unknown")):
        assert vectors(server, run, name=name, layer=layer, points=1)["values"] == [None]


def test_buckets_of_the_lowest_and_the_highest_step(server):
    run = run_id("extremes")
    accept_steps(server, run, *({"step": step, "vectors": {"v": {"l": [step % 7]}}} for step in (0, 1, HIGHEST)))
    for points, steps, last in ((1, [0], [HIGHEST]), (2, [0, HIGHEST], [1, HIGHEST]),
                                (3, [0, 1, HIGHEST], [0, 1, HIGHEST])):
        answer = vectors(server, run, name="v", layer="l", points=points)
        assert (answer["steps"], answer["last_steps"]) == (steps, last)
    assert vectors(server, run, name="v", layer="l", **{"from": HIGHEST})["values"] == [[HIGHEST % 7]]
