"""What of a spool is to be sent next: read, joined and encoded, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..spooling.joining import Event, Joiner, Position, Record
from ..spooling.records import Fields, merge_fields
from ..spooling.segments import SpoolReader, SpoolWriter
from ..spooling.thinning import Bound
from ..spooling.values import decode_raw, encode, rounded_step, rounding
from ..timing import Timing


@dataclass
class Item:
    """An event, and its JSON."""

    event: Event
    body: bytes


class Outbox:
    """Reads a spool from a position on. Holds little more than one body in memory.

    Args:
        directory: of the spool.
        digits: significant digits of floats; None for all.
        writer: the spool's writer, where this process still writes it.
        limit: the spool's bound in bytes; None if it does not grow.
    """

    def __init__(
        self, directory: Path, digits: Optional[int], writer: Optional[SpoolWriter], limit: Optional[int],
        timing: Timing,
    ) -> None:
        self.reader = SpoolReader(directory)
        #: The run's fields as far as they were read.
        self.fields: Fields = {}
        #: Records read so far: the sender sees by it whether anything new came.
        self.records = 0
        self._round = rounding(digits)
        self._writer = writer
        self._bound = Bound(directory, limit) if limit else None
        self._timing = timing
        self.restart(self.reader.first())

    def restart(self, position: Position) -> None:
        """Reads again from this position on."""
        self._joiner = Joiner()
        self._items: deque[Item] = deque()
        self._position = position
        self._drained = False

    def restore(self, position: Position) -> None:
        """Goes on where an earlier process stopped, with the fields that the run has there."""
        for put in self.reader.fields_until(position):
            self.fields = merge_fields(self.fields, put)
        self.restart(max(position, self.reader.first()))

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @property
    def drained(self) -> bool:
        """Whether all was read that the spool holds."""
        return self._drained

    @property
    def empty(self) -> bool:
        """Whether nothing waits, in the file or in memory."""
        return self._drained and not self._items and not (self._writer is not None and self._writer.overflowing)

    @property
    def thinned(self) -> int:
        """Steps that were dropped to keep the spool within its bound, or to keep memory within its own."""
        return (self._bound.thinned if self._bound else 0) + (self._writer.lost if self._writer else 0)

    def pop(self, count: int) -> Position:
        """Removes delivered items; returns where reading must begin if this process dies."""
        item = self._items.popleft()
        for _ in range(count - 1):
            item = self._items.popleft()
        return item.event.position

    def enforce_bound(self, sent: Position) -> None:
        """Keeps the spool within its bound; segments before `sent` are on the server."""
        if self._bound is None:
            return
        if self._writer is not None and self._writer.overflowing:
            self._bound.drop_sent(self._position, sent)
        self._bound.enforce(self._position, sent)

    def fill(self, flush: bool, closing: bool) -> None:
        """Reads until a body is full or the spool has no more.

        Args:
            flush: include the highest step, which may still grow.
            closing: the spool no longer grows, so reports without a `log` get their counter as step.
        """
        self._read()
        if not self._items and self._drained:
            self._take(self._joiner.finish() if closing else self._joiner.flush() if flush else [])

    def _read(self) -> None:
        size = sum(len(item.body) for item in self._items)
        while size < self._timing.batch_bytes and len(self._items) < self._timing.batch_steps:
            records, position = self.reader.read(self._position)
            self._drained = not records and position == self._position
            self._position = position
            self.records += len(records)
            for record, start, end in records:
                size += self._add(record, start, end)
            if self._drained and self._writer is not None:
                for line in self._writer.take_overflow():
                    self.records += 1
                    self._add(decode_raw(line), position, position)
            if not records:
                return

    def _add(self, record: Record, start: Position, end: Position) -> int:
        """Adds a record; a damaged one is skipped and counted. Returns the size of the items that it completes."""
        try:
            return self._take(self._joiner.add(record, start, end))
        except (KeyError, TypeError, ValueError, AttributeError):
            self.reader.corrupt += 1
            return 0

    def _take(self, events: list[Event]) -> int:
        """Encodes events; returns their size."""
        size = 0
        for event in events:
            if event.kind == "base" and self.fields:
                continue  # Read before.
            if event.kind == "base":
                event = Event("put", event.body, event.position)
            if event.kind == "put":
                self.fields = merge_fields(self.fields, event.body)
            body = encode(self._wire(event.body) if event.kind == "step" else event.body)
            self._items.append(Item(event, body))
            size += len(body)
        return size

    def _wire(self, step: Record) -> Record:
        return rounded_step(step, self._round)
