"""`nnmonitor sync`: sends what dead processes left in their spools."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Callable, Optional

from ..delivery.courier import Courier
from ..delivery.sender import Backoff
from ..delivery.transport import Transport
from ..notices import Notices
from ..spooling import spool
from ..spooling.joining import Record
from ..timing import TIMING, Timing


def sync(
    root: Path, transport_for: Callable[[str], Transport], seconds: float, write_line: Callable[[str], None],
    keep_state: bool = False, timing: Timing = TIMING,
) -> bool:
    """Sends all spools below a directory, the oldest first, and removes each one that is delivered.

    Args:
        root: a spool or a directory of spools.
        transport_for: creates the transport to an address.
        seconds: gives up after so long without progress.
        write_line: receives lines for the user.
        keep_state: do not mark a run as failed if its process died without `finish`.

    Returns:
        Whether everything was delivered.
    """
    directories = spool.find(root)
    if not directories:
        write_line(f"{root}: there is no spool, so nothing to send")
        return True
    complete = True
    for directory in directories:
        try:
            meta = spool.read_meta(directory)
            lock = spool.Lock.take(directory)
        except (OSError, ValueError) as error:
            write_line(f"{directory}: not readable ({error})")
            complete = False
            continue
        if lock is None:
            write_line(f"{directory}: skipped, because a running process sends run {meta['run']}")
            continue
        try:
            complete &= _sync_one(directory, meta, transport_for, seconds, write_line, keep_state, timing)
        finally:
            lock.release()
    return complete


def _sync_one(
    directory: Path, meta: Record, transport_for: Callable[[str], Transport], seconds: float,
    write_line: Callable[[str], None], keep_state: bool, timing: Timing,
) -> bool:
    transport = transport_for(str(meta.get("url")))
    courier = Courier(directory, meta, transport, Notices(), timing=timing)
    try:
        reason = _deliver(courier, seconds, timing)
        if reason is None and not keep_state and _died(directory, meta, courier):
            courier.fail("the process ended without finish()")
    finally:
        transport.close()
    counts = f"{courier.delivered} steps delivered" + (f", {courier.refused} rejected" if courier.refused else "")
    if reason is not None:
        write_line(f"run {meta['run']}: {counts}; the rest stays in {directory}: {reason}")
        return False
    spool.remove(directory)
    write_line(f"run {meta['run']}: {counts}")
    return courier.refused == 0


def _deliver(courier: Courier, seconds: float, timing: Timing) -> Optional[str]:
    """Sends all of one spool; returns why it could not."""
    backoff = Backoff(timing)
    deadline = time.monotonic() + seconds
    while True:
        turn = courier.turn(flush=True, closing=True)
        if turn.kind == "idle":
            return None
        if turn.kind == "refused":
            return turn.reason
        if turn.kind == "sent":
            deadline = time.monotonic() + seconds
        pause = backoff.after(turn)
        if time.monotonic() + pause > deadline:
            return turn.reason
        time.sleep(pause)


def _died(directory: Path, meta: Record, courier: Courier) -> bool:
    """Whether the run's process is known to have ended, and no later one continued the run here."""
    if courier.fields.get("state") != "running" or meta.get("host") != socket.gethostname():
        return False
    for other in spool.find(directory.parent):
        try:
            if other.name > directory.name and spool.read_meta(other).get("run") == meta["run"]:
                return False
        except (OSError, ValueError):
            continue
    return True
