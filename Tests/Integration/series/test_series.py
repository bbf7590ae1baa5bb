"""GET /api/v2/runs/{run}/series, by brute force over what was posted."""

import random

import pytest
from Support.clients.ingest import accept
from Support.clients.openwire import accept_lines, accept_steps, request, run_path
from Support.clients.runs import put
from Support.payloads import payload, run_id
from Support.series import reference
from Support.series.reading import series
from Support.series.reference import LAYERS, METRICS, SCALARS

RANGES = [(None, None), (100, None), (None, 900), (333, 777), (5, 5), (2000, 3000), (700, 300)]


def picture(answer: dict) -> dict:
    """What is drawn: everything but the number of the last change."""
    return {key: value for key, value in answer.items() if key != "last_seq"}


@pytest.fixture(scope="module", params=[0, 1])
def random_run(server, request):
    """A run with random steps; the steps."""
    run = run_id("series")
    steps = reference.random_steps(random.Random(request.param), 400)
    accept_lines(server, run, steps)
    return run, steps


@pytest.mark.parametrize("points", [1, 2, 7, 50, 64, 399, 400, 401, 10_000])
def test_every_bucket_has_what_its_steps_have(server, random_run, points):
    run, steps = random_run
    by_step = reference.rows(steps)
    for first, last in RANGES:
        got = series(server, run, metric=",".join(METRICS), scalars=",".join(SCALARS), points=points, from_=first,
                     to=last)
        expected = reference.answer(reference.inside(by_step, first, last), points, METRICS, LAYERS, SCALARS)
        assert reference.without_empty_series(got) == {**expected, "resolution": 1, "last_seq": len(steps)}
        assert list(got["layers"]) == [layer for layer in map(reference.served, LAYERS) if layer in got["layers"]]


@pytest.mark.parametrize("points", [5, 40, 128])
def test_the_picture_depends_on_the_steps_alone(server, random_run, points):
    run, steps = random_run
    query = {"metric": METRICS, "scalars": ",".join(SCALARS), "points": points}
    first = picture(series(server, run, **query))
    series(server, run, metric="mine", points=3)
    assert picture(series(server, run, **query)) == first
    last = {step["step"]: step for step in steps}
    for order in (sorted(last), sorted(last, reverse=True)):
        other = run_id("order")
        accept_lines(server, other, [last[step] for step in order])
        assert picture(series(server, other, **query)) == first


def test_the_bounds_do_not_depend_on_the_series(server, random_run):
    run, _ = random_run
    for points in (9, 77):
        queries = ({"metric": "mine"}, {"metric": "gradient_l2_norm", "layers": "head"}, {"scalars": "loss"},
                   {"metric": METRICS, "layers": "h*", "scalars": "train/lr"}, {"metric": "unknown"})
        bounds = {(tuple(answer["steps"]), tuple(answer["last_steps"]))
                  for answer in (series(server, run, points=points, **query) for query in queries)}
        assert len(bounds) == 1


def test_steps_outside_the_range_do_not_move_the_bounds(server):
    run = run_id("bounds")
    accept_lines(server, run, [{"step": step, "scalars": {"x": step % 17}} for step in range(100, 600)])
    query = {"scalars": "x", "points": 50, "from_": 150, "to": 555}
    first = picture(series(server, run, **query))
    accept_lines(server, run, [{"step": step, "scalars": {"x": 1}} for step in [*range(100), *range(600, 700)]])
    assert picture(series(server, run, **query)) == first


def test_no_spike_is_lost(server):
    run = run_id("spike")
    accept_lines(server, run, [{"step": step, "scalars": {"x": 1e9 if step == 517 else 1}} for step in range(900)])
    for points in (1, 10, 99):
        answer = series(server, run, scalars="x", points=points)
        spikes = [bounds for *bounds, value in zip(answer["steps"], answer["last_steps"], answer["scalars"]["x"]["max"])
                  if value == 1e9]
        (first, last), = spikes
        assert first <= 517 <= last


def test_steps_above_two_to_the_53rd_are_exact(server):
    run = run_id("large")
    base = 2**53
    accept_steps(server, run, *({"step": base + step, "scalars": {"x": step}, "layers": ["l"], "metrics": {"m": [-step]}}
                                for step in (0, 1, 2, 3, 4, 2**62)))
    answer = series(server, run, scalars="x", metric="m", from_=base + 1, to=base + 3)
    assert answer["steps"] == answer["last_steps"] == [base + 1, base + 2, base + 3]
    assert answer["scalars"]["x"]["last"] == [1, 2, 3] and answer["layers"]["l"]["m"]["last"] == [-1, -2, -3]
    answer = series(server, run, scalars="x", points=2)
    assert (answer["steps"], answer["last_steps"]) == ([base, base + 2**62], [base + 4, base + 2**62])


def test_numbers_have_the_shortest_digits(server):
    run = run_id("digits")
    accept_steps(server, run, {"step": 1, "scalars": {"x": 0.1, "y": 1e-7, "z": -3, "n": "-Infinity"}})
    text = request(server, "GET", run_path(run) + "/series?scalars=x,y,z,n").text
    assert text == (
        '{"steps":[1],"last_steps":[1],"scalars":{"x":{"min":[0.1],"max":[0.1],"last":[0.1],"nonfinite":[0]},'
        '"y":{"min":[1e-07],"max":[1e-07],"last":[1e-07],"nonfinite":[0]},'
        '"z":{"min":[-3.0],"max":[-3.0],"last":[-3.0],"nonfinite":[0]},'
        '"n":{"min":[null],"max":[null],"last":["-Infinity"],"nonfinite":[1]}},"layers":{},"resolution":1,"last_seq":1}')


# Names and lists

def test_names_in_a_query(server):
    run = run_id("names")
    ids = ["x,y", "x", "y", "s*t", "sit", "b\\c", "a.b"]
    accept_steps(server, run, {
        "step": 1, "scalars": {"a": 1, "a,b": 2, "c*": 3, "cc": 4, "é": 5}, "layers": ids,
        "metrics": {"m": list(range(7)), "n": list(range(7)), "o,p": [1, *[None] * 6]}})

    def layers(*patterns, metric="m"):
        return list(series(server, run, metric=metric, layers=list(patterns))["layers"])

    everything = [layer.replace(".", "/") for layer in ids]
    assert layers() == layers("") == layers("*") == everything
    assert layers("x,y") == layers("x", "y") == layers("y,x,x") == ["x", "y"]
    assert layers("x\\,y") == ["x,y"]
    assert layers("s*t") == ["s*t", "sit"] and layers("s\\*t") == ["s*t"]
    assert layers("b\\\\c") == ["b\\c"] and layers("a.b") == layers("a/b") == ["a/b"]
    assert layers("nowhere,x") == ["x"] and layers("nowhere") == [] and layers(metric="nothing") == []
    assert layers(metric="o\\,p")[:1] == ["x,y"]
    assert list(series(server, run, scalars="a\\,b,c*,é")["scalars"]) == ["a,b", "c*", "é"]
    assert list(series(server, run, scalars=["cc", "a"])["scalars"]) == ["cc", "a"]
    for metrics in ("m,n", ["m", "n"], ["m,n,m", "unknown"]):
        assert list(series(server, run, metric=metrics)["layers"]["x"]) == ["m", "n"]
    assert list(series(server, run, metric="n,m")["layers"]["x"]) == ["n", "m"]


def test_an_empty_list_is_all(server):
    run = run_id("all")
    accept_steps(server, run, {"step": 1, "scalars": {"b": 1, "a": 2}, "layers": ["l"], "metrics": {"n": [1], "m": [2]}})
    answer = series(server, run, metric="", scalars="")
    assert list(answer["scalars"]) == ["b", "a"] and list(answer["layers"]["l"]) == ["n", "m"]
    answer = series(server, run, scalars="")
    assert list(answer["scalars"]) == ["b", "a"] and answer["layers"] == {}
    assert series(server, run, metric="")["scalars"] == {}


def test_a_run_of_v1_has_series(server):
    run = run_id("v1")
    posted = [payload(run, step) for step in range(20)]
    for step in posted:
        accept(server, step)
    answer = series(server, run, metric="activation_std,bias_std", scalars="feature_std_gradient", points=10_000)
    assert answer["steps"] == list(range(20))
    assert answer["layers"]["block1/fc"]["activation_std"]["last"] == [
        step["layer_statistics"][1]["intermediate_features"]["activation_std"] for step in posted]
    assert answer["scalars"]["feature_std_gradient"]["last"] == [
        step["cross_layer_analysis"]["feature_std_gradient"] for step in posted]


def test_layers_are_ordered_by_depth_then_first_seen(server):
    run = run_id("order")
    accept_steps(
        server, run,
        {"step": 1, "layers": [{"id": "late", "depth": 9}, {"id": "b", "depth": 1}], "metrics": {"m": [1, 1]}},
        {"step": 2, "layers": [{"id": "a", "depth": 1}, {"id": "first", "depth": 0}], "metrics": {"m": [1, 1]}})
    assert list(series(server, run, metric="m")["layers"]) == ["first", "b", "a", "late"]


def test_an_answer_of_many_pieces_arrives_whole(either):
    run = run_id("pieces")
    rng = random.Random(5)
    layers = [f"l{layer:03}" for layer in range(160)]
    steps = [{"step": step, "layers": layers, "metrics": {name: [rng.random() for _ in layers] for name in "mn"},
              "scalars": {f"s{scalar}": rng.random() for scalar in range(20)}} for step in range(600)]
    for start in range(0, 600, 100):
        accept_lines(either, run, steps[start:start + 100])
    got = series(either, run, metric="n,m", scalars="", points=1000)
    expected = reference.answer(reference.rows(steps), 1000, "nm", layers, [f"s{scalar}" for scalar in range(20)])
    assert picture(got) == {**expected, "resolution": 1}


def test_a_run_without_steps_has_empty_series(server):
    run = run_id("empty")
    put(server, run, {}, 201)
    assert series(server, run, metric="m", scalars="x") == {
        "steps": [], "last_steps": [], "scalars": {}, "layers": {}, "resolution": 1, "last_seq": 0}
