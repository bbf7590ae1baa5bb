"""Counts what a server allocates: calls of the allocator, bytes in use now, and the most bytes in use at once.

Resident memory is no measure of what a server holds: the allocator keeps freed pages, as many as it likes. These
counts depend on the server alone, so a test can compare them to the byte.
"""

import contextlib
import hashlib
import mmap
import os
import struct
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCE = Path(__file__).with_name("allocations.c")
LAYOUT = struct.Struct("=Qqq")


def library() -> Path:
    """The library to preload, compiled when its source has changed."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    built = ROOT / ".build/allocations" / f"{digest}.so"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        # Several test processes may compile it at once: each writes a file of its own, and the rename is atomic.
        own = built.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", own, SOURCE], check=True)
        own.replace(built)
    return built


def counting(file: Path, environment: dict | None = None) -> dict:
    """The environment in which a program counts its allocations into `file`, beside other preloaded libraries."""
    others = (environment or {}).get("LD_PRELOAD")
    return {**(environment or {}), "LD_PRELOAD": ":".join(filter(None, [others, str(library())])),
            "ALLOCATIONS": str(file)}


def can_count() -> bool:
    """False for a server with a sanitizer, which has an allocator of its own (see script/test --sanitize)."""
    return "SANITIZED" not in os.environ


class Allocations:
    """What a running program has allocated so far. `at_start`: bytes in use when this object was made."""

    def __init__(self, file: Path):
        with open(file, "r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), LAYOUT.size)
        self.at_start = self.bytes

    @property
    def calls(self) -> int:
        return LAYOUT.unpack_from(self._map)[0]

    @property
    def bytes(self) -> int:
        """Bytes in use."""
        return LAYOUT.unpack_from(self._map)[1]

    @property
    def peak(self) -> int:
        """The most bytes in use at once, since the start or `reset_peak`."""
        return LAYOUT.unpack_from(self._map)[2]

    def reset_peak(self):
        struct.pack_into("=q", self._map, 16, self.bytes)


@contextlib.contextmanager
def allocating_at_most(server, size: int):
    """Fails when the server has, at any moment of the `with`, more than `size` bytes in use beside those at its start.

    The server must have been started with `counted=True`. A server with a sanitizer is not measured.
    """
    if not can_count():
        yield
        return
    before = server.allocations.bytes
    server.allocations.reset_peak()
    yield
    grown = server.allocations.peak - before
    assert grown <= size, f"the server allocated {grown} bytes at once, more than {size}"
