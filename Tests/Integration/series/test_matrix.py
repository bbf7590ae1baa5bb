"""GET /api/v2/runs/{run}/matrix: both forms have what the series have."""

import gzip
import random

import pytest
import requests
from Support.clients.openwire import accept_lines, accept_steps, request, run_path
from Support.clients.runs import put
from Support.payloads import run_id
from Support.series import matrix, reference
from Support.series.matrix import MISSING, NOT_FINITE, TYPE, bits

PARTS = ["last", "max", "min", "nonfinite"]


def read(server, run: str, headers=None, **query) -> requests.Response:
    given = {key.rstrip("_"): value for key, value in query.items()}
    response = request(server, "GET", run_path(run) + "/matrix", params=given, headers=headers or {})
    assert response.status_code == 200, response.text[:2000]
    return response


def binary(server, run: str, **query) -> tuple[dict, list]:
    response = read(server, run, {"Accept": TYPE}, **query)
    assert response.headers["Content-Type"] == TYPE
    return matrix.parse(response.content)


def series(server, run: str, **query) -> dict:
    given = {key.rstrip("_"): value for key, value in query.items()}
    return request(server, "GET", run_path(run) + "/series", params=given).json()


@pytest.fixture(scope="module", params=[3, 4])
def random_run(server, request):
    """A run with random steps."""
    run = run_id("matrix")
    accept_lines(server, run, reference.random_steps(random.Random(request.param), 400))
    return run


def expected(one: dict, part: str, bucket: int):
    """A value of the JSON form, from the series of the layer."""
    if part == "nonfinite" and one["last"][bucket] is None:
        return None
    return one[part][bucket]


@pytest.mark.parametrize("points", [1, 3, 40, 10_000])
@pytest.mark.parametrize("agg", [None, "last", "min,last", ["max", "nonfinite"], ",".join(PARTS), ""])
def test_both_forms_have_the_values_of_the_series(server, random_run, points, agg):
    for bounds in ({}, {"from_": 333, "to": 777}, {"from_": 2000}, {"from_": 700, "to": 300}):
        query = {"metric": "mine", "points": points, **bounds}
        one = series(server, random_run, **query)
        wanted = {"agg": agg} if agg is not None else {}
        text = read(server, random_run, **query, **wanted).json()
        head, numbers = binary(server, random_run, **query, **wanted)
        assert list(text) == ["metric", "agg", "layers", "steps", "last_steps", "resolution", "last_seq", "values"]
        for answer in (text, head):
            assert answer["metric"] == "mine" and answer["layers"] == list(one["layers"])
            assert answer["agg"] == {None: ["last"], "": PARTS}.get(
                agg if not isinstance(agg, list) else 0, agg if isinstance(agg, list) else str(agg).split(","))
            for key in ("steps", "last_steps", "resolution", "last_seq"):
                assert answer[key] == one[key]
        assert len(text["values"]) == len(head["agg"])
        for part, rows, row_bits in zip(head["agg"], text["values"], numbers, strict=True):
            for layer, row, bit_row in zip(head["layers"], rows, row_bits, strict=True):
                buckets = one["layers"][layer]["mine"]
                values = [expected(buckets, part, bucket) for bucket in range(len(one["steps"]))]
                assert row == values
                # A minimum or maximum without a finite value is a NaN of its own kind.
                assert bit_row == [
                    NOT_FINITE if value is None and buckets["last"][bucket] is not None else bits(value)
                    for bucket, value in enumerate(values)]


def test_the_bits_by_hand(server):
    run = run_id("bits")
    values = [[1.5, None], ["NaN", 0.1], ["-Infinity", 16777217], [1e300, -1e300], [1e-60, -1e-60], [1e-45, -0.0],
              [3.4028235677973366e38, 3.4028235677973362e38]]
    accept_steps(server, run, *({"step": step, "layers": ["a.b", "c"], "metrics": {"m": row}}
                                for step, row in enumerate(values)))
    head, numbers = binary(server, run, metric="m")
    assert (head["layers"], head["steps"], head["shape"]) == (["a/b", "c"], list(range(7)), [1, 2, 7])
    assert numbers == [[
        [0x3FC00000, NOT_FINITE, 0xFF800000, 0x7F800000, 0, 1, 0x7F800000],
        [MISSING, 0x3DCCCCCD, 0x4B800000, 0xFF800000, 0x80000000, 0x80000000, 0x7F7FFFFF]]]
    _, numbers = binary(server, run, metric="m", agg="max,min,nonfinite", points=1)
    assert numbers == [[[0x7F800000], [0x7F7FFFFF]], [[0], [0xFF800000]], [[0x40000000], [0]]]


def test_parts_of_a_layer_with_missing_and_non_finite_values(server):
    run = run_id("parts")
    accept_steps(server, run, {"step": 0, "layers": ["l", "other"], "metrics": {"m": ["NaN", 1]}},
                 {"step": 1, "layers": ["other"], "metrics": {"m": [2]}})
    _, numbers = binary(server, run, metric="m", agg="last,max,min,nonfinite")
    assert [part[0] for part in numbers] == [
        [NOT_FINITE, MISSING], [NOT_FINITE, MISSING], [NOT_FINITE, MISSING], [bits(1), MISSING]]
    assert read(server, run, metric="m", agg="last,max,min,nonfinite").json()["values"] == [
        [["NaN", None], [1, 2]], [[None, None], [1, 2]], [[None, None], [1, 2]], [[1, None], [0, 0]]]


def test_layers_come_by_depth_then_first_seen(server):
    run = run_id("depth")
    accept_steps(
        server, run,
        {"step": 1, "layers": [{"id": "late", "depth": 2}, {"id": "z", "depth": 0}, {"id": "mid", "depth": 1}, "no"],
         "metrics": {"m": [1e300, -1e300, 1e-60, None], "other": [1, 1, 1, 1]}},
        {"step": 2, "layers": [{"id": "z", "depth": 0}], "metrics": {"m": ["NaN"]}})
    head, numbers = binary(server, run, metric="m", agg="max,last", points=1)
    assert head["layers"][:3] == ["z", "mid", "late"]
    assert [row[:3] for row in numbers] == [[[0xFF800000], [0], [0x7F800000]], [[NOT_FINITE], [0], [0x7F800000]]]


@pytest.mark.parametrize("length", range(1, 9))
def test_the_numbers_begin_at_a_multiple_of_eight(server, length):
    run = run_id("padding")
    accept_steps(server, run, {"step": 2**53, "layers": ["é" * length, "b"], "metrics": {"m": [length, -length]}})
    head, numbers = binary(server, run, metric="m")
    assert head["steps"] == [2**53] and numbers == [[[bits(length)], [bits(-length)]]]


def test_nothing_is_an_empty_matrix(server):
    run = run_id("empty")
    put(server, run, {}, 201)
    for query, shape in (({"metric": "m"}, [1, 0, 0]), ({"metric": "m", "agg": ""}, [4, 0, 0])):
        head, _ = binary(server, run, **query)
        assert head["shape"] == shape and head["last_seq"] == 0
    assert read(server, run, metric="m").json()["values"] == [[]]
    accept_steps(server, run, {"step": 1, "layers": ["l"], "metrics": {"m": [1]}})
    assert binary(server, run, metric="unknown")[0]["shape"] == [1, 0, 1]
    assert binary(server, run, metric="m", from_=5)[0]["shape"][2] == 0


def test_the_name_of_the_metric_is_no_list(server):
    run = run_id("names")
    accept_steps(server, run, {"step": 1, "layers": ["l"], "metrics": {"a,b": [1], "c*": [2], "d\\": [3]}})
    for name, value in (("a,b", 1), ("c*", 2), ("d\\", 3)):
        answer = read(server, run, metric=name).json()
        assert (answer["metric"], answer["values"]) == (name, [[[value]]])
        head, numbers = binary(server, run, metric=name)
        assert head["metric"] == name and numbers == [[[bits(value)]]]


@pytest.mark.parametrize(("accept", "is_binary"), [
    (None, False), ("*/*", False), ("application/json", False), ("application/*", False), ("text/html", False),
    (TYPE, True), (TYPE.upper(), True), (f"{TYPE};q=0.5", True), (f"{TYPE};q=0", False), (f"{TYPE};q=x", False),
    (f"{TYPE};q=0.1, application/json", False), (f"application/json;q=0.5, {TYPE}", True),
    (f"{TYPE}, */*", True), (f"{TYPE};q=0.2, */*;q=0.1", True), (f"{TYPE};q=0.2, */*;q=0.3", False),
    (f"{TYPE};q=0.2, application/json;q=0.1, */*;q=0.9", True), (f"{TYPE};q=0.2,application/*;q=0.3", False),
    (f"text/html, {TYPE} ; q=0.9", True), (f"application/json, {TYPE}", True), ("", False)])
def test_accept_chooses_the_form(server, random_run, accept, is_binary):
    response = read(server, random_run, {"Accept": accept}, metric="mine", points=5)
    assert response.headers["Content-Type"] == (TYPE if is_binary else "application/json")
    assert "Accept" in [name.strip() for name in response.headers["Vary"].split(",")]


def test_only_json_is_compressed(server, random_run):
    headers = {"Accept-Encoding": "gzip"}
    plain = read(server, random_run, {"Accept-Encoding": "identity"}, metric="mine").content
    zipped = request(server, "GET", run_path(random_run) + "/matrix?metric=mine", headers=headers, stream=True)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in zipped.headers["Vary"] and "Accept," in zipped.headers["Vary"] + ","
    assert gzip.decompress(zipped.raw.read()) == plain
    response = read(server, random_run, {**headers, "Accept": TYPE}, metric="mine")
    assert "Content-Encoding" not in response.headers


def test_derived_metrics_have_a_last_value_alone(server):
    run = run_id("derived")
    accept_steps(server, run, *(
        {"step": step, "layers": ["a", "b", "c"], "metrics": {"gradient_l2_norm": [step, None, 1],
                                                              "weight_frobenius_norm": [2, 1, None]}}
        for step in range(3)))
    answer = read(server, run, metric="gradient_to_weight", agg="").json()
    assert answer["layers"][0] == "a" and answer["values"][0][0] == [0, 0.5, 1]
    assert [part[0] for part in answer["values"][1:]] == [[None] * 3, [None] * 3, [0] * 3]
    head, numbers = binary(server, run, metric="gradient_to_weight", agg="")
    assert head["layers"] == answer["layers"] and numbers[0][0] == [0, bits(0.5), bits(1)]
    assert [part[0] for part in numbers[1:]] == [[MISSING] * 3, [MISSING] * 3, [0] * 3]
    for layer in range(1, len(head["layers"])):
        assert {bit for part in numbers for bit in part[layer]} == {MISSING}


def test_a_matrix_of_many_blocks_arrives_whole(either):
    run = run_id("blocks")
    rng = random.Random(8)
    layers = [f"l{layer:03}" for layer in range(300)]
    columns = [[rng.gauss(0, 1) for _ in layers] for _ in range(500)]
    for start in range(0, 500, 100):
        accept_lines(either, run, [{"step": step, "layers": layers, "metrics": {"m": columns[step]}}
                                   for step in range(start, start + 100)])
    head, numbers = binary(either, run, metric="m", agg="last,min", points=500)
    assert (head["layers"], head["steps"]) == (layers, list(range(500)))
    expected_bits = [[bits(columns[step][layer]) for step in range(500)] for layer in range(300)]
    assert numbers == [expected_bits, expected_bits]
    assert read(either, run, metric="m", agg="max", points=500).json()["values"] == [
        [[columns[step][layer] for step in range(500)] for layer in range(300)]]


def test_head_has_no_body(server, random_run):
    response = request(server, "HEAD", run_path(random_run) + "/matrix?metric=mine", headers={"Accept": TYPE})
    assert (response.status_code, response.headers["Content-Type"], response.content) == (200, TYPE, b"")
