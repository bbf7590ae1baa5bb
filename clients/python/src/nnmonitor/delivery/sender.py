"""The sending thread: a daemon that delivers this run's spool and those that dead processes left."""

from __future__ import annotations

import queue
import random
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from ..notices import LOGGER, Notices
from ..spooling import spool
from ..timing import TIMING, Timing
from .courier import Courier, Turn
from .transport import Transport

#: Of its own: the program's generators must give the same numbers as without the client.
_CHANCE = random.Random()


@dataclass
class Backoff:
    """Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): a random time up to a doubling bound."""

    timing: Timing
    failures: int = 0

    def after(self, turn: Turn) -> float:
        """Seconds until the next request after this turn; 0 after a success."""
        if turn.kind in ("sent", "idle", "again"):
            if turn.kind == "sent":
                self.failures = 0
            return 0.0
        if turn.kind == "refused":
            return self.timing.refused_retry * _CHANCE.uniform(0.75, 1.25)
        self.failures += 1
        bound = min(self.timing.retry_cap, self.timing.retry_base * 2 ** min(self.failures, 20))
        jitter = _CHANCE.uniform(0.0, bound)
        if turn.after is not None:
            # Trainers that were refused together must not come back together.
            return min(self.timing.retry_after_cap, turn.after) + _CHANCE.uniform(0.0, self.timing.retry_base)
        return jitter


def rest(used: float, timing: Timing) -> float:
    """Seconds to pause after using so many seconds of a processor, so that training keeps its share."""
    return max(timing.poll, used * (1.0 / timing.share - 1.0))


def leftovers(root: Path, url: str, own: Path) -> list[tuple[Path, spool.Lock, dict[str, Any]]]:
    """Spools that dead processes of this machine left for this server, oldest first, each locked for this process."""
    found = []
    for directory in spool.find(root):
        if directory == own:
            continue
        try:
            meta = spool.read_meta(directory)
            if meta.get("url") != url or meta.get("host") != socket.gethostname():
                continue
            lock = spool.Lock.take(directory)
        except (OSError, ValueError):
            continue
        if lock is not None:
            found.append((directory, lock, meta))
    return found


class Sender:
    """Delivers one run's spool on a daemon thread, started at once.

    Args:
        courier: of this run's spool.
        lock: of this run's spool. It is freed when the thread ends, and the spool is removed where all was delivered.
        transport: shared by all couriers of this sender.
        before: couriers of spools of the same run that dead processes left; they are sent first, so that a step that
            was trained again replaces the older one and not the other way round.
        others: spools of other runs, sent when there is nothing else to do.
        open_courier: creates the courier of such a spool.
    """

    def __init__(
        self, courier: Courier, lock: Optional[spool.Lock], transport: Transport, notices: Notices,
        before: list[tuple[Path, spool.Lock, dict[str, Any]]], others: list[tuple[Path, spool.Lock, dict[str, Any]]],
        open_courier: Callable[[Path, dict[str, Any]], Courier], timing: Timing = TIMING,
    ) -> None:
        self.failure: Optional[str] = None
        self._courier = courier
        self._lock = lock
        self._transport = transport
        self._notices = notices
        self._before = before
        self._others = others
        self._open_courier = open_courier
        self._current: Optional[tuple[Courier, Path, spool.Lock]] = None
        self._timing = timing
        self._deadline: Optional[float] = None
        # SimpleQueue.put is reentrant: a signal handler may interrupt one on the same thread.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="nnmonitor", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    def close(self, seconds: float) -> bool:
        """Sends what is left, for at most so many seconds. Returns whether all of this run was delivered."""
        if self._deadline is None:
            self._deadline = time.monotonic() + max(0.0, seconds)
        self._wake.put(None)
        self._thread.join(max(0.0, self._deadline - time.monotonic()) + 0.05)
        return not self._thread.is_alive() and self._courier.done and not self._before

    def abandon(self) -> None:
        """Frees the locks; in a forked child this closes the child's copies only."""
        for lock in self._locks():
            lock.release()

    def _locks(self) -> list[spool.Lock]:
        locks = [lock for _, lock, _ in [*self._before, *self._others]]
        return locks if self._lock is None else [self._lock, *locks]

    def _run(self) -> None:
        try:
            self._deliver()
        finally:
            self._transport.close()
            if self._courier.done and not self._before:
                spool.remove(self._courier.directory)
            self.abandon()

    def _deliver(self) -> None:
        backoff = Backoff(self._timing)
        while True:
            try:
                self._loop(backoff)
                return
            except Exception as error:
                self._notices.once(
                    f"sending failed ({type(error).__name__}: {error}); the client tries again. Please report this.",
                    key="sender",
                )
                LOGGER.debug("sender", exc_info=True)
                self._pause(max(self._timing.poll, backoff.after(Turn("wait"))))

    def _loop(self, backoff: Backoff) -> None:
        last_record = last_exchange = time.monotonic()
        seen = self._courier.records
        used = 0.0
        while True:
            now = time.monotonic()
            began = time.thread_time()
            closing = self._deadline is not None
            if closing and now >= (self._deadline or 0.0):
                return
            turn = self._turn(
                flush=closing or now - last_record >= self._timing.idle_flush,
                heartbeat=now - last_exchange >= self._timing.heartbeat, closing=closing,
            )
            now = time.monotonic()
            used += time.thread_time() - began
            if turn.kind == "sent":
                last_exchange = now
            if self._courier.records != seen:
                seen, last_record = self._courier.records, now
            self.failure = turn.reason if turn.kind == "refused" else self.failure if turn.kind != "sent" else None
            if closing and (turn.kind == "refused" or (turn.kind == "idle" and not self._before)):
                return
            pause = backoff.after(turn)
            if turn.kind == "again":
                continue
            if self._deadline is not None and turn.after is not None and now + turn.after > self._deadline:
                return  # The server's Retry-After is longer than the time that is left.
            if not closing:
                pause = max(pause, rest(used, self._timing))
            used = 0.0
            if pause and self._pause(pause):
                # Closing has begun: end the pause and try at once.
                backoff.failures = 0

    def _turn(self, flush: bool, heartbeat: bool, closing: bool) -> Turn:
        timeout = self._timing.request_timeout
        if self._deadline is not None:
            timeout = max(0.1, min(timeout, self._deadline - time.monotonic()))
        if self._before:
            return self._leftover(self._before, timeout)
        turn = self._courier.turn(flush, closing, timeout)
        if turn.kind == "idle" and not closing:
            if heartbeat:
                return self._courier.heartbeat(timeout)
            if self._others:
                return self._other(timeout)
        return turn

    def _other(self, timeout: float) -> Turn:
        """Sends a part of another run's spool. Where that fails, a later process sends it: this run comes first."""
        turn = self._leftover(self._others, timeout)
        if turn.kind not in ("wait", "refused"):
            return turn
        for _, lock, _ in self._others:
            lock.release()
        self._others.clear()
        self._current = None
        return Turn("idle")

    def _leftover(self, waiting: list[tuple[Path, spool.Lock, dict[str, Any]]], timeout: float) -> Turn:
        directory, lock, meta = waiting[0]
        if self._current is None or self._current[1] != directory:
            self._current = (self._open_courier(directory, meta), directory, lock)
            self._notices.info(f"sending what an earlier process left in {directory} (run {meta['run']})")
        courier = self._current[0]
        turn = courier.turn(flush=True, closing=True, timeout=timeout)
        if turn.kind == "idle" and courier.done:
            waiting.pop(0)
            self._current = None
            spool.remove(directory)
            lock.release()
            return Turn("again")
        return turn

    def _pause(self, seconds: float) -> bool:
        """Waits, but not beyond the deadline; returns True at once when closing begins."""
        if self._deadline is not None:
            time.sleep(max(0.0, min(seconds, self._deadline - time.monotonic())))
            return False
        try:
            self._wake.get(timeout=seconds)
            return True
        except queue.Empty:
            return False
