"""Segments of a spool: appended by the training thread, read by the thread that sends."""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path
from typing import Optional

from .joining import Position, Record
from .values import decode_raw, encode_raw

#: Records that could not be written to disk are kept in memory up to this size.
OVERFLOW_BYTES = 8_000_000
_READ_BYTES = 256 * 1024
_STEP_RECORDS = (b'{"kind":"step"', b'{"kind":"report"')


def segments(directory: Path) -> dict[int, Path]:
    """The segments by number, ascending."""
    found = {}
    for path in directory.glob("*.jsonl"):
        if path.stem.isdigit():
            found[int(path.stem)] = path
    return dict(sorted(found.items()))


def segment_path(directory: Path, segment: int) -> Path:
    """The file of a segment."""
    return directory / f"{segment:08d}.jsonl"


class SpoolWriter:
    """Appends records on the caller's thread. Calls may come from several threads.

    Args:
        directory: of the spool; it holds no segment yet.
        segment_bytes: a new segment begins when this size is passed, and `append` allows it.
    """

    def __init__(self, directory: Path, segment_bytes: int) -> None:
        self.directory = directory
        self.lost = 0
        self._segment_bytes = segment_bytes
        self._lock = threading.RLock()
        self._segment = 0
        self._size = 0
        self._descriptor = -1
        #: Records that could not be written to the disk, in order; the file's records are all older.
        self._overflow: deque[bytes] = deque()
        self._overflow_size = 0
        self._begin_segment()

    def append(self, record: Record, base: Optional[Record] = None) -> bool:
        """Writes one record; it is safe against the death of this process when this returns True.

        Args:
            record: see `joining`.
            base: all fields of the run so far. Given where a new segment may begin after this record.

        Returns:
            Whether the record is on disk. Otherwise (a full disk) it waits in memory.
        """
        line = encode_raw(record) + b"\n"
        with self._lock:
            written = self._drain() and self._write(line)
            if not written:
                self._keep_in_memory(line)
            elif base is not None and self._size > self._segment_bytes:
                self._next_segment(base)
            return written

    def take_overflow(self) -> list[bytes]:
        """Hands the records that wait in memory to the sender, which has read all that is on disk."""
        if not self._overflow:
            return []
        with self._lock:
            if self._drain():
                return []
            taken = list(self._overflow)
            self._overflow.clear()
            self._overflow_size = 0
            return taken

    @property
    def overflowing(self) -> bool:
        """Whether records wait in memory because the disk is full."""
        return bool(self._overflow)

    @property
    def waiting(self) -> int:
        """Records that wait in memory."""
        return len(self._overflow)

    def close(self) -> None:
        """Closes the file. In a forked child, this closes the child's copy only."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _begin_segment(self) -> None:
        path = segment_path(self.directory, self._segment + 1)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)
        self.close()
        self._descriptor, self._segment, self._size = descriptor, self._segment + 1, 0

    def _next_segment(self, base: Record) -> None:
        # Written under another name first, so that no reader sees a segment without its first line.
        path = segment_path(self.directory, self._segment + 1)
        line = encode_raw({"kind": "base", "put": base}) + b"\n"
        temporary = path.with_suffix(".new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
            if os.write(descriptor, line) != len(line):
                os.close(descriptor)
                return  # The disk is full: this segment grows on.
            os.rename(temporary, path)
        except OSError:
            return
        self.close()
        self._descriptor, self._segment, self._size = descriptor, self._segment + 1, len(line)

    def _write(self, line: bytes) -> bool:
        try:
            count = os.write(self._descriptor, line)
        except OSError:
            return False
        if count != len(line):
            # A full disk accepted a part of the line: remove it, so that the next record begins on a new line.
            try:
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - count)
            except OSError:
                os.write(self._descriptor, b"\n")
            return False
        self._size += count
        return True

    def _drain(self) -> bool:
        while self._overflow:
            if not self._write(self._overflow[0]):
                return False
            self._overflow_size -= len(self._overflow.popleft())
        return True

    def _keep_in_memory(self, line: bytes) -> None:
        self._overflow.append(line)
        self._overflow_size += len(line)
        if self._overflow_size <= OVERFLOW_BYTES:
            return
        # Thinned, not cut: every second step record goes.
        kept: deque[bytes] = deque()
        drop = False
        for waiting in self._overflow:
            if waiting.startswith(_STEP_RECORDS):
                drop = not drop
                if drop:
                    self.lost += 1
                    continue
            kept.append(waiting)
        self._overflow = kept
        self._overflow_size = sum(map(len, kept))


class SpoolReader:
    """Reads complete records from a position on. Used by one thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.corrupt = 0

    def first(self) -> Position:
        """Where the oldest record begins that the spool still holds."""
        return Position(next(iter(segments(self.directory)), 1), 0)

    def read(self, position: Position) -> tuple[list[tuple[Record, Position, Position]], Position]:
        """The next records from a position on, each with its begin and end, and the position after them.

        An incomplete last line is left for later. Returns no record if there is nothing new.
        """
        while True:
            following = [number for number in segments(self.directory) if number > position.segment]
            # Listed first: once a later segment exists, nothing is appended to this one.
            data = self._read_lines(position)
            if data or not following:
                return self._records(data, position)
            position = Position(following[0], 0)

    def _read_lines(self, position: Position) -> bytes:
        try:
            descriptor = os.open(segment_path(self.directory, position.segment), os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            size = _READ_BYTES
            while True:
                data = os.pread(descriptor, size, position.offset)
                end = data.rfind(b"\n") + 1
                if end or len(data) < size:
                    return data[:end]
                size *= 4  # One line is longer than that.
        finally:
            os.close(descriptor)

    def _records(
        self, data: bytes, position: Position
    ) -> tuple[list[tuple[Record, Position, Position]], Position]:
        records = []
        offset = position.offset
        for line in _lines(data):
            start, offset = offset, offset + len(line)
            if line == b"\n":
                continue
            try:
                record = decode_raw(line)
                if not isinstance(record, dict):
                    raise ValueError("no object")
            except ValueError:
                self.corrupt += 1
                continue
            records.append((record, Position(position.segment, start), Position(position.segment, offset)))
        return records, Position(position.segment, offset)

    def fields_until(self, position: Position) -> list[Record]:
        """The puts of the segment up to the position, and the base at its beginning: the run's fields at that place."""
        puts = []
        at = Position(position.segment, 0)
        while at.offset < position.offset:
            data = self._read_lines(at)
            if not data:
                break
            records, at = self._records(data, at)
            puts += [
                record["put"] for record, start, _ in records if "put" in record and start.offset < position.offset
            ]
        return puts


def _lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
