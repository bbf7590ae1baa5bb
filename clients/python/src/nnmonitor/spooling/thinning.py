"""Keeps a spool within its bound: first by dropping segments that the server has, then by thinning the others.

Thinning drops every second step of a segment, the least thinned and oldest segment first, so that a run
that the server never received keeps its whole length at a lower resolution. Cutting would lose its beginning or end.
"""

from __future__ import annotations

import os
from pathlib import Path

from .joining import Position
from .segments import segments
from .values import decode_raw

#: A segment that cannot be thinned further.
_EXHAUSTED = 1_000


class Bound:
    """The bound of one spool, in bytes. Used by the thread that reads the spool."""

    def __init__(self, directory: Path, limit: int) -> None:
        self.directory = directory
        self.limit = limit
        #: Steps that thinning dropped before they were sent.
        self.thinned = 0
        self._levels: dict[int, int] = {}

    def drop_sent(self, reading: Position, sent: Position) -> None:
        """Drops every segment that the server has: the disk is full."""
        for number, path in segments(self.directory).items():
            if number < min(sent.segment, reading.segment):
                path.unlink()

    def enforce(self, reading: Position, sent: Position) -> None:
        """Brings the spool below the bound, as far as possible.

        Args:
            reading: the segment that is being read is left alone, and so is the one that is being written.
            sent: segments before this place are on the server.
        """
        sizes = {number: path.stat().st_size for number, path in segments(self.directory).items()}
        total = sum(sizes.values())
        active = max(sizes, default=0)
        while total > self.limit:
            done = [number for number in sizes if number < min(sent.segment, reading.segment)]
            if done:
                segments(self.directory)[done[0]].unlink()
                total -= sizes.pop(done[0])
                continue
            waiting = [
                number for number in sizes
                if reading.segment < number < active and self._levels.get(number, 0) < _EXHAUSTED
            ]
            if not waiting:
                return
            number = min(waiting, key=lambda one: (self._levels.get(one, 0), one))
            before = sizes[number]
            dropped = thin(segments(self.directory)[number])
            self.thinned += dropped
            self._levels[number] = self._levels.get(number, 0) + 1 if dropped else _EXHAUSTED
            sizes[number] = segments(self.directory)[number].stat().st_size
            total += sizes[number] - before


def thin(path: Path) -> int:
    """Drops every second step of a segment, never its first and last, which neighbours may share. Returns how many."""
    groups = _groups(path.read_bytes().split(b"\n")[:-1])
    steps = [place for place, (is_step, _) in enumerate(groups) if is_step]
    dropped = set(steps[1:-1:2])
    if not dropped:
        return 0
    kept = [line for place, (_, lines) in enumerate(groups) if place not in dropped for line in lines]
    temporary = path.with_suffix(".thin")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(line + b"\n" for line in kept)
    os.replace(temporary, path)
    return len(dropped)


def _groups(lines: list[bytes]) -> list[tuple[bool, list[bytes]]]:
    """Lines that stay or go together: the records of one step, with the reports that it claims."""
    groups: list[tuple[bool, list[bytes]]] = []
    reports: list[bytes] = []
    last = None
    for line in lines:
        try:
            record = decode_raw(line)
            kind = record["kind"]
        except (ValueError, KeyError, TypeError):
            continue
        if kind == "report":
            reports.append(line)
        elif kind in ("step", "claim"):
            if groups and last == record["step"] and groups[-1][0]:
                groups[-1][1].extend([*reports, line])
            else:
                groups.append((True, [*reports, line]))
            reports, last = [], record["step"]
        else:
            groups.append((False, [line]))
    if reports:
        groups.append((False, reports))
    return groups
