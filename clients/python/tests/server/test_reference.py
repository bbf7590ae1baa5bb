"""The reference server gives the answers of the real one, so that a client that passes with it speaks the wire."""

import gzip
import json

import pytest

from support.reference import Reference

STEP = {"step": 0, "time": 1.8e9, "scalars": {"loss": 0.5}}
LAYERS = {"step": 1, "layers": ["a", {"id": "b.c", "type": "Linear", "depth": 1}], "metrics": {"weight_std": [1, None]}}
JSON, LINES = "application/json", "application/x-ndjson"


def lines(*steps):
    return b"".join(json.dumps(step).encode() + b"\n" for step in steps)


def encoded(value):
    return json.dumps(value).encode()


def bad(**fields):
    return {**STEP, **fields}


#: Method, path below the run, content type, body. They follow one another on one run.
REQUESTS = {
    "unknown run": ("GET", "", None, b""),
    "steps of an unknown run": ("GET", "/steps", None, b""),
    "alert of an unknown run": ("POST", "/alerts", JSON, encoded({"title": "t"})),
    "empty batch": ("POST", "/steps", LINES, b""),
    "still unknown": ("GET", "", None, b""),
    "begin": ("PUT", "", JSON, encoded({"project": "p", "name": "n", "config": {"a": 1}, "tags": ["t"]})),
    "heartbeat": ("PUT", "", JSON, b"{}"),
    "one step": ("POST", "/steps", JSON, encoded(STEP)),
    "a batch": ("POST", "/steps", LINES, lines(LAYERS, bad(step=2), bad(step=3))),
    "a step again": ("POST", "/steps", LINES, lines(bad(step=3, scalars={"loss": "NaN"}))),
    "bare tokens": ("POST", "/steps", LINES, b'{"step":4,"scalars":{"a":NaN,"b":-Infinity}}\n'),
    "bad lines": ("POST", "/steps", LINES, lines(bad(step=-1), bad(step=5), bad(scalars={"a": "x"})) + b"{\n"),
    "unknown field": ("POST", "/steps", LINES, lines(bad(step=6, loss=0.5))),
    "no step": ("POST", "/steps", JSON, encoded({"scalars": {"a": 1}})),
    "step of another type": ("POST", "/steps", JSON, encoded(bad(step="x"))),
    "column too short": ("POST", "/steps", JSON, encoded({**LAYERS, "metrics": {"weight_std": [1]}})),
    "column too long": ("POST", "/steps", JSON, encoded({**LAYERS, "metrics": {"weight_std": [1, 2, 3]}})),
    "layer twice": ("POST", "/steps", JSON, encoded({"step": 7, "layers": ["a.b", "a/b"]})),
    "null in a vector": ("POST", "/steps", JSON, encoded(bad(vectors={"v": {"a": [1, None]}}))),
    "too many scalars": ("POST", "/steps", JSON, encoded(bad(scalars={str(place): 1 for place in range(1_001)}))),
    "control character": ("POST", "/steps", JSON, encoded(bad(scalars={"a\n": 1}))),
    "no time": ("POST", "/steps", JSON, encoded(bad(time=0))),
    "batch size of none": ("POST", "/steps", JSON, encoded(bad(batch_size=0))),
    "not an object": ("POST", "/steps", JSON, b"[]"),
    "no JSON": ("POST", "/steps", JSON, b"{"),
    "another media type": ("POST", "/steps", "text/plain", b"x"),
    "alert": ("POST", "/alerts", JSON, encoded({"title": "t", "level": "warning", "text": "x", "step": 3})),
    "alert of a bad level": ("POST", "/alerts", JSON, encoded({"title": "t", "level": "bad"})),
    "alert without title": ("POST", "/alerts", JSON, encoded({"level": "info"})),
    "config merges": ("PUT", "", JSON, encoded({"config": {"b": 2, "a": None}})),
    "config too large": ("PUT", "", JSON, encoded({"config": {"x": "y" * 300_000}})),
    "bad state": ("PUT", "", JSON, encoded({"state": "done"})),
    "bad tags": ("PUT", "", JSON, encoded({"tags": [1]})),
    "bad name": ("PUT", "", JSON, encoded({"name": 3})),
    "end": ("PUT", "", JSON, encoded({"state": "failed", "exit_code": 3, "reason": "r"})),
    "again": ("PUT", "", JSON, encoded({"state": "running"})),
    "resume": ("PUT", "", JSON, encoded({"resume_from": 3})),
    "after the resume": ("POST", "/steps", LINES, lines(bad(step=3))),
    "the run": ("GET", "", None, b""),
    "the steps": ("GET", "/steps", None, b""),
    "delete": ("DELETE", "", None, b""),
    "deleted": ("GET", "", None, b""),
}
#: Fields of the answers that the client reads, or that its tests read.
COMPARED = (
    "status", "run_id", "seq", "accepted", "last_seq", "rejected_count", "warnings", "project", "name", "config",
    "tags", "state", "exit_code", "reason", "step_count", "last_step", "step",
)


def shown(answer):
    """What of an answer must agree."""
    if isinstance(answer, list):
        return [shown(one) for one in answer]
    kept = {name: answer[name] for name in COMPARED if answer.get(name) not in (None, {}, [])}
    # A run lists names here, which the client does not read; a step has its values.
    kept.update((name, answer[name]) for name in ("scalars", "metrics") if isinstance(answer.get(name), dict))
    details = answer.get("detail")
    if isinstance(details, list):
        kept["detail"] = [(detail["type"], detail["loc"]) for detail in details[:1]]
    elif isinstance(details, dict):
        kept["detail"] = details["error"]
    for line in answer.get("rejected") or []:
        kept.setdefault("rejected", []).append((line["line"], line["detail"][0]["type"], line["detail"][0]["loc"]))
    return kept


def parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return [json.loads(line) for line in body.splitlines()]


def test_reference_answers_as_the_real_server_does(server):
    reference = Reference()
    differences = {}
    for name, (method, path, kind, body) in REQUESTS.items():
        headers = {"content-type": kind} if kind else {}
        if len(body) > 1_000:
            headers["content-encoding"], body = "gzip", gzip.compress(body)
        target = "/api/v2/runs/r" + path
        status, _, data = server.request(method, target, body or (None if method == "GET" else b""), headers)
        expected = reference.handle(method, target, headers, body)
        real = (status, shown(parsed(data) if data else {}))
        other = (expected[0], shown(json.loads(json.dumps(expected[1])) if expected[1] is not None else {}))
        if real != other:
            differences[name] = (real, other)
    assert not differences, "\n".join(f"{name}:\n  {one}\n  {other}" for name, (one, other) in differences.items())


@pytest.mark.parametrize(("token", "method", "status"), [
    (None, "PUT", 401), ("unknown", "PUT", 401), ("reader", "PUT", 403), ("reader", "GET", 404)])
def test_reference_refuses_the_tokens_that_the_real_server_refuses(server, token, method, status):
    reference = Reference(tokens={"reader": {"read"}, "trainer": {"ingest", "read"}})
    headers = {"content-type": JSON, "authorization": f"Bearer {token}"} if token else {"content-type": JSON}
    assert reference.handle(method, "/api/v2/runs/r", headers, b"{}")[0] == status
    real = {"Authorization": f"Bearer {server.reader if token == 'reader' else token}"} if token else {}
    body = b"{}" if method == "PUT" else None
    assert server.request(method, "/api/v2/runs/r", body, {"Content-Type": JSON, **real}, token="")[0] == status
