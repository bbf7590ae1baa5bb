"""Duplicate fields of the ingest payload: the last one counts. Unknown fields are ignored."""

import json

import pytest

from Support.clients.ingest import Raw, accept, changed, encode, kept_steps, kinds, post, rejected
from Support.payloads import payload, run_id, served

RUN_ID = ("metadata", "run_id")
GROUPS = ("metadata", "layer_groups")
SHAPE = ("layer_statistics", 0, "intermediate_features", "activation_shape")
RATIOS = ("cross_layer_analysis", "gradient_norm_ratio")


def name(path) -> str:
    return ".".join(map(str, path))


def one_layer() -> dict:
    posted = payload(run_id("duplicate"), layers=1)
    posted["metadata"]["layer_groups"] = {"g": ["block0.fc"]}
    return posted


def doubled(posted, path, first: str) -> Raw:
    """JSON text in which the field at `path` occurs twice, first with the value `first`."""
    key = json.dumps(path[-1]) + ":"
    before, after = encode(changed(posted, path, Raw("@@"))).split(key + "@@")
    return Raw(f"{before}{key}{first},{key}{encode(value_at(posted, path))}{after}")


def value_at(value, path):
    for part in path:
        value = value[part]
    return value


@pytest.mark.parametrize(
    "first", ["null", '"x"', "-7", "[]", "{}", "[1,[2,{}]]", "NaN", '{"run_id":"","batch_size":-1}'])
@pytest.mark.parametrize("path", [
    ("metadata",), ("layer_statistics",), ("cross_layer_analysis",), RUN_ID, ("metadata", "global_step"), GROUPS,
    (*GROUPS, "g"), SHAPE, ("layer_statistics", 0, "depth_index"),
    ("layer_statistics", 0, "parameter_statistics", "bias"),
    ("layer_statistics", 0, "gradient_flow", "gradient_std"), RATIOS, (*RATIOS, "block1.fc/block0.fc"),
], ids=name)
def test_the_last_of_duplicate_fields_wins_whatever_the_first_was(server, path, first):
    posted = one_layer()
    accept(server, doubled(posted, path, first))
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


def test_only_the_errors_of_the_last_duplicate_are_told(server):
    posted = one_layer()
    bad = changed(posted, ("metadata",), {**posted["metadata"], "timestamp": -1, "batch_size": None})
    body = doubled(bad, ("metadata",), encode(posted["metadata"]))
    assert kinds(rejected(post(server, body))) == [
        ("greater_than", ("metadata", "timestamp")), ("int_type", ("metadata", "batch_size"))]


def test_a_later_duplicate_takes_nothing_from_an_earlier_one(server):
    posted = one_layer()
    body = doubled(changed(posted, ("metadata",), {"run_id": "x"}), ("metadata",), encode(posted["metadata"]))
    assert kinds(rejected(post(server, body))) == [
        ("missing", ("metadata", field)) for field in ("timestamp", "global_step", "batch_size")]


def test_an_escaped_name_is_the_same_field(server):
    posted = one_layer()
    body = encode(posted).replace('"batch_size"', r'"batch_size":-5,"batch\u005fsize"')
    accept(server, body)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


UNKNOWN = '{"metadata":[{"run_id":null},NaN,-Infinity,1e999,"\\ud800",[[]],true],"":0.5e-3}'


def everywhere_unknown(value):
    if isinstance(value, dict):
        return {"unknown": Raw(UNKNOWN), **{key: everywhere_unknown(item) for key, item in value.items()},
                "Run_ID": Raw(UNKNOWN), "run_id ": None}
    return [everywhere_unknown(item) for item in value] if isinstance(value, list) else value


def test_unknown_fields_are_ignored_at_every_level(server):
    posted = one_layer()
    body = everywhere_unknown(posted)
    # These two objects are dictionaries: every key is data, so none is unknown.
    body["metadata"]["layer_groups"] = posted["metadata"]["layer_groups"]
    body["cross_layer_analysis"]["gradient_norm_ratio"] = posted["cross_layer_analysis"]["gradient_norm_ratio"]
    accept(server, body)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]
