"""The spool: a run's raw records on disk, appended by the training thread itself.

A record survives `kill -9` from the moment `append` returns, because the caller's own `write` puts it into the kernel's
page cache; no fsync is needed against the death of a process. One directory belongs to one process and one run:

    meta.json        run id, address and options, never the token
    lock             held with flock by the process that writes or sends; the kernel frees it when the process dies
    00000001.jsonl   records, one a line; a further segment begins where one is full
    sent.json        up to where the server has everything

Directories are made with mode 0700, files with 0600.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import Any, Optional

from .joining import Record
from .segments import segments

fcntl: Any
try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows
    fcntl = None

FORMAT = 1


def default_root() -> Path:
    """`$NN_MONITOR_DIR`, else `nnmonitor` below the user's state directory, else below the temporary directory."""
    if os.environ.get("NN_MONITOR_DIR"):
        return Path(os.environ["NN_MONITOR_DIR"])
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    if os.path.isabs(state):
        root = Path(state) / "nnmonitor"
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(root, os.W_OK):
                return root
        except OSError:
            pass
    root = Path(tempfile.gettempdir()) / f"nnmonitor-{os.getuid()}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        if root.stat().st_uid == os.getuid() and not root.is_symlink():
            return root
    except OSError:
        pass
    # Another user made a directory of this name.
    return Path(tempfile.mkdtemp(prefix="nnmonitor-"))


def new_directory(root: Path, run: str) -> Path:
    """Makes the directory of a new spool; names sort by the time of their making.

    Raises:
        OSError: if it cannot be made.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = urllib.parse.quote(run, safe=" ")[:100]
    moment = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.{time.time_ns() % 10**9:09d}"
    directory = root / f"{moment}-{name}-{secrets.token_hex(3)}"
    directory.mkdir(mode=0o700)
    return directory


def write_private(path: Path, value: Any) -> None:
    """Replaces a file by this JSON value at once, with mode 0600: a reader sees the old one or the new one, whole."""
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, json.dumps(value).encode())
    finally:
        os.close(descriptor)
    os.replace(temporary, path)


def write_meta(directory: Path, run: str, url: str, digits: Optional[int]) -> None:
    """Writes the facts that a later process needs to send this spool."""
    host = socket.gethostname()
    meta = {"format": FORMAT, "run": run, "url": url, "digits": digits, "host": host, "pid": os.getpid()}
    write_private(directory / "meta.json", meta)


def read_meta(directory: Path) -> Record:
    """The spool's `meta.json`.

    Raises:
        OSError, ValueError: if the directory holds no readable spool.
    """
    meta = json.loads((directory / "meta.json").read_bytes())
    if not isinstance(meta, dict) or meta.get("format") != FORMAT or not isinstance(meta.get("run"), str):
        raise ValueError(f"{directory} was written by an incompatible version of nnmonitor")
    return meta


def find(root: Path) -> list[Path]:
    """Directories of spools below the root, oldest first; the root itself if it is one."""
    if (root / "meta.json").is_file():
        return [root]
    try:
        return sorted(path for path in root.iterdir() if (path / "meta.json").is_file())
    except OSError:
        return []


def remove(directory: Path) -> None:
    """Removes a spool. Files that are not of a spool stay, and then so does the directory."""
    # meta.json first: without it, no other process treats the directory as a spool.
    (directory / "meta.json").unlink(missing_ok=True)
    for path in [*segments(directory).values(), *directory.glob("*.new"), *directory.glob("*.thin")]:
        path.unlink(missing_ok=True)
    for name in ("sent.json", "sent.tmp", "meta.tmp", "lock"):
        (directory / name).unlink(missing_ok=True)
    try:
        directory.rmdir()
    except OSError:
        pass


class Lock:
    """Marks the spool as owned by a living process. A forked child must call `abandon`, or it would keep the lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Optional[int] = descriptor

    @classmethod
    def take(cls, directory: Path) -> Optional[Lock]:
        """The lock, or None if another process (or another run of this one) holds it."""
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                return None
        return cls(descriptor)

    def release(self) -> None:
        """Frees the lock; in a forked child this only closes the child's copy of the descriptor."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
