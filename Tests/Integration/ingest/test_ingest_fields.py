"""Every field of the ingest payload by its type: accepted values, and the exact errors for rejected values."""

import json

import pytest

from Support.clients.ingest import ABSENT, Raw, accept, changed, encode, kept_steps, kinds, post, rejected
from Support.payloads import METRICS, payload, run_id, served

LAYER = ("layer_statistics", 0)
FEATURES = (*LAYER, "intermediate_features")
GRADIENTS = (*LAYER, "gradient_flow")
PARAMETERS = (*LAYER, "parameter_statistics")
WEIGHT = (*PARAMETERS, "weight")
BIAS = (*PARAMETERS, "bias")
CROSS = ("cross_layer_analysis",)
RATIOS = (*CROSS, "gradient_norm_ratio")
GROUPS = ("metadata", "layer_groups")

STRINGS = [("metadata", "run_id"), (*LAYER, "layer_id"), (*LAYER, "layer_type"), (*GROUPS, "g", 0)]
# The path and bound of each number: "ge" is at least 0, "gt" is greater than 0.
INTEGERS = [
    (("metadata", "global_step"), "ge"), (("metadata", "batch_size"), "gt"), ((*LAYER, "depth_index"), "ge"),
    ((*FEATURES, "activation_shape", 1), None),
]
FLOATS = [
    (("metadata", "timestamp"), "gt"),
    *[((*LAYER, *path), bound) for path, bound, _ in METRICS],
    ((*CROSS, "feature_std_gradient"), None), ((*RATIOS, "b/a"), None),
]
OBJECTS = [("metadata",), LAYER, FEATURES, GRADIENTS, PARAMETERS, WEIGHT, BIAS, CROSS]
DICTIONARIES = [GROUPS, RATIOS]
LISTS = [("layer_statistics",), (*FEATURES, "activation_shape"), (*GROUPS, "g")]

OPTIONAL_METRICS = [(*LAYER, *path) for path, _, is_optional in METRICS if is_optional]
NULLABLE = [GROUPS, *OPTIONAL_METRICS, BIAS]
OPTIONAL = [*NULLABLE, RATIOS]
MEMBERS = [LAYER, (*GROUPS, "g"), (*GROUPS, "g", 0), (*FEATURES, "activation_shape", 1), (*RATIOS, "b/a")]
TOKENS = ["NaN", "Infinity", "-Infinity"]


def full(run: str | None = None) -> dict:
    """A valid payload with one layer and all optional fields."""
    posted = payload(run or run_id("field"), layers=1)
    posted["metadata"]["layer_groups"] = {"g": ["block0.fc", "block0"]}
    for path in OPTIONAL_METRICS:
        posted = changed(posted, path, 1.25)
    posted["cross_layer_analysis"]["gradient_norm_ratio"] = {"b/a": 0.5}
    return posted


def name(path) -> str:
    return ".".join(map(str, path))


def wrong_types():
    """The path, JSON text and error type for every value of a wrong type."""
    groups = [
        (STRINGS, ["1", "1.5", "true", "[]", "{}", "null", "NaN"], "string_type"),
        ([path for path, _ in INTEGERS], ['"7"', "true", "false", "[1]", "{}", "null"], "int_type"),
        ([path for path, _ in FLOATS], ['"1.5"', '""', "true", "false", "[1]", "{}", "null"], "float_type"),
        (OBJECTS, ['"x"', "1", "true", "[]", "null", "NaN"], "model_attributes_type"),
        (DICTIONARIES, ['"x"', "1", "true", "[1]", "[[]]", "null", "-Infinity"], "dict_type"),
        ([RATIOS], ["[]"], "dict_type"),  # an empty list is valid for layer_groups
        (LISTS, ['"x"', "1", "true", "{}", "null", "NaN"], "list_type"),
    ]
    for paths, texts, kind in groups:
        for path in paths:
            for text in texts:
                if text != "null" or path not in NULLABLE:
                    yield pytest.param(path, text, kind, id=f"{name(path)}={text}")


@pytest.mark.parametrize(("path", "text", "kind"), list(wrong_types()))
def test_a_value_of_another_type_is_refused_at_its_own_place(server, path, text, kind):
    assert kinds(rejected(post(server, changed(full(), path, Raw(text))))) == [(kind, path)]


REQUIRED = [
    path for path in [*STRINGS, *(path for path, _ in INTEGERS), *(path for path, _ in FLOATS), *OBJECTS, *LISTS]
    if path not in OPTIONAL and path not in MEMBERS
]


@pytest.mark.parametrize("path", REQUIRED, ids=name)
def test_an_absent_required_field_is_missing(server, path):
    assert kinds(rejected(post(server, changed(full(), path, ABSENT)))) == [("missing", path)]


@pytest.mark.parametrize("path", OPTIONAL, ids=name)
def test_an_optional_field_may_be_absent(server, path):
    posted = changed(full(), path, ABSENT)
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


@pytest.mark.parametrize("path", NULLABLE, ids=name)
def test_an_optional_field_may_be_null(server, path):
    posted = changed(full(), path, None)
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


def test_all_optional_fields_may_be_absent_at_once(server):
    posted = full()
    for path in OPTIONAL:
        posted = changed(posted, path, ABSENT)
    accept(server, posted)
    step, = kept_steps(server, posted["metadata"]["run_id"])
    assert step["layer_groups"] is None
    assert step["cross_layer"]["gradient_norm_ratio"] == {}
    assert step["layers"][0]["parameter_statistics"]["bias"] is None
    for path in OPTIONAL_METRICS:
        assert value_at(step, served_path(path)) is None


def below_bounds():
    for path, bound in INTEGERS + FLOATS:
        texts = {"ge": ["-1"], "gt": ["0", "-1"], None: []}[bound]
        if (path, bound) in FLOATS and bound:
            texts = texts + ["-1e-300", "-1.5e300"] + (["0.0", "-0.0"] if bound == "gt" else [])
        elif bound:
            texts = texts + ["-1.0", "-9223372036854775808"]
        for text in texts:
            yield pytest.param(path, text, bound, id=f"{name(path)}={text}")


@pytest.mark.parametrize(("path", "text", "bound"), list(below_bounds()))
def test_a_number_below_its_bound_is_refused_with_the_bound(server, path, text, bound):
    error, = errors = rejected(post(server, changed(full(), path, Raw(text))))
    assert kinds(errors) == [({"ge": "greater_than_equal", "gt": "greater_than"}[bound], path)]
    assert error["ctx"] == {bound: 0}


@pytest.mark.parametrize("text", [*TOKENS, "1e999", "-1e999", "1" + "0" * 400])
@pytest.mark.parametrize("path", [path for path, _ in FLOATS], ids=name)
def test_a_float_that_is_not_finite_is_refused_at_its_own_place(server, path, text):
    assert kinds(rejected(post(server, changed(full(), path, Raw(text))))) == [("finite_number", path)]


@pytest.mark.parametrize("text", [*TOKENS, "1e999"])
@pytest.mark.parametrize("path", [path for path, _ in INTEGERS], ids=name)
def test_an_integer_that_is_not_finite_is_refused_at_its_own_place(server, path, text):
    assert kinds(rejected(post(server, changed(full(), path, Raw(text))))) == [("finite_number", path)]


def bad_integers():
    for text in ["7.5", "1e-1", "-0.5", "0.1e0", "123456789.25"]:
        yield text, "int_from_float"
    for text in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 40, "1e30"]:
        yield text, "int_parsing_size"


@pytest.mark.parametrize(("text", "kind"), list(bad_integers()))
@pytest.mark.parametrize("path", [path for path, _ in INTEGERS], ids=name)
def test_an_integer_with_a_fraction_or_beyond_64_bits_is_refused(server, path, text, kind):
    assert kinds(rejected(post(server, changed(full(), path, Raw(text))))) == [(kind, path)]


def served_path(path):
    """The path of a posted number in the step that the server returns."""
    renamed = {"metadata": (), "cross_layer_analysis": ("cross_layer",), "layer_statistics": ("layers",)}
    last = ("step",) if path[-1] == "global_step" else path[1:]
    return (*renamed[path[0]], *last)


def value_at(step, path):
    for part in path:
        step = step[part]
    return step


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("7.0", 7), ("1e2", 100), ("1E+2", 100), ("70e-1", 7), ("2.50e1", 25), ("1", 1), ("7.000000", 7),
     ("9223372036854775807", 2**63 - 1)])
@pytest.mark.parametrize("path", [path for path, _ in INTEGERS], ids=name)
def test_an_integer_may_be_spelt_in_any_way_that_json_has(server, path, text, value):
    posted = changed(full(), path, Raw(text))
    accept(server, posted)
    step, = kept_steps(server, posted["metadata"]["run_id"])
    read = value_at(step, served_path(path))
    assert read == value and type(read) is int


@pytest.mark.parametrize("path", [path for path, bound in INTEGERS if bound != "gt"], ids=name)
@pytest.mark.parametrize("text", ["0", "-0", "0.0", "0e5"])
def test_zero_is_an_integer_in_every_spelling(server, path, text):
    posted = changed(full(), path, Raw(text))
    accept(server, posted)
    step, = kept_steps(server, posted["metadata"]["run_id"])
    assert value_at(step, served_path(path)) == 0


def test_a_shape_may_hold_negative_integers(server):
    posted = changed(full(), (*FEATURES, "activation_shape"), [-1, -(2**63), 3])
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


def good_floats():
    for path, bound in FLOATS:
        for text in ["7", "0", "-0.0", "1e2", "5e-324", "-2.5", "1.7976931348623157e308", "0.1"]:
            value = float(text)
            if bound is None or value > 0 or (bound == "ge" and value == 0):
                yield pytest.param(path, text, id=f"{name(path)}={text}")


@pytest.mark.parametrize(("path", "text"), list(good_floats()))
def test_a_float_may_be_any_finite_number_within_its_bound(server, path, text):
    posted = changed(full(), path, Raw(text))
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(json.loads(encode(posted)))]
