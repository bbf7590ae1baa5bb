"""The stored size of a body: the bound that SCHEMA.md states, for the payloads that store the most."""

import itertools
import json
import os
import re
import string

import pytest
from Support.clients.ingest import Raw, accept, changed, encode, kept_steps, kinds, post, rejected
from Support.payloads import payload, run_id

# SCHEMA.md: a step stores at most PER_BYTE bytes for each byte of its body, plus PER_STEP.
PER_BYTE, PER_STEP = 4, 2048
LIMIT = 1_000_000

SHAPE = ("layer_statistics", 0, "intermediate_features", "activation_shape")


# Shapes

@pytest.mark.parametrize("count", [2, 3, 31, 32])
def test_a_shape_has_two_to_thirty_two_dimensions(server, count):
    run = run_id("shape")
    accept(server, changed(payload(run), SHAPE, list(range(count))))
    step, = kept_steps(server, run)
    assert step["layers"][0]["intermediate_features"]["activation_shape"] == list(range(count))


@pytest.mark.parametrize("count", [33, 1000, 930_000])
def test_a_longer_shape_is_refused(server, count):
    run = run_id("shape")
    errors = rejected(post(server, encode(changed(payload(run), SHAPE, Raw("[" + ",".join("1" * count) + "]")))))
    assert kinds(errors) == [("too_long", SHAPE)]
    assert errors[0]["ctx"] == {"max_length": 32, "actual_length": count}
    assert "32" in errors[0]["msg"] and str(count) in errors[0]["msg"]


def test_what_follows_the_last_dimension_that_is_read_is_still_json(server):
    long = ",".join("1" * 40)
    errors = rejected(post(server, encode(changed(payload("x"), SHAPE, Raw(f"[{long},nope]")))))
    assert [item["type"] for item in errors] == ["json_invalid"]
    errors = rejected(post(server, encode(changed(payload("x"), SHAPE, Raw(f'["a",{long},"b"]')))))
    assert kinds(errors) == [("too_long", SHAPE), ("int_type", (*SHAPE, 0))] or kinds(errors) == [
        ("int_type", (*SHAPE, 0)), ("too_long", SHAPE)]


# Empty groups

@pytest.mark.parametrize("text", ["[]", "[ ]", "[\n\t]", "{}", "null"])
def test_empty_groups_are_none(server, text):
    run = run_id("groups")
    accept(server, encode(changed(payload(run), ("metadata", "layer_groups"), Raw(text))))
    assert kept_steps(server, run)[0]["layer_groups"] is None


@pytest.mark.parametrize("text", ["[1]", "[[]]", '["a"]', "[null]"])
def test_a_list_of_something_is_no_groups(server, text):
    errors = rejected(post(server, encode(changed(payload("x"), ("metadata", "layer_groups"), Raw(text)))))
    assert kinds(errors) == [("dict_type", ("metadata", "layer_groups"))]


def test_a_list_of_groups_that_does_not_end_is_no_json(server):
    body = encode(changed(payload("x"), ("metadata", "layer_groups"), Raw("[")))
    assert [item["type"] for item in rejected(post(server, body))] == ["json_invalid"]


# Sizes

def words(count: int):
    """Distinct short keys, shortest first."""
    letters = string.ascii_letters + string.digits + "!#$%&()*+-/:;<=>?@^_`{|}~"
    for length in itertools.count(1):
        for word in itertools.product(letters, repeat=length):
            yield "".join(word)
            count -= 1
            if count == 0:
                return


LAYER = ('{"layer_id":%s,"layer_type":%s,"depth_index":0,"intermediate_features":{"activation_std":0,'
         '"activation_mean":0,"activation_shape":%s},"gradient_flow":{"gradient_l2_norm":0,"gradient_std":0,'
         '"gradient_max_abs":0},"parameter_statistics":{"weight":{"std":0,"mean":0,"spectral_norm":0,'
         '"frobenius_norm":0}}}')


def body(step: int, layers: str, ratios: str = "", groups: str = "") -> str:
    """The shortest payload with these parts. The type and shape of its first layer are unique, so steps share
    nothing."""
    first = LAYER % ('"a"', f'"{step}"', f"[{step},1]")
    groups = f',"layer_groups":{{{groups}}}' if groups else ""
    ratios = f',"gradient_norm_ratio":{{{ratios}}}' if ratios else ""
    return (f'{{"metadata":{{"run_id":"r","timestamp":1,"global_step":{step},"batch_size":1{groups}}},'
            f'"layer_statistics":[{first}{"," + layers if layers else ""}],'
            f'"cross_layer_analysis":{{"feature_std_gradient":0{ratios}}}}}')


KINDS = {
    "the smallest payload": lambda step: body(step, ""),
    "many tiny layers": lambda step: body(step, ",".join([LAYER % ('"a"', '"a"', "[1,1]")] * 300)),
    "long ids": lambda step: body(step, ",".join([LAYER % (json.dumps("a" * 1024), json.dumps('"' * 1024), "[1,1]")] * 30)),
    "long shapes": lambda step: body(step, ",".join([LAYER % ('"a"', '"a"', "[" + ",".join(["1e18"] * 32) + "]")] * 100)),
    "many short ratio keys": lambda step: body(step, "", ",".join(f'"{word}":0' for word in words(8000))),
    "the shortest ratio keys": lambda step: body(step, "", ",".join(f'"{word}":0' for word in words(87))),
    "many members of a group": lambda step: body(step, "", "", '"g":[' + ",".join(['"a"'] * 20_000) + "]"),
    "empty strings in a group": lambda step: body(step, "", "", '"":[' + ",".join(['""'] * 20_000) + "]"),
    "groups of empty lists": lambda step: body(step, "", "", ",".join(f'"{word}":[]' for word in words(8000))),
    "equal keys": lambda step: body(step, "", ",".join(['"a":0'] * 8000), ",".join(['"a":["b"]'] * 8000)),
    "white space": lambda step: body(step, "") + " " * 50_000,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_stores_no_more_than_the_stated_bound(start_server, kind):
    """The store trims the lowest steps over three quarters of MAX_MEMORY, so that divided by the steps left is the size
    of a step."""
    own = start_server("--max-memory", LIMIT, "--max-steps-per-run", 1_000_000, "--log-level", "warning")
    bound = PER_BYTE * len(KINDS[kind](10_000)) + PER_STEP
    most = LIMIT * 3 // 4 // bound
    # As many steps as must fit. The run itself needs less memory than PER_STEP.
    steps = range(10_000, 10_000 + max(1, most - 1))
    for step in steps:
        accept(own, KINDS[kind](step))
    assert len(kept_steps(own, "r")) == len(steps)


# The default limit

def machine_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def shown_limit(output: str) -> int:
    return int(re.search(r"metrics\s+at most (\d+) bytes", output).group(1))


def test_memory_is_limited_by_default_and_the_banner_shows_it(start_server):
    own = start_server()
    assert own.stop() == 0
    assert 0 < shown_limit(own.output) <= machine_memory() // 4


def test_a_given_limit_and_none_are_shown(start_server):
    own = start_server("--max-memory", 123_456_789)
    assert own.stop() == 0
    assert shown_limit(own.output) == 123_456_789
    off = start_server("--max-memory", 0)
    assert off.stop() == 0
    assert re.search(r"metrics\s+no memory limit", off.output)
