"""Chunked request bodies, and response bodies with and without compression."""

import gzip
import json

import pytest
from Support.clients.libraries import post_steps, session
from Support.payloads import payload, run_id, served
from Support.wire.raw import chunked, ingest, request

# Bodies


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
@pytest.mark.parametrize("extension", ["", ";name=value", ';q="a;b"'])
def test_chunked_body_is_read_with_extensions_and_trailers(server, raw, size, extension):
    body = payload(run_id(), 1)
    raw.send(ingest(b"", headers=["Transfer-Encoding: chunked", "Trailer: X-Sum"]))
    raw.send(chunked(json.dumps(body).encode(), size, extension, ["X-Sum: 1"]))
    assert raw.read_response().status == 202
    assert raw.ask(request(f"/api/v1/runs/{body['metadata']['run_id']}/latest")).json() == served(body)


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
