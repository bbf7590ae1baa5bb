"""Rules of the ingest payload beyond single numbers: strings, lists, order, several errors."""

import json
import random

import pytest

from Support.clients.ingest import ABSENT, Raw, accept, changed, encode, kept_steps, kinds, post, rejected
from Support.payloads import layer, payload, run_id, served

RUN_ID = ("metadata", "run_id")
LAYER_STRINGS = [("layer_statistics", 0, "layer_id"), ("layer_statistics", 0, "layer_type")]
STRINGS = [RUN_ID, *LAYER_STRINGS]
MEMBER = ("metadata", "layer_groups", "g", 0)
SHAPE = ("layer_statistics", 0, "intermediate_features", "activation_shape")
RATIOS = ("cross_layer_analysis", "gradient_norm_ratio")
GROUPS = ("metadata", "layer_groups")


def name(path) -> str:
    return ".".join(map(str, path))


def unique(length: int, character: str = "a") -> str:
    """A unique run id of `length` UTF-8 bytes."""
    start = f"{random.getrandbits(64):016x}"
    width = len(character.encode())
    padding = (length - 16) % width
    return start + "." * padding + character * ((length - 16 - padding) // width)


def one_layer() -> dict:
    posted = payload(run_id("payload"), layers=1)
    posted["metadata"]["layer_groups"] = {"g": ["block0.fc"]}
    return posted


# Strings

@pytest.mark.parametrize("path", STRINGS, ids=name)
def test_an_empty_string_is_too_short(server, path):
    error, = errors = rejected(post(server, changed(one_layer(), path, "")))
    assert kinds(errors) == [("string_too_short", path)]
    assert error["ctx"]["min_length"] == 1


@pytest.mark.parametrize("character", ["a", "é", "€", "😀"])
@pytest.mark.parametrize(("path", "limit"), [(RUN_ID, 512), *((path, 1024) for path in LAYER_STRINGS)])
def test_the_length_of_a_string_is_counted_in_utf8_bytes(server, path, limit, character):
    longest = unique(limit, character)
    assert len(longest.encode()) == limit
    posted = changed(one_layer(), path, longest)
    accept(server, posted)  # json.dumps escapes non-ASCII characters: 12 bytes for an emoji that counts as 4
    accept(server, json.dumps(posted, ensure_ascii=False))
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]

    for too_long in (longest + "a", unique(limit + 1, character)):
        for body in (changed(posted, path, too_long),
                     json.dumps(changed(posted, path, too_long), ensure_ascii=False)):
            error, = errors = rejected(post(server, body))
            assert kinds(errors) == [("string_too_long", path)]
            assert error["ctx"]["max_length"] == limit


@pytest.mark.parametrize("escape", ["\\u0000", "\\n", "\\t", "\\r", "\\b", "\\u001f", "\\u007f"])
@pytest.mark.parametrize("form", ["{}run", "r{}un", "run{}"])
def test_a_run_id_has_no_control_characters(server, form, escape):
    body = changed(one_layer(), RUN_ID, Raw('"' + form.format(escape) + '"'))
    assert kinds(rejected(post(server, body))) == [("string_pattern_mismatch", RUN_ID)]


@pytest.mark.parametrize("path", LAYER_STRINGS, ids=name)
def test_the_strings_of_a_layer_may_have_control_characters(server, path):
    posted = changed(one_layer(), path, "a\n\t\x00b")
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


@pytest.mark.parametrize("text", [r'"\ud800"', r'"a\udc00b"', r'"\ud83dx"', r'"\ud83d\ud83d\ude00"', r'"\ude00\ud83d"'])
@pytest.mark.parametrize("path", [*STRINGS, MEMBER], ids=name)
def test_a_lone_surrogate_escape_is_refused(server, path, text):
    assert kinds(rejected(post(server, changed(one_layer(), path, Raw(text))))) == [("string_unicode", path)]


@pytest.mark.parametrize("path", [*STRINGS, MEMBER], ids=name)
def test_every_escape_is_read(server, path):
    rare = r'\"\\\/\u00e9\u20AC\ud83d\uDE00' + ("" if path == RUN_ID else r"\b\f\n\r\t\u0000")
    posted = changed(one_layer(), path, Raw(f'"{unique(16)}{rare}"'))
    accept(server, posted)
    read = json.loads(encode(posted))
    assert kept_steps(server, read["metadata"]["run_id"]) == [served(read)]


# Lists and dictionaries

@pytest.mark.parametrize(("path", "value", "least"), [
    (("layer_statistics",), [], 1), (SHAPE, [], 2), (SHAPE, [32], 2)])
def test_a_list_with_too_few_members_is_refused(server, path, value, least):
    error, = errors = rejected(post(server, changed(one_layer(), path, value)))
    assert kinds(errors) == [("too_short", path)]
    assert error["ctx"]["min_length"] == least


def test_a_shape_may_have_many_dimensions(server):
    posted = changed(one_layer(), SHAPE, list(range(32)))
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


@pytest.mark.parametrize("value", [{}, None, ABSENT], ids=["empty", "null", "absent"])
def test_no_layer_groups_come_back_as_null(server, value):
    posted = changed(one_layer(), GROUPS, value)
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"])[0]["layer_groups"] is None


def test_a_layer_group_may_be_empty_and_so_may_its_members_and_its_name(server):
    posted = changed(one_layer(), GROUPS, {"none": [], "": ["", "a.b"], "x.y": ["c"]})
    accept(server, posted)
    step, = kept_steps(server, posted["metadata"]["run_id"])
    assert step["layer_groups"] == {"none": [], "": ["", "a/b"], "x.y": ["c"]}


def test_errors_in_dictionaries_are_found_by_key_and_position(server):
    posted = changed(one_layer(), GROUPS, {"a": ["ok", 1, None], "b": {}, "c d": [[]]})
    posted = changed(posted, RATIOS, {"x": 1, "y/z": "no", "é": None})
    assert kinds(rejected(post(server, posted))) == [
        ("string_type", (*GROUPS, "a", 1)), ("string_type", (*GROUPS, "a", 2)), ("list_type", (*GROUPS, "b")),
        ("string_type", (*GROUPS, "c d", 0)),
        ("float_type", (*RATIOS, "y/z")), ("float_type", (*RATIOS, "é")),
    ]


def test_ratios_may_be_empty(server):
    posted = changed(one_layer(), RATIOS, {})
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


def test_ratios_may_be_negative_and_keep_their_keys(server):
    posted = changed(one_layer(), RATIOS, {"a.b/c.d": -2.5, "": 0.0, "é\n\"": 1e300})
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


# Order of depth

def with_depths(*depths) -> dict:
    posted = payload(run_id("depth"), layers=1)
    posted["layer_statistics"] = [layer(f"net.{index}", depth) for index, depth in enumerate(depths)]
    return posted


def test_depths_may_repeat_and_leave_gaps(server):
    posted = with_depths(3, 3, 4, 9, 9, 100)
    accept(server, posted)
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


@pytest.mark.parametrize(("depths", "first"), [((61, 60), 0), ((60, 67, 65, 63), 1), ((67, 68, 68, 62), 2)])
def test_layers_out_of_order_are_refused_naming_the_first_pair_as_posted(server, depths, first):
    error, = errors = rejected(post(server, with_depths(*depths)))
    assert kinds(errors) == [("value_error", ("layer_statistics",))]
    for part in (f"net.{first}", f"net.{first + 1}", str(depths[first]), str(depths[first + 1])):
        assert part in error["msg"]


def test_layers_out_of_order_stand_between_the_errors_of_their_neighbours(server):
    posted = changed(with_depths(2, 1), ("metadata", "batch_size"), 0)
    posted = changed(posted, ("cross_layer_analysis", "feature_std_gradient"), "x")
    assert kinds(rejected(post(server, posted))) == [
        ("greater_than", ("metadata", "batch_size")), ("value_error", ("layer_statistics",)),
        ("float_type", ("cross_layer_analysis", "feature_std_gradient")),
    ]


# Several errors

def everything_wrong() -> tuple[dict, list]:
    """A payload with one error per field, and the errors in schema order."""
    bad_layer = ("layer_statistics", 1)
    features, gradients = (*bad_layer, "intermediate_features"), (*bad_layer, "gradient_flow")
    parameters = (*bad_layer, "parameter_statistics")
    wrong = [
        (RUN_ID, "", "string_too_short"), (("metadata", "timestamp"), 0, "greater_than"),
        (("metadata", "global_step"), -1, "greater_than_equal"), (("metadata", "batch_size"), 1.5, "int_from_float"),
        (GROUPS, [[]], "dict_type"),
        ((*bad_layer, "layer_id"), 1, "string_type"), ((*bad_layer, "layer_type"), "", "string_too_short"),
        ((*bad_layer, "depth_index"), "1", "int_type"),
        ((*features, "activation_std"), -1, "greater_than_equal"),
        ((*features, "activation_mean"), Raw("NaN"), "finite_number"),
        ((*features, "activation_shape"), [1], "too_short"),
        ((*features, "cross_layer_std_ratio"), -1, "greater_than_equal"),
        ((*gradients, "gradient_l2_norm"), True, "float_type"), ((*gradients, "gradient_std"), ABSENT, "missing"),
        ((*gradients, "gradient_max_abs"), Raw("1e999"), "finite_number"),
        ((*parameters, "weight", "std"), -1, "greater_than_equal"),
        ((*parameters, "weight", "mean"), ABSENT, "missing"),
        ((*parameters, "weight", "spectral_norm"), "1", "float_type"),
        ((*parameters, "weight", "frobenius_norm"), None, "float_type"),
        ((*parameters, "bias", "std"), -1, "greater_than_equal"), ((*parameters, "bias", "mean_abs"), [], "float_type"),
        (("cross_layer_analysis", "feature_std_gradient"), None, "float_type"), (RATIOS, None, "dict_type"),
    ]
    posted = payload(run_id("wrong"), layers=3)
    for path, value, _ in wrong:
        posted = changed(posted, path, value)
    return posted, [(kind, path) for path, _, kind in wrong]


def backwards(value):
    """The same JSON with the members of every object in reverse order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [backwards(item) for item in value]
    return value


@pytest.mark.parametrize("arrange", [lambda posted: posted, backwards], ids=["in order", "backwards"])
def test_all_errors_are_told_in_the_order_of_the_schema(server, arrange):
    posted, expected = everything_wrong()
    assert kinds(rejected(post(server, arrange(posted)))) == expected


def test_an_empty_object_misses_every_part_in_the_order_of_the_schema(server):
    assert kinds(rejected(post(server, "{}"))) == [
        ("missing", ("metadata",)), ("missing", ("layer_statistics",)), ("missing", ("cross_layer_analysis",))]


@pytest.mark.parametrize("count", [99, 100, 101, 102, 300])
def test_at_most_a_hundred_errors_are_told(server, count):
    posted = payload(run_id("many"), layers=0)
    posted["layer_statistics"] = [Raw("1")] * count
    errors = rejected(post(server, posted))
    expected = [("model_attributes_type", ("layer_statistics", index)) for index in range(min(count, 100))]
    assert kinds(errors[:100]) == expected
    assert [item["type"] for item in errors[100:]] == (["too_many_errors"] if count > 100 else [])
