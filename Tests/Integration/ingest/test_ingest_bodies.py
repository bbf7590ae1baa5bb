"""Requirements on an ingest body before it is parsed as a payload: content types, encodings, sizes, JSON syntax."""

import gzip
import json

import pytest

from Support.clients.ingest import accept, encode, get, kept_steps, kinds, post, rejected, run_path
from Support.payloads import payload, run_id, served


def new_payload(layers: int = 1) -> dict:
    return payload(run_id("body"), layers=layers)


def with_unknown(text: str) -> str:
    """A valid payload whose first field is unknown and has this JSON text as its value."""
    return '{"x":' + text + "," + encode(new_payload())[1:]


def assert_kept(server, posted):
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


# The answer

def test_an_accepted_step_is_answered_202_with_its_run_and_can_be_read_at_once(server):
    posted = new_payload()
    response = post(server, posted)
    assert response.status_code == 202
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    # The endpoint may add members after these two.
    assert response.text.startswith(f'{{"status":"accepted","run_id":"{posted["metadata"]["run_id"]}"')
    assert {key: response.json()[key] for key in ("status", "run_id")} == {
        "status": "accepted", "run_id": posted["metadata"]["run_id"]}
    assert_kept(server, posted)


def test_the_answer_names_the_run_as_posted(server):
    posted = new_payload()
    posted["metadata"]["run_id"] += ' a.b/c "é😀" \\ %2F'
    assert accept(server, posted)["run_id"] == posted["metadata"]["run_id"]


# JSON

# Each text with the offset of its first invalid byte.
BROKEN = [
    (b"{", 1), (b"}", 0), (b"[", 1), (b"x", 0), (b"{,}", 1), (b'{"a" 1}', 5), (b'{"a":1,}', 7), (b'{"a":1]', 6),
    (b'{"a":01}', 6), (b'{"a":1}x', 7), (b'{"a":1} {}', 8), (b'{"a":1', 6), (b'{"a":', 5), (b'{"a":}', 5),
    (b"{a:1}", 1), (b"{'a':1}", 1), (b'{"a":+1}', 5), (b'{"a":.5}', 5), (b'{"a":1 "b":2}', 7), (b'{"a":[1 2]}', 8),
    (b'{"a":[1,]}', 8), (b'{"a":\x01}', 5), (b'{"a":"\x01"}', 6), (b'{"a":"\n"}', 6), (b'{"a":1}\x00', 7),
    (b'{"a":// no\n1}', 5), (b'{"a":1}}', 7), ('{"é":x}'.encode(), 6), (b'\r\n\t {"a":1,}', 11),
    # Other kinds of white space
    (b'\x0c{"a":1}', 0), (b'{"a":\x0c1}', 5), (b'{"a":1}\x0b', 7), (b'{"a":1} \x0c', 8),
    ('{"a":\u00a01}'.encode(), 5), ('{"a":1}\u2003'.encode(), 7), ('{"a":\u2028 1}'.encode(), 5),
    # Invalid UTF-8
    (b'{"a":"\xff"}', 6), (b'{"a":"b\xc0\xaf"}', 7), (b'{"\xfe":1}', 2), (b'{"a":"\x80"}', 6), (b"\xff", 0),
    (b'{"a":"\xf8\x88\x80\x80\x80"}', 6),
]


@pytest.mark.parametrize(("body", "offset"), BROKEN, ids=[repr(body)[2:-1] for body, _ in BROKEN])
def test_broken_json_is_refused_at_the_byte_where_it_breaks(server, body, offset):
    assert kinds(rejected(post(server, body))) == [("json_invalid", (offset,))]


# The offset may be that of the token or that of the byte inside it.
@pytest.mark.parametrize("body", [
    b'{"a":tru}', b'{"a":nulL}', b'{"a":nan}', b'{"a":Inf}', b'{"a":-}', b'{"a":1.}', b'{"a":1e}', b'{"a":-Inf}',
    b'{"a":+Infinity}', b'{"a":0x10}', b'{"a":"\\q"}', b'{"a":"\\u12g4"}', b'{"a":"\\u12"}', b'{"a":"b', b'{"a":"b\\',
    b'{"a":True}', b'{"a":\'b\'}', b'{"a":1_000}', b'{"a":"\xe2\x82"}', b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xf4\x90\x80\x80"}', b'{"a":"\xe0\x80\xaf"}', b'{"a":"\xc3',
], ids=lambda body: repr(body)[2:-1])
def test_a_broken_token_is_refused_at_the_token_or_inside_it(server, body):
    error, = rejected(post(server, body))
    assert error["type"] == "json_invalid" and len(error["loc"]) == 2
    assert 5 <= error["loc"][1] <= len(body)


@pytest.mark.parametrize("body", [b" ", b"\n", b"\t\r\n   ", b"\xef\xbb\xbf \r\n"])
def test_white_space_alone_is_broken_json(server, body):
    error, = rejected(post(server, body))
    assert error["type"] == "json_invalid" and len(error["loc"]) == 2


@pytest.mark.parametrize("ending", [b"x", b"\xff", b"}", b"\x00"])
def test_trailing_garbage_after_a_whole_payload_is_refused_and_nothing_kept(server, ending):
    posted = new_payload()
    body = encode(posted).encode()
    assert kinds(rejected(post(server, body + ending))) == [("json_invalid", (len(body),))]
    assert get(server, run_path(posted["metadata"]["run_id"])).status_code == 404


def test_a_payload_cut_anywhere_is_refused(server):
    body = encode(new_payload()).encode()
    for length in range(1, len(body), 7):
        error, = rejected(post(server, body[:length]))
        assert error["type"] == "json_invalid", length


def test_broken_json_after_a_bad_field_is_one_error_only(server):
    body = encode(new_payload()).replace('"batch_size":32', '"batch_size":-1')[:-1]
    assert kinds(rejected(post(server, body))) == [("json_invalid", (len(body),))]


@pytest.mark.parametrize("headers", [None, {}, {"Content-Type": "application/json", "Content-Length": "0"}])
def test_an_empty_body_is_missing(server, headers):
    assert kinds(rejected(post(server, b"", headers))) == [("missing", ())]


def test_an_empty_compressed_body_is_missing(server):
    assert kinds(rejected(post(server, gzip.compress(b""), {"Content-Encoding": "gzip"}))) == [("missing", ())]


@pytest.mark.parametrize("body", ["[]", "[{}]", '"x"', "1", "-1.5e3", "true", "null", "NaN", " [] "])
def test_json_that_is_no_object_is_refused_at_the_body(server, body):
    assert kinds(rejected(post(server, body))) == [("model_attributes_type", ())]


@pytest.mark.parametrize(("opening", "closing", "inner"), [("[", "]", "1"), ('{"k":', "}", "{}"), ("[", "]", "")])
def test_64_levels_of_nesting_are_read(server, opening, closing, inner):
    own = 1 if inner == "{}" else 0  # the payload's own object is the first level
    accept(server, with_unknown(opening * (63 - own) + inner + closing * (63 - own)))


@pytest.mark.parametrize("depth", [64, 65, 1000, 50_000])
@pytest.mark.parametrize("closed", [True, False])
def test_nesting_beyond_64_levels_is_refused_at_the_65th(server, depth, closed):
    body = with_unknown("[" * depth + "]" * depth) if closed else '{"x":' + "[" * depth
    assert kinds(rejected(post(server, body))) == [("json_invalid", (len('{"x":') + 63,))]


def test_nesting_is_counted_in_depth_and_not_in_number(server):
    accept(server, with_unknown("[" + ",".join(["[[[]]]"] * 500) + "]"))


def test_a_byte_order_mark_is_skipped(server):
    posted = new_payload()
    accept(server, b"\xef\xbb\xbf" + encode(posted).encode())
    assert_kept(server, posted)


def test_a_second_byte_order_mark_is_broken_json(server):
    error, = rejected(post(server, b"\xef\xbb\xbf" * 2 + encode(new_payload()).encode()))
    assert error["type"] == "json_invalid"


def test_white_space_may_stand_wherever_json_has_it(server):
    posted = new_payload()
    accept(server, " \t\r\n" + json.dumps(posted, indent="\t", separators=(" \r\n, ", "\r : ")) + "\n\t\r ")
    assert_kept(server, posted)


def test_text_beyond_ascii_may_be_escaped_or_not(server):
    for text in ("é€😀", "\u2028\u00a0", "日本"):
        posted = new_payload()
        posted["layer_statistics"][0]["layer_id"] = text
        accept(server, json.dumps(posted, ensure_ascii=False))
        assert_kept(server, posted)
        accept(server, json.dumps(posted))
        assert_kept(server, posted)
