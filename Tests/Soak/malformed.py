"""Input that a server on the internet gets: each with the answer that it must have."""

import gzip
import json

from Support.payloads import payload
from Support.wire.raw import INGEST, ingest, request


def malformed(rng, token: str, body: bytes) -> tuple[str, bytes, set[int]]:
    """One wrong request: what it is, its bytes, and the status that it may be answered with.

    `body`: a good payload, to be spoilt.
    """
    auth = [f"Authorization: Bearer {token}"]
    zipped = gzip.compress(body)
    wrong = payload("wrong")
    wrong["layer_statistics"][0]["depth_index"] = "deep"
    place = rng.randrange(len(body))
    cases = [
        ("broken JSON", ingest(body[:place], auth), {422}),
        ("a wrong type", ingest(json.dumps(wrong).encode(), auth), {422}),
        ("random bytes for JSON", ingest(rng.randbytes(500), auth), {422}),
        ("no token", ingest(body), {401}),
        ("a wrong token", ingest(body, ["Authorization: Bearer wrong"]), {401}),
        ("a body that is not gzip", ingest(body, [*auth, "Content-Encoding: gzip"]), {400}),
        ("gzip cut short", ingest(zipped[:len(zipped) // 2], [*auth, "Content-Encoding: gzip"]), {400}),
        ("a bomb", ingest(gzip.compress(bytes(3_000_000)), [*auth, "Content-Encoding: gzip"]), {413}),
        ("an unknown coding", ingest(body, [*auth, "Content-Encoding: br"]), {415}),
        ("a wrong type of content", request(INGEST, "POST", [*auth, "Content-Type: text/plain"], body), {415}),
        ("a method that is not served", request(INGEST, "PUT", auth, body), {405}),
        ("a path that is not served", request("/api/v1/nothing", headers=auth), {404}),
        ("a path out of the folder", request("/static/../../etc/passwd", headers=auth), {400, 404}),
        ("two lengths", request(INGEST, "POST", [*auth, "Content-Length: 2", "Content-Length: 3"], b"{}"), {400}),
        ("a length and chunks", request(INGEST, "POST", [*auth, "Content-Length: 2", "Transfer-Encoding: chunked"], b"{}"),
         {400}),
        ("a body announced as too large", request(INGEST, "POST", [*auth, "Content-Length: 99999999"]), {413}),
        ("a head that is too large", request(headers=[f"X-{index}: {'x' * 900}" for index in range(60)]), {431}),
        ("no host", request(host=None), {400}),
        ("no HTTP", rng.randbytes(200) + b"\r\n\r\n", {400}),
    ]
    return rng.choice(cases)
