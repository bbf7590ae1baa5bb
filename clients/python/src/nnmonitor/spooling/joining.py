"""Joins the records of a spool into the objects to send: one per step, and the puts and alerts between them.

The server never merges two posts of one step, so the client does: `log` and the layer statistics of `watch` write a
record each, and all records of one step become one object. A record of the spool is one of:

    {"kind":"step","step":S,"time":T,"scalars":{...},"claims":[W,...]}       `log`, for the reports W too
    {"kind":"report","watcher":W,"counter":C,"time":T,"layers":[...],"metrics":{...},"vectors":{},"scalars":{}}
    {"kind":"claim","watcher":W,"step":S}                                     no `log` before the next optimizer step
    {"kind":"put","put":{...}}                                                fields of the run
    {"kind":"base","put":{...}}                                               all fields so far, first line of a segment
    {"kind":"alert","alert":{...}}

A report is written before its step number is known: it gets the step of the first `log` before the watcher's next
optimizer step, otherwise its counter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

Record = dict[str, Any]


class Position(NamedTuple):
    """A place in the spool: the number of a segment, and a byte offset in it."""

    segment: int
    offset: int


@dataclass
class Event:
    """An object to send. After it and all earlier ones were delivered, reading can restart at `position`."""

    kind: str
    body: Record
    position: Position


@dataclass
class _Open:
    """The highest step so far: more records of it may come."""

    step: int
    start: Position
    body: Record
    changed: bool = True


@dataclass
class Joiner:
    """Joins records in the order of the spool. `dropped` counts records of a step below one that had been seen."""

    dropped: int = 0
    _open: Optional[_Open] = None
    _reports: dict[int, tuple[Record, Position]] = field(default_factory=dict)

    def add(self, record: Record, start: Position, end: Position) -> list[Event]:
        """Takes the record between the two positions; returns what can now be sent."""
        kind = record.get("kind")
        if kind == "step":
            return self._step(record, start)
        if kind == "report":
            events = self._settle(int(record["watcher"]))
            self._reports[int(record["watcher"])] = (record, start)
            return events
        if kind == "claim":
            return self._settle(int(record["watcher"]), int(record["step"]))
        if kind == "put":
            events = self.finish() if record["put"].get("state") in ("finished", "failed") else []
            return [*events, Event("put", record["put"], self._resume(end))]
        if kind in ("base", "alert"):
            return [Event(str(kind), record["put" if kind == "base" else "alert"], self._resume(end))]
        return []  # Of a newer client.

    def flush(self) -> list[Event]:
        """Returns the highest step without closing it: after a later record the whole step is sent again."""
        if self._open is None or not self._open.changed:
            return []
        self._open.changed = False
        # Copied: the step can grow while this body waits to be sent.
        return [Event("step", dict(self._open.body), self._resume(self._open.start))]

    def finish(self) -> list[Event]:
        """Ends the input: open reports get their counter as step, and the open step is returned."""
        events = [event for watcher in list(self._reports) for event in self._settle(watcher)]
        return events + self.flush()

    def _step(self, record: Record, start: Position) -> list[Event]:
        step = int(record["step"])
        events: list[Event] = []
        claimed = record.get("claims") or []
        for watcher in list(self._reports):
            if watcher not in claimed:
                continue
            report, report_start = self._reports.pop(watcher)
            events += self._merge(step, report, report_start)
        return events + self._merge(step, record, start)

    def _settle(self, watcher: int, step: Optional[int] = None) -> list[Event]:
        """Gives the watcher's open report its step."""
        if watcher not in self._reports:
            return []
        report, start = self._reports.pop(watcher)
        return self._merge(int(report["counter"]) if step is None else step, report, start)

    def _merge(self, step: int, record: Record, start: Position) -> list[Event]:
        current = self._open
        if current is not None and step < current.step:
            self.dropped += 1
            return []
        events: list[Event] = []
        if current is None or step > current.step:
            if current is not None and current.changed:
                events.append(Event("step", current.body, start))
            current = self._open = _Open(step, start, {"step": step})
            # Reading again must begin where this step does, or at a report that still waits for its step.
            for event in events:
                event.position = self._resume(start)
        join_step(current.body, record)
        current.changed = True
        return events

    def _resume(self, position: Position) -> Position:
        starts = [start for _, start in self._reports.values()]
        if self._open is not None:
            starts.append(self._open.start)
        return min([position, *starts])


def join_step(body: Record, record: Record) -> None:
    """Merges the record's fields into the step: of two values for one name the later wins."""
    # New containers, never changed in place: a body that was handed on must not grow.
    for name in ("time", "batch_size"):
        if record.get(name) is not None:
            body[name] = record[name]
    if record.get("scalars"):
        body["scalars"] = {**body.get("scalars", {}), **record["scalars"]}
    if record.get("layers"):
        if "layers" in body:
            _join_layers(body, record)
        else:
            body["layers"] = record["layers"]
            body["metrics"] = record.get("metrics") or {}
    vectors = dict(body.get("vectors", {}))
    for name, by_layer in (record.get("vectors") or {}).items():
        vectors[name] = {**vectors.get(name, {}), **by_layer}
    if vectors:
        body["vectors"] = vectors


def _identity(layer: Any) -> str:
    return str(layer["id"] if isinstance(layer, dict) else layer)


def _join_layers(body: Record, record: Record) -> None:
    """Two reports of one step: layers are joined by id, columns are filled with nulls."""
    layers = list(body["layers"])
    places = {_identity(layer): place for place, layer in enumerate(layers)}
    for layer in record["layers"]:
        name = _identity(layer)
        if name in places:
            layers[places[name]] = layer
        else:
            places[name] = len(layers)
            layers.append(layer)
    metrics = {name: column + [None] * (len(layers) - len(column)) for name, column in body["metrics"].items()}
    for name, column in (record.get("metrics") or {}).items():
        joined = metrics.setdefault(name, [None] * len(layers))
        for layer, value in zip(record["layers"], column):
            if value is not None:
                joined[places[_identity(layer)]] = value
    body["layers"], body["metrics"] = layers, metrics
