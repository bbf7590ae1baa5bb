"""Derived metrics in GET /api/v2/runs/{run}/series."""

import json
import math
import random

from Support.clients.openwire import accept_lines, accept_steps
from Support.clients.runs import read
from Support.payloads import run_id
from Support.series import reference
from Support.series.reading import series

INPUTS = ["gradient_l2_norm", "gradient_max_abs", "weight_frobenius_norm", "weight_spectral_norm", "weight_std",
          "weight_mean"]
DERIVED = ["gradient_to_weight", "stable_rank", "gradient_rms", "heavy_tail"]


def quotient(a: float, b: float):
    """a / b; None for 0 / 0."""
    if b == 0:
        return None if a == 0 else math.inf
    return a / b


def derived(values: dict[str, float | None], parameters: int | None) -> dict[str, float | None]:
    """The derived metrics of finite inputs."""
    g, most, frobenius, spectral, deviation, mean = (values[name] for name in INPUTS)
    count = parameters
    if count is None and None not in (frobenius, deviation, mean):
        count = quotient(frobenius * frobenius, deviation * deviation + mean * mean)
    if count is not None and not (0 < count < math.inf):
        count = None
    rms = None if None in (g, count) else g / math.sqrt(count)
    return {
        "gradient_to_weight": None if None in (g, frobenius) else quotient(g, frobenius),
        "stable_rank": None if None in (frobenius, spectral) else quotient(frobenius * frobenius, spectral * spectral),
        "gradient_rms": rms, "heavy_tail": None if None in (rms, most) else quotient(most, rms)}


def test_derived_metrics_are_computed_from_the_last_inputs(server):
    run = run_id("derived")
    rng = random.Random(11)
    layers = [{"id": "counted", "parameters": 1000}, {"id": "estimated"}, {"id": "empty", "parameters": 0}]
    steps = [{"step": step, "layers": layers, "metrics": {
        name: [rng.choice([None, 0, rng.random(), rng.random() * 1e6]) for _ in layers] for name in INPUTS}}
        for step in rng.sample(range(1000), 200)]
    accept_lines(server, run, steps)
    assert sorted(read(server, run)["derived"]) == sorted(DERIVED)
    by_step = reference.rows(steps)
    for points in (1, 7, 60, 1000):
        groups = reference.buckets(by_step, points)
        got = series(server, run, metric=",".join(["weight_std", *DERIVED]), points=points)
        for layer, parameters in (("counted", 1000), ("estimated", None), ("empty", 0)):
            inputs = {name: reference.series(by_step, groups, (layer, name))["last"] for name in INPUTS}
            assert list(got["layers"][layer]) == ["weight_std", *DERIVED]
            assert got["layers"][layer]["weight_std"] == reference.series(by_step, groups, (layer, "weight_std"))
            for bucket in range(len(groups)):
                expected = derived({name: reference.number(inputs[name][bucket]) for name in INPUTS}, parameters)
                for name in DERIVED:
                    one = got["layers"][layer][name]
                    value = expected[name]
                    assert one["last"][bucket] == (None if value is None else reference.spelled(value)), (layer, name)
                    assert (one["min"][bucket], one["max"][bucket], one["nonfinite"][bucket]) == (None, None, 0)
    only = series(server, run, metric="heavy_tail", layers="e*")
    assert list(only["layers"]) == ["estimated", "empty"] and list(only["layers"]["empty"]) == ["heavy_tail"]


def test_derived_metrics_of_inputs_that_are_not_finite(server):
    run = run_id("derived")
    accept_steps(server, run, *(
        {"step": step, "layers": ["l"], "metrics": {"gradient_l2_norm": [norm], "weight_frobenius_norm": [weight]}}
        for step, (norm, weight) in enumerate([("NaN", 1), (1, "Infinity"), ("Infinity", 2), ("Infinity", "Infinity")])))
    answer = series(server, run, metric="gradient_to_weight")["layers"]["l"]["gradient_to_weight"]
    assert answer == {"min": [None] * 4, "max": [None] * 4, "last": ["NaN", 0, "Infinity", "NaN"], "nonfinite": [0] * 4}


def test_a_layer_without_the_inputs_has_no_derived_metric(server):
    run = run_id("derived")
    accept_steps(server, run, {"step": 1, "layers": ["norm", "fc"], "metrics": {"gradient_l2_norm": [1, 2]}},
                 {"step": 2, "layers": ["fc"], "metrics": {"weight_frobenius_norm": [4]}})
    answer = series(server, run, metric="gradient_to_weight,gradient_rms", points=1)
    assert answer["layers"] == {"fc": {"gradient_to_weight": {"min": [None], "max": [None], "last": [0.5],
                                                              "nonfinite": [0]}}}


def test_a_posted_metric_wins_over_the_derived_one(server):
    run = run_id("derived")
    inputs = {"gradient_l2_norm": [8], "weight_frobenius_norm": [2]}
    accept_steps(server, run, {"step": 1, "layers": ["l"], "metrics": inputs})
    assert series(server, run, metric="gradient_to_weight")["layers"]["l"]["gradient_to_weight"]["last"] == [4]
    accept_steps(server, run, {"step": 2, "layers": ["l"], "metrics": {**inputs, "gradient_to_weight": [7]}})
    assert read(server, run)["derived"] == []
    assert series(server, run, metric="gradient_to_weight")["layers"]["l"] == {
        "gradient_to_weight": {"min": [None, 7], "max": [None, 7], "last": [None, 7], "nonfinite": [0, 0]}}


def test_parameters_count_whenever_they_were_posted(server):
    run = run_id("derived")
    accept_steps(server, run, {"step": 1, "layers": [{"id": "l", "parameters": 4}]},
                 {"step": 2, "layers": ["l"], "metrics": {"gradient_l2_norm": [8]}})
    assert series(server, run, metric="gradient_rms", from_=2)["layers"]["l"]["gradient_rms"]["last"] == [4]


def test_derived_metrics_of_many_layers_and_buckets(server):
    run = run_id("derived")
    layers = [f"l{layer:03}" for layer in range(150)]
    steps = [{"step": step, "layers": layers, "metrics": {
        name: [1 + (layer + step * place) % 7 for layer in range(150)] for place, name in enumerate(INPUTS, 1)}}
        for step in range(300)]
    for start in range(0, 300, 100):
        accept_lines(server, run, steps[start:start + 100])
    got = series(server, run, metric="stable_rank,weight_mean,heavy_tail", points=1000)
    by_step = reference.rows(steps)
    for layer in layers:
        for step in (0, 1, 150, 299):
            expected = derived({name: by_step[step][layer, name] for name in INPUTS}, None)
            for name in ("stable_rank", "heavy_tail"):
                assert got["layers"][layer][name]["last"][step] == expected[name]
    assert json.dumps(got["layers"]["l007"]["weight_mean"]["last"]) == json.dumps(
        [float(by_step[step]["l007", "weight_mean"]) for step in range(300)])
