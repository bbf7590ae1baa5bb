"""Content types, content encodings and sizes of an ingest body."""

import gzip
import random
import zlib

import pytest

from Support.clients.ingest import accept, encode, get, kept_steps, post, run_path, session
from Support.payloads import payload, run_id, served

LIMIT = 2_000_000


def new_payload() -> dict:
    return payload(run_id("body"), layers=1)


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def assert_kept(server, posted):
    assert kept_steps(server, posted["metadata"]["run_id"]) == [served(posted)]


def assert_refused(response, status: int, code: str):
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert list(detail) == ["error", "message"] and detail["error"] == code
    assert isinstance(detail["message"], str) and detail["message"].strip()


@pytest.fixture(scope="module", autouse=True)
def fresh_connections():
    """Early responses may close a connection that the session would reuse."""
    yield
    session.close()


# Content types

@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON",
    "Application/Json ; Charset=latin1", "application/vnd.x+json", "application/problem+JSON; a=b",
    "application/json; a=\"b;c\"", None,
])
def test_json_by_any_of_its_names_or_by_none_is_taken(server, content_type):
    posted = new_payload()
    accept(server, posted, {} if content_type is None else {"Content-Type": content_type})
    assert_kept(server, posted)


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/jsonx", "application/x-ndjson", "text/json", "application/xml",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream",
    "application/xjson", "application/json+xml", "image/svg+xml", "json", "application/jsonp; x=application/json",
    "text/plain; a=application/json",
])
def test_any_other_content_type_is_415(server, content_type):
    posted = new_payload()
    response = post(server, posted, {"Content-Type": content_type})
    assert response.status_code == 415
    assert response.json()["detail"]
    assert get(server, run_path(posted["metadata"]["run_id"])).status_code == 404


# Content encodings

ENCODINGS = [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate),
    ("identity", bytes), ("GZIP", gzip.compress), ("X-GZip", gzip.compress), ("Deflate", zlib.compress),
    ("gzip", lambda data: gzip.compress(data, 1)), ("gzip", lambda data: gzip.compress(data, 0)),
    ("deflate", lambda data: zlib.compress(data, 0)),
    ("gzip", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    ("gzip", lambda data: gzip.compress(data) + bytes(1)), ("gzip", lambda data: gzip.compress(data) + bytes(100_000)),
]


@pytest.mark.parametrize(("coding", "compress"), ENCODINGS, ids=[
    "gzip", "x-gzip", "zlib", "raw deflate", "identity", "GZIP", "X-GZip", "Deflate", "gzip fast", "gzip stored",
    "zlib stored", "two gzip members", "gzip and a zero", "gzip and many zeros"])
def test_an_encoded_body_is_read(server, coding, compress):
    posted = new_payload()
    accept(server, compress(encode(posted).encode()), {"Content-Encoding": coding})
    assert_kept(server, posted)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzipx", "x-deflate", "aes128gcm"])
def test_an_unknown_content_encoding_is_415_and_says_which_are_known(server, coding):
    response = post(server, new_payload(), {"Content-Encoding": coding})
    assert response.status_code == 415
    assert response.headers["Accept-Encoding"] == "gzip, deflate"
    assert response.json()["detail"]


BODY = encode(payload("damaged", layers=20)).encode()
GZIP = gzip.compress(BODY)
ZLIB = zlib.compress(BODY)


def flipped(data: bytes, index: int) -> bytes:
    return data[:index] + bytes([data[index] ^ 0xFF]) + data[index:][1:]


DAMAGED = {
    "not gzip": ("gzip", BODY), "gzip header only": ("gzip", GZIP[:10]), "half gzip": ("gzip", GZIP[:len(GZIP) // 2]),
    "gzip without its check": ("gzip", GZIP[:-8]), "gzip without its last byte": ("gzip", GZIP[:-1]),
    "gzip with a wrong checksum": ("gzip", flipped(GZIP, len(GZIP) - 8)),
    "gzip with a wrong length": ("gzip", flipped(GZIP, len(GZIP) - 1)),
    "gzip with a wrong method": ("gzip", flipped(GZIP, 2)),
    "gzip and then garbage": ("gzip", GZIP + b"garbage"),
    "gzip, zeros and garbage": ("gzip", GZIP + bytes(20) + b"garbage"), "zeros alone": ("gzip", bytes(20)),
    "zeros between members": ("gzip", GZIP + bytes(4) + GZIP), "zlib and a zero": ("deflate", ZLIB + bytes(1)), "second member cut": ("gzip", GZIP + GZIP[:-5]),
    "half zlib": ("deflate", ZLIB[:len(ZLIB) // 2]), "zlib with a wrong checksum": ("deflate", flipped(ZLIB, -1)),
    "zlib without its last byte": ("deflate", ZLIB[:-1]), "half deflate": ("deflate", raw_deflate(BODY)[:-20]),
    "invalid deflate block": ("deflate", b"\x07\xff\xff\xff\xff"), "one byte": ("gzip", b"\x1f"),
}


@pytest.mark.parametrize(("coding", "body"), DAMAGED.values(), ids=DAMAGED)
def test_a_corrupt_or_truncated_compressed_body_is_400(server, coding, body):
    assert_refused(post(server, body, {"Content-Encoding": coding}), 400, "invalid_encoding")


def test_a_damaged_body_keeps_nothing(server):
    for coding, body in DAMAGED.values():
        assert post(server, body, {"Content-Encoding": coding}).status_code == 400
    assert get(server, run_path("damaged")).status_code == 404


# Sizes

def sized(length: int) -> tuple[dict, bytes]:
    """A payload and its body of exactly `length` bytes, hardly compressible."""
    posted = new_payload()
    start = encode(posted).encode()[:-1] + b',"pad":"'
    return posted, start + random.Random(length).randbytes(length).hex().encode()[:length - len(start) - 2] + b'"}'


def test_a_body_of_the_largest_size_is_accepted_plain_and_compressed(server):
    posted, body = sized(LIMIT)
    assert len(body) == LIMIT
    accept(server, body)
    assert_kept(server, posted)
    accept(server, gzip.compress(body, 1), {"Content-Encoding": "gzip"})


def test_a_body_one_byte_larger_is_413(server):
    posted, body = sized(LIMIT + 1)
    assert_refused(post(server, body), 413, "payload_too_large")
    assert get(server, run_path(posted["metadata"]["run_id"])).status_code == 404


@pytest.mark.parametrize(("coding", "compress"), [
    ("gzip", lambda data: gzip.compress(data, 1)), ("deflate", lambda data: zlib.compress(data, 1)),
    ("deflate", raw_deflate)], ids=["gzip", "zlib", "raw deflate"])
def test_a_body_one_byte_larger_after_inflating_is_413(server, coding, compress):
    body = compress(sized(LIMIT + 1)[1])
    assert len(body) < LIMIT
    assert_refused(post(server, body, {"Content-Encoding": coding}), 413, "payload_too_large")


def test_a_chunked_body_is_accepted_and_refused_by_its_size(server):
    def pieces(data):
        for start in range(0, len(data), 60_000):
            yield data[start:start + 60_000]

    posted, body = sized(LIMIT)
    headers = {"Content-Type": "application/json"}
    arguments = {"headers": headers, "timeout": 30}
    url = server.url + "/api/v1/metrics/layerwise"
    assert session.post(url, data=pieces(body), **arguments).status_code == 202
    assert_kept(server, posted)
    assert_refused(session.post(url, data=pieces(sized(LIMIT + 1)[1]), **arguments), 413, "payload_too_large")


@pytest.mark.parametrize("random_bytes", [0, 1000, 10_000], ids=["hardly any", "a thousand", "ten thousand"])
@pytest.mark.parametrize("pad_first", [True, False])
def test_a_body_of_the_largest_size_is_accepted_at_any_ratio_up_to_a_thousand(server, random_bytes, pad_first):
    posted = new_payload()
    # The compression ratio of the padding alone is about 1 030.
    text = encode(posted).encode()[1:-1] + b',"noise":"' + random.Random(1).randbytes(random_bytes).hex().encode() + b'"'
    pad = b" " * (LIMIT - len(text) - 2)
    body = b"{" + (pad + text if pad_first else text + pad) + b"}"
    assert len(body) == LIMIT
    data = gzip.compress(body)
    assert len(data) * 1000 >= LIMIT
    accept(server, data, {"Content-Encoding": "gzip"})
    assert_kept(server, posted)


@pytest.mark.parametrize("size", [1_900_000, 20_000_000])
@pytest.mark.parametrize(("coding", "compress"), [
    ("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
    ids=["gzip", "zlib", "raw deflate"])
def test_a_body_that_expands_beyond_the_ratio_is_413(server, coding, compress, size):
    # Zeros compress about a thousandfold, and the default limit of the ratio is a thousand.
    response = post(server, compress(bytes(size)), {"Content-Encoding": coding})
    assert_refused(response, 413, "payload_too_large")
