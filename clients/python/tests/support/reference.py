"""A small, strict server for the part of `/api/v2` that the client uses, in memory.

It refuses what the open wire refuses, so that a client that passes here speaks the wire; it is no copy of the server.
"""

from __future__ import annotations

import datetime
import json
import math
import re
import threading
import time
import urllib.parse
import zlib
from dataclasses import dataclass, field

SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MAX_LINE = 2_000_000
MAX_BATCH = 64 * 2**20
STEP_FIELDS = {"step", "time", "batch_size", "scalars", "layers", "metrics", "vectors", "seq"}
LAYER_FIELDS = {"id", "type", "depth", "shape", "parameters", "trainable", "group"}
RUN_FIELDS = {"project", "name", "group", "tags", "notes", "config", "state", "exit_code", "reason", "resume_from"}


class Refused(Exception):
    """A 422: type and place."""

    def __init__(self, kind, *loc):
        super().__init__(kind, loc)
        self.detail = [{"type": kind, "loc": list(loc), "msg": f"{kind} at {'.'.join(map(str, loc))}"}]


@dataclass
class Run:
    fields: dict = field(default_factory=lambda: {"state": "running", "config": {}, "tags": []})
    steps: dict = field(default_factory=dict)
    alerts: list = field(default_factory=list)
    events: list = field(default_factory=list)
    heartbeats: int = 0
    last_seq: int = 0
    created_at: str = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc).isoformat())


def is_value(value):
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or value in SPELLED


def check_name(name, *loc):
    if not 1 <= len(name.encode()) <= 128 or CONTROL.search(name):
        raise Refused("string_pattern_mismatch", *loc, name)


def check_integer(value, least, *loc, kind="greater_than_equal"):
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("int_type", *loc)
    if not least <= value < 2**63:
        raise Refused(kind, *loc)


def check_step(step):
    """Raises Refused for what the wire does not allow; returns warnings."""
    if not isinstance(step, dict):
        raise Refused("model_attributes_type", "body")
    if "step" not in step:
        raise Refused("missing", "body", "step")
    check_integer(step["step"], 0, "body", "step")
    if step.get("time") is not None and not (isinstance(step["time"], (int, float)) and step["time"] > 0):
        raise Refused("greater_than", "body", "time")
    if step.get("batch_size") is not None:
        check_integer(step["batch_size"], 1, "body", "batch_size", kind="greater_than")
    scalars = step.get("scalars") or {}
    if len(scalars) > 1000:
        raise Refused("too_long", "body", "scalars")
    for name, value in scalars.items():
        check_name(name, "body", "scalars")
        if value is not None and not is_value(value):
            raise Refused("float_type", "body", "scalars", name)
    identities = check_layers(step.get("layers") or [])
    metrics = step.get("metrics") or {}
    if len(metrics) > 128:
        raise Refused("too_long", "body", "metrics")
    for name, column in metrics.items():
        check_name(name, "body", "metrics")
        if not isinstance(column, list):
            raise Refused("list_type", "body", "metrics", name)
        if len(column) != len(identities):
            short = len(column) < len(identities)
            raise Refused("too_short" if short else "too_long", "body", "metrics", name)
        for place, value in enumerate(column):
            if value is not None and not is_value(value):
                raise Refused("float_type", "body", "metrics", name, place)
    for name, by_layer in (step.get("vectors") or {}).items():
        check_name(name, "body", "vectors")
        for layer, values in by_layer.items():
            if len(values) > 4096:
                raise Refused("too_long", "body", "vectors", name, layer)
            for place, value in enumerate(values):
                if not is_value(value):
                    raise Refused("float_type", "body", "vectors", name, layer, place)
    return [
        f'"{name}" at the top level is ignored: put it under "scalars"' for name in step if name not in STEP_FIELDS
    ]


def check_layers(layers):
    identities = []
    for place, layer in enumerate(layers):
        layer = {"id": layer} if isinstance(layer, str) else layer
        if not isinstance(layer, dict) or not isinstance(layer.get("id"), str):
            raise Refused("string_type", "body", "layers", place, "id")
        if not 1 <= len(layer["id"].encode()) <= 1024:
            raise Refused("string_too_long", "body", "layers", place, "id")
        if set(layer) - LAYER_FIELDS:
            raise Refused("extra", "body", "layers", place)
        identities.append(layer["id"].replace(".", "/"))
        if identities[-1] in identities[:-1]:
            raise Refused("value_error", "body", "layers", place)
    return identities


def check_run_id(run):
    if not 1 <= len(run.encode()) <= 512 or CONTROL.search(run) or run in (".", ".."):
        raise Refused("string_pattern_mismatch", "path", "run")


class Reference:
    """Answers requests; `handle` may be called by several threads."""

    def __init__(self, tokens=None):
        self.runs = {}
        self.tokens = tokens
        self._lock = threading.RLock()

    def forget(self):
        """As after a restart of a server that keeps all in memory."""
        with self._lock:
            self.runs.clear()

    def handle(self, method, target, headers, body):
        """Returns status and the object of the answer."""
        with self._lock:
            try:
                return self._handle(method, target, headers, body)
            except Refused as refused:
                return 422, {"detail": refused.detail}

    def _handle(self, method, target, headers, body):
        parts = urllib.parse.urlsplit(target).path.split("/")[1:]
        if self.tokens is not None:
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.tokens:
                return 401, {"detail": {"error": "unauthorized", "message": "the token is not known"}}
            if "ingest" not in self.tokens[token] and method != "GET":
                return 403, {"detail": {"error": "forbidden", "message": "the token's scope does not allow this"}}
        if parts == ["health"]:
            return 200, {"status": "healthy", "active_connections": 0}
        if parts[:3] != ["api", "v2", "runs"] or len(parts) < 4:
            return 404, {"detail": "Not Found"}
        run = urllib.parse.unquote(parts[3], errors="strict")
        check_run_id(run)
        if headers.get("content-encoding") == "gzip":
            try:
                body = zlib.decompress(body, 31)
            except zlib.error:
                return 400, {"detail": {"error": "invalid_encoding", "message": "the body is no gzip"}}
        if len(parts) == 4:
            return self._run(method, run, body)
        if parts[4:] == ["steps"] and method == "POST":
            return self._post(run, headers, body)
        if parts[4:] == ["steps"] and method == "GET":
            if run not in self.runs:
                return self._unknown(run)
            steps = self.runs[run].steps
            return 200, [steps[number] for number in sorted(steps)]
        if parts[4:] == ["alerts"] and method == "POST":
            return self._alert(run, body)
        return 405, {"detail": "Method Not Allowed"}

    @staticmethod
    def _unknown(run):
        return 404, {"detail": {"error": "not_found", "message": f"Run '{run}' not found"}}

    def _run(self, method, run, body):
        if method == "PUT":
            return self._put(run, json.loads(body))
        if run not in self.runs:
            return self._unknown(run)
        if method == "DELETE":
            del self.runs[run]
            return 204, None
        return 200, self._object(run)

    def _object(self, run):
        kept = self.runs[run]
        return {
            "run_id": run, **kept.fields, "created_at": kept.created_at, "step_count": len(kept.steps),
            "last_seq": kept.last_seq, "last_step": max(kept.steps, default=None), "events": kept.events,
        }

    def _put(self, run, put):
        if not isinstance(put, dict):
            raise Refused("model_attributes_type", "body")
        for name, value in put.items():
            if name not in RUN_FIELDS:
                raise Refused("extra", "body", name)
            if name in ("project", "name", "group", "notes", "reason") and not isinstance(value, (str, type(None))):
                raise Refused("string_type", "body", name)
        if put.get("state") not in (None, "running", "finished", "failed"):
            raise Refused("enum", "body", "state")
        for place, tag in enumerate(put.get("tags") or []):
            if not isinstance(tag, str):
                raise Refused("string_type", "body", "tags", place)
        begins = run not in self.runs
        kept = self.runs.setdefault(run, Run())
        kept.heartbeats += not put
        if "config" in put:
            merged = {**kept.fields["config"], **(put["config"] or {})}
            if len(json.dumps(merged)) > 256 * 1024:
                raise Refused("too_long", "body", "config")
            kept.fields["config"] = {key: value for key, value in merged.items() if value is not None}
        for name, value in put.items():
            if name not in ("config", "resume_from"):
                kept.fields[name] = value
        if put.get("state") == "running":
            kept.fields.pop("exit_code", None)
            kept.fields.pop("reason", None)
        if put.get("resume_from") is not None:
            gone = [step for step in kept.steps if step >= put["resume_from"]]
            for step in gone:
                del kept.steps[step]
            event = {"type": "resumed", "time": time.time(), "step": put["resume_from"], "dropped": len(gone)}
            kept.events.append(event)
        return (201 if begins else 200), self._object(run)

    def _post(self, run, headers, body):
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind == "application/x-ndjson":
            return self._batch(run, body)
        if kind != "application/json":
            return 415, {"detail": {"error": "unsupported_media_type", "message": kind}}
        if len(body) > MAX_LINE:
            return 413, {"detail": {"error": "payload_too_large", "message": "too large"}}
        step = self._read(body)
        warnings = check_step(step)
        seq = self._store(run, step)
        answer = {"status": "accepted", "run_id": run, "seq": seq}
        return 202, {**answer, "warnings": warnings} if warnings else answer

    def _batch(self, run, body):
        if len(body) > MAX_BATCH:
            return 413, {"detail": {"error": "payload_too_large", "message": "too large"}}
        accepted, last, rejected, warnings = 0, None, [], []
        for number, line in enumerate(body.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                if len(line) > MAX_LINE:
                    raise Refused("too_long", "body")
                step = self._read(line)
                warnings += check_step(step)
            except Refused as refused:
                rejected.append({"line": number, "detail": refused.detail})
                continue
            last = self._store(run, step)
            accepted += 1
        answer = {
            "status": "accepted", "accepted": accepted, "last_seq": last, "rejected": rejected[:100],
            "rejected_count": len(rejected),
        }
        return 202, {**answer, "warnings": list(dict.fromkeys(warnings))[:10]} if warnings else answer

    @staticmethod
    def _read(line):
        try:
            return json.loads(line)
        except json.JSONDecodeError as error:
            raise Refused("json_invalid", "body", error.pos) from None

    def _store(self, run, step):
        kept = self.runs.setdefault(run, Run())
        kept.last_seq += 1
        kept.steps[step["step"]] = {**step, "seq": kept.last_seq}
        return kept.last_seq

    def _alert(self, run, body):
        alert = json.loads(body)
        if run not in self.runs:
            return self._unknown(run)
        if alert.get("level", "info") not in ("info", "warning", "critical"):
            raise Refused("enum", "body", "level")
        if not isinstance(alert.get("title"), str):
            raise Refused("missing", "body", "title")
        self.runs[run].alerts.append(alert)
        return 202, {"status": "accepted", "run_id": run}
