"""Bodies of requests, however they are framed, and bodies of responses, compressed or not."""

import gzip
import json

import pytest
from support.clients import post_steps, session
from support.payloads import payload, run_id, served
from support.raw import chunked, ingest, request

# Bodies


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
@pytest.mark.parametrize("extension", ["", ";name=value", ';q="a;b"'])
def test_chunked_body_is_read_with_extensions_and_trailers(server, raw, size, extension):
    body = payload(run_id(), 1)
    raw.send(ingest(b"", headers=["Transfer-Encoding: chunked", "Trailer: X-Sum"]))
    raw.send(chunked(json.dumps(body).encode(), size, extension, ["X-Sum: 1"]))
    assert raw.read_response().status == 202
    assert raw.ask(request(f"/api/v1/runs/{body['metadata']['run_id']}/latest")).json() == served(body)


@pytest.mark.parametrize("chunks", [
    b"xyz\r\n", b"-1\r\nabc\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b" 3\r\nabc\r\n0\r\n\r\n",
    b"0x3\r\nabc\r\n0\r\n\r\n"])
def test_bad_chunk_is_400_and_closes(raw, chunks):
    answer = raw.ask(ingest(b"", headers=["Transfer-Encoding: chunked"]) + chunks)
    assert answer.status in (400, 413)
    assert raw.gone()


@pytest.mark.parametrize("headers", [
    ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5, 6"], ["Content-Length: -1"],
    ["Content-Length: +5"],
    ["Content-Length: five"], ["Content-Length: 0x5"], ["Transfer-Encoding: chunked, gzip"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding : chunked"], ["Transfer-Encoding: chunked, chunked"]])
def test_ambiguous_length_is_refused_and_nothing_behind_it_is_a_request(raw, headers):
    raw.send(ingest(b"", headers=headers) + b"0\r\n\r\n" + request("/nowhere"))
    assert raw.read_response().status in (400, 501)
    assert raw.gone()


@pytest.mark.parametrize("lines", [[], ["Host: a", "Host: b"], ["Host: a b"], ["Host: "]], ids=["no", "two", "space",
    "empty"])
def test_host_that_is_missing_or_double_is_400(raw, lines):
    answer = raw.ask(request(host=None, headers=lines))
    # An empty Host is well-formed (RFC 9112, 3.2), but no name of this server.
    assert answer.status == (421 if lines == ["Host: "] else 400)


@pytest.mark.parametrize("data", [
    b"garbage\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"GET /health\r\n\r\n",
    b"GET /health HTTP/9.9\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"GET /hea lth HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_what_is_no_http_is_400(raw, data):
    answer = raw.ask(data)
    assert answer.status in (400, 505)
    assert raw.gone()


def test_get_with_a_body_does_not_confuse_what_follows(raw):
    raw.send(request(body=b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n") + request("/api/v1/runs"))
    first = raw.read_response()
    assert first.status in (200, 400, 413)
    if first.status == 200 and "close" not in first["connection"].lower():
        assert raw.read_response().status == 200


# Compressed responses


@pytest.fixture(scope="module")
def large_run(server):
    run = run_id("large")
    with session(server) as client:
        post_steps(client, server, run, range(5), layers=20)
    return f"/api/v1/runs/{run}"


@pytest.mark.parametrize("accept, compressed", [
    ("gzip", True), ("deflate, gzip;q=0.5", None), ("GZIP", True), ("*", None), ("gzip;q=0", False), ("identity",
    False),
    ("gzip;q=0.000, *;q=0", False), ("br", False), ("", False), (None, False), ("gzip; q=1.0, identity; q=0.5", True)])
def test_response_is_gzip_when_accepted(raw, large_run, accept, compressed):
    plain = raw.ask(request(large_run)).body
    answer = raw.ask(request(large_run, headers=[] if accept is None else [f"Accept-Encoding: {accept}"]))
    assert answer.status == 200
    assert "accept-encoding" in answer["vary"].lower()
    encoding = answer["content-encoding"]
    assert encoding in ("", "gzip")
    if compressed is not None:
        assert (encoding == "gzip") == compressed
    assert (gzip.decompress(answer.body) if encoding else answer.body) == plain
    assert len(answer.body) < len(plain) or not encoding


def test_head_of_a_compressed_response_has_no_body(raw, large_run):
    assert raw.ask(request(large_run, "HEAD", ["Accept-Encoding: gzip"]), head=True).status == 200
    assert raw.ask(request()).status == 200
