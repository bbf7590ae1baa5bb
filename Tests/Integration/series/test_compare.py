"""GET /api/v2/compare: two runs, by brute force over their common steps."""

import math
import random

import pytest
from Support.clients.access import call
from Support.clients.openwire import accept_lines, accept_steps, request, run_path
from Support.clients.runs import errors, put
from Support.payloads import run_id
from Support.series import reference
from Support.series.reference import LAYERS

KEYS = ["a", "b", "metric", "factor", "steps", "last_steps", "layers", "only_a", "only_b", "config", "last_seq",
        "last_seqs"]


def compare(server, a: str, b: str, **query) -> dict:
    response = request(server, "GET", "/api/v2/compare", params={"a": a, "b": b, "metric": "m", **query})
    assert response.status_code == 200, response.text[:2000]
    answer = response.json()
    assert list(answer) == KEYS
    for layer in answer["layers"]:
        assert list(layer) == ["id", "depth", "ratio", "first_divergence"]
        assert len(layer["ratio"]) == len(answer["steps"]) == len(answer["last_steps"])
    return answer


def divergences(answer: dict) -> dict:
    return {layer["id"]: layer["first_divergence"] for layer in answer["layers"]}


def ratio(a, b):
    """b / a as it is served."""
    if a is None or b is None:
        return None
    if isinstance(a, str) or isinstance(b, str):
        return "NaN"
    if a == 0:
        return None if b == 0 else "Infinity"
    return b / a if math.isfinite(b / a) else reference.spelled(b / a)


def is_beyond(a, b, factor: float) -> bool:
    if a == b:
        return False
    value = ratio(a, b)
    return value == "NaN" or float(value) > factor or float(value) < 1 / factor


def first_divergence(values: list[tuple], factor: float):
    """Of (step, a, b) where both were posted."""
    found = None
    for step, a, b in reversed(values):
        if not is_beyond(a, b, factor):
            break
        found = step
    return found


@pytest.fixture(scope="module")
def random_pair(server):
    """Two runs with random steps, which have about half of them in common; their steps."""
    def value(rng):
        draw = rng.random()
        if draw < 0.03:
            return rng.choice(["NaN", "Infinity", "-Infinity"])
        return rng.choice([0, 1, 1, 2, 3, -1]) if draw < 0.5 else 10 ** rng.uniform(-1, 1)

    runs = []
    for seed in (21, 22):
        steps = [step for step in reference.random_steps(random.Random(seed), 500, value) if step["step"] < 700]
        run = run_id("compare")
        accept_lines(server, run, steps)
        runs.append((run, reference.rows(steps), len(steps)))
    return runs


@pytest.mark.parametrize("points", [1, 7, 50, 10_000])
@pytest.mark.parametrize("factor", [1.0001, 2, 5])
def test_ratios_and_divergences_by_brute_force(server, random_pair, points, factor):
    (a, rows_a, posted_a), (b, rows_b, posted_b) = random_pair
    common = sorted(set(rows_a) & set(rows_b))
    assert 40 < len(common) < 300
    groups = reference.buckets(common, points)
    answer = compare(server, a, b, metric="mine", points=points, factor=factor)
    assert [answer[key] for key in ("a", "b", "metric", "factor")] == [a, b, "mine", factor]
    assert answer["last_seqs"] == {"a": posted_a, "b": posted_b}
    assert answer["last_seq"] == min(posted_a, posted_b)
    assert answer["steps"] == [group[0] for group in groups]
    assert answer["last_steps"] == [group[-1] for group in groups]
    assert answer["only_a"] == answer["only_b"] == [] and answer["config"] == {}
    expected = []
    for depth, layer in enumerate(map(reference.served, LAYERS)):
        pairs = {step: (rows_a[step].get((layer, "mine")), rows_b[step].get((layer, "mine"))) for step in common}
        both = [(step, *pair) for step, pair in pairs.items() if None not in pair]
        expected.append({"id": layer, "depth": depth, "ratio": [ratio(*pairs[group[-1]]) for group in groups],
                         "first_divergence": first_divergence(both, factor)})
    expected.sort(key=lambda layer: (layer["first_divergence"] is None, layer["first_divergence"] or 0, layer["depth"]))
    assert answer["layers"] == expected


def diverging_steps(diverges: bool) -> list[dict]:
    """l2 diverges at 40, l0 at 60, zero at 70, gone at 80; l1 has one spike, and same stays below the factor."""
    steps = []
    for step in range(100):
        base = 1 + step % 10 / 16
        values = {"same": base, "l0": base, "l1": base, "l2": base, "zero": 0.0, "gone": base}
        if diverges:
            values["same"] *= 1.5
            values["l0"] /= 8 if step >= 60 else 1
            values["l1"] *= 100 if step == 20 else 1
            values["l2"] *= 4 if step >= 40 else 1
            values["zero"] = 1.0 if step >= 70 else 0.0
            values["gone"] = "NaN" if step >= 80 else values["gone"]
        own = "only.b" if diverges else "only.a"
        steps.append({"step": step, "layers": [*({"id": id, "depth": depth} for depth, id in enumerate(values)), own],
                      "metrics": {"m": [*values.values(), 1], "other": [1] * 7}})
    return steps


@pytest.fixture(scope="module")
def diverging(server):
    pair = run_id("compare"), run_id("compare/ü.")
    put(server, pair[0], {"config": {"lr": 1e-3, "same": [1, {"x": 2, "y": "é"}], "gone": True, "nested": {"x": 1}}}, 201)
    put(server, pair[1], {"config": {"new": "n", "lr": 1e-4, "same": [1.0, {"y": "\u00e9", "x": 2e0}],
                                     "nested": {"x": 2}}}, 201)
    for run, diverges in zip(pair, (False, True), strict=True):
        accept_lines(server, run, diverging_steps(diverges))
    return pair


@pytest.mark.parametrize("points", [1, 7, 50, 100, 1000])
def test_layers_come_by_first_divergence_whatever_the_points(server, diverging, points):
    answer = compare(server, *diverging, points=points)
    assert list(divergences(answer).items()) == [
        ("l2", 40), ("l0", 60), ("zero", 70), ("gone", 80), ("same", None), ("l1", None)]
    assert (answer["only_a"], answer["only_b"], answer["factor"]) == (["only/a"], ["only/b"], 2)
    groups = reference.buckets(range(100), points)
    assert answer["steps"] == [group[0] for group in groups]


def test_a_divergence_is_strictly_beyond_the_factor(server, diverging):
    def by(factor, pair=diverging):
        return divergences(compare(server, *pair, factor=factor))

    assert by(1.25)["same"] == 0 and by(1.6)["same"] is None
    assert by(4.5)["l2"] is None and by(4.5)["l0"] == 60
    assert by(4)["l2"] is None and by(8)["l0"] is None and by("3.999e0")["l2"] == 40
    assert by(2, diverging[::-1]) == by(2)
    assert compare(server, *diverging[::-1])["only_a"] == ["only/b"]


def test_a_run_does_not_diverge_from_itself(server, diverging):
    for run in diverging:
        answer = compare(server, run, run)
        assert set(divergences(answer).values()) == {None} and len(answer["layers"]) == 7
        assert answer["only_a"] == answer["only_b"] == [] and answer["config"] == {}


def test_configs_differ_by_value_not_by_spelling(server, diverging):
    answer = compare(server, *diverging)
    assert answer["config"] == {"lr": {"a": 1e-3, "b": 1e-4}, "gone": {"a": True, "b": None},
                                "nested": {"a": {"x": 1}, "b": {"x": 2}}, "new": {"a": None, "b": "n"}}
    pair = run_id("config"), run_id("config")
    put(server, pair[0], {"config": {"n": 9007199254740993, "e": 1e3, "s": "\\u0041", "k\"": 1, "l": [1, 2]}}, 201)
    put(server, pair[1], '{"config":{"n":9007199254740992,"e":1000,"s":"A","k\\u0022":1,"l":[2,1]}}', 201)
    answer = compare(server, *pair)
    assert answer["config"] == {"n": {"a": 9007199254740993, "b": 9007199254740992},
                                "s": {"a": "\\u0041", "b": "A"}, "l": {"a": [1, 2], "b": [2, 1]}}
    assert (answer["steps"], answer["layers"], answer["last_seq"]) == ([], [], 0)


def test_steps_are_aligned_by_number(server):
    a, b = run_id("aligned"), run_id("aligned")
    accept_lines(server, a, [{"step": step, "layers": ["x.y"], "metrics": {"m": [1]}} for step in range(0, 60, 2)])
    accept_lines(server, b, [
        {"step": step, "layers": ["x/y"],
         "metrics": {"m": [None if step == 30 else 9 if step >= 28 else 5 if step % 2 else 1]}}
        for step in range(0, 60, 3)])
    answer = compare(server, a, b, factor=3, points=1000)
    layer, = answer["layers"]
    assert answer["steps"] == list(range(0, 60, 6)) and layer["id"] == "x/y" and layer["first_divergence"] == 36
    assert layer["ratio"] == [1] * 5 + [None] + [9] * 4


def test_steps_without_a_value_do_not_end_a_divergence(server):
    a, b = run_id("sparse"), run_id("sparse")
    for run, value in ((a, 1), (b, 5)):
        accept_lines(server, run, [{"step": step, "layers": ["l"], "metrics": {"m": [value if step % 3 == 0 else None]}}
                                   for step in range(20)])
    assert divergences(compare(server, a, b)) == {"l": 0}


def test_a_sign_diverges_and_equal_zeros_do_not(server):
    a, b = run_id("signs"), run_id("signs")
    values = [([-1, 0, 0, "Infinity", 1], [-1, 0, 0, "Infinity", 0]), ([-1, 0, -2, 1, 1], [1, 0, 0, "NaN", 0])]
    for run, side in ((a, 0), (b, 1)):
        accept_steps(server, run, *({"step": step, "layers": list("abcde"), "metrics": {"m": pair[side]}}
                                    for step, pair in enumerate(values)))
    answer = compare(server, a, b)
    assert {layer["id"]: layer["ratio"] for layer in answer["layers"]} == {
        "a": [1, -1], "b": [None, None], "c": [None, 0], "d": ["NaN", "NaN"], "e": [0, 0]}
    assert divergences(answer) == {"e": 0, "a": 1, "c": 1, "d": 1, "b": None}


def test_steps_above_two_to_the_53rd_are_exact(server):
    a, b = run_id("large"), run_id("large")
    base = 2**53
    for run, offset in ((a, 0), (b, 1)):
        accept_steps(server, run, *({"step": base + step + offset, "layers": ["l"], "metrics": {"m": [1 + 9 * offset]}}
                                    for step in range(4)))
    answer = compare(server, a, b)
    assert answer["steps"] == [base + 1, base + 2, base + 3] and divergences(answer) == {"l": base + 1}


def test_derived_metrics_are_compared_step_by_step(server):
    a, b = run_id("derived"), run_id("derived")
    for run, scale in ((a, 1), (b, 3)):
        accept_steps(server, run, *(
            {"step": step, "layers": [{"id": "l", "parameters": 4}, "n"],
             "metrics": {"gradient_l2_norm": [scale if step >= 5 else 1, 1], "weight_frobenius_norm": [2, None]}}
            for step in range(8)))
    for metric in ("gradient_to_weight", "gradient_rms"):
        answer = compare(server, a, b, metric=metric, points=2)
        assert divergences(answer) == {"l": 5} and answer["layers"][0]["ratio"] == [1, 3]
    # Where a run posts a metric of that name, nothing is derived for it.
    accept_steps(server, b, {"step": 7, "layers": ["l"], "metrics": {"gradient_rms": [5], "gradient_l2_norm": [1]}})
    answer = compare(server, a, b, metric="gradient_rms", points=10)
    assert divergences(answer) == {"l": 7} and answer["layers"][0]["ratio"] == [None] * 7 + [10]


def test_many_layers_arrive_whole(either):
    a, b = run_id("many"), run_id("many")
    layers = [f"l{layer:03}" for layer in range(200)]
    for run, factor in ((a, 1), (b, 3)):
        for start in range(0, 600, 200):
            accept_lines(either, run, [
                {"step": step, "layers": layers,
                 "metrics": {"m": [1 if step < 3 * layer else factor for layer in range(200)]}}
                for step in range(start, start + 200)])
    answer = compare(either, a, b, points=1000)
    assert list(divergences(answer).items()) == [(id, 3 * layer) for layer, id in enumerate(layers)]
    assert all(layer["ratio"] == [1] * (3 * place) + [3] * (600 - 3 * place)
               for place, layer in enumerate(answer["layers"]))


@pytest.mark.parametrize(("change", "found"), [
    ({"a": None}, [("missing", "a")]), ({"b": None}, [("missing", "b")]), ({"metric": None}, [("missing", "metric")]),
    ({"a": None, "b": None, "metric": None}, [("missing", "a"), ("missing", "b"), ("missing", "metric")]),
    ({"a": ""}, [("string_too_short", "a")]), ({"b": "x" * 513}, [("string_too_long", "b")]),
    ({"a": "."}, [("string_pattern_mismatch", "a")]), ({"b": "a\n"}, [("string_pattern_mismatch", "b")]),
    ({"metric": ""}, [("string_too_short", "metric")]),
    ({"factor": "1"}, [("greater_than", "factor")]), ({"factor": "-2"}, [("greater_than", "factor")]),
    ({"factor": "x"}, [("float_parsing", "factor")]), ({"factor": ""}, [("float_parsing", "factor")]),
    ({"factor": "0x10"}, [("float_parsing", "factor")]), ({"factor": "inf"}, [("float_parsing", "factor")]),
    ({"factor": "NaN"}, [("finite_number", "factor")]), ({"factor": "Infinity"}, [("finite_number", "factor")]),
    ({"factor": "1e999"}, [("finite_number", "factor")]), ({"points": "0"}, [("greater_than_equal", "points")]),
    ({"points": "1e9"}, [("int_parsing", "points")])])
def test_an_invalid_parameter_is_refused_with_its_name(server, diverging, change, found):
    query = {"a": diverging[0], "b": diverging[1], "metric": "m", **change}
    response = request(server, "GET", "/api/v2/compare", params=query)
    assert errors(response) == [(kind, ["query", name]) for kind, name in found]


def test_an_unknown_run_is_not_found(server, diverging):
    nowhere = run_id("nowhere")
    for pair in ((diverging[0], nowhere), (nowhere, diverging[1]), (nowhere, run_id("other"))):
        response = request(server, "GET", "/api/v2/compare", params={"a": pair[0], "b": pair[1], "metric": "m"})
        assert response.status_code == 404
        assert response.json() == {"detail": {"error": "not_found", "message": f"Run '{nowhere}' not found"}}


def test_comparing_needs_the_scope_read(guarded):
    run = run_id("scopes")
    assert call(guarded, "POST", run_path(run) + "/steps", "trainer", data=b'{"step":1}').status_code == 202
    query = {"a": run, "b": run, "metric": "m"}
    statuses = {token: call(guarded, "GET", "/api/v2/compare", token, params=query).status_code
                for token in ("", "trainer", "viewer", "both", "boss")}
    assert statuses == {"": 401, "trainer": 403, "viewer": 200, "both": 200, "boss": 200}
