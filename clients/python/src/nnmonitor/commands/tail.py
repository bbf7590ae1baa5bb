"""`nnmonitor tail`: one line for each step of a run as it comes, and for each alert."""

from __future__ import annotations

import json
import random
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ..delivery.transport import Answer, Transport, Unreachable, Untrusted
from ..timing import TIMING
from .reading import ReadFailed, find_run, printable, refused, unreachable

#: The server sends a comment at least this often, unless its interval is set longer than its default of 20 s.
_SILENCE = 90.0
_DIGITS = 6


@dataclass
class Event:
    """One Server-Sent Event.

    Attributes:
        seq: everything up to this step has come; None where the event does not say.
        message: None where there is no data.
    """

    seq: Optional[int]
    message: Optional[dict[str, Any]]


class Ended(Exception):
    """The run has ended, or is gone. The argument is the exit code."""


class Tail:
    """Follows one run over lost connections.

    Args:
        reads: reads the run while the other connection follows it.
        run: as the server describes it.
        last: so many of the steps that it has come first.
        names: only these scalars; empty for all.
        as_json: print each message of the server as one line instead.
        note: takes a line about the connection.
    """

    def __init__(
        self, transport: Transport, reads: Transport, run: Mapping[str, Any], last: int, names: list[str],
        as_json: bool, write_line: Callable[[str], None], note: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._reads = reads
        self._run = str(run["run_id"])
        self._created_at = run.get("created_at")
        self._seq = max(0, int(run.get("last_seq") or 0) - last)
        # A run that has ended is over for the reader when this step has come.
        self._wanted = 0
        self._state = "running"
        self._names = names
        self._as_json = as_json
        self._write_line = write_line
        self._note = note
        self._failures = 0
        self._connected = False

    def follow(self) -> int:
        """Prints until the run ends. Returns 0 for a finished run, and 1 for one that failed or was deleted.

        Raises:
            ReadFailed: the server refuses, or the first connection fails.
        """
        while True:
            try:
                self._retry(*self._follow_once())
            except Ended as ended:
                code: int = ended.args[0]
                return code
            except (Unreachable, Untrusted) as error:
                if isinstance(error, Untrusted) or not self._connected:
                    raise unreachable(self._transport, error) from error
                self._retry(str(error), None)

    def _follow_once(self) -> tuple[str, Optional[float]]:
        """Why another connection is needed, and where the server says it, after how many seconds."""
        query: dict[str, Any] = {
            "run": self._run, "form": "columns", "metrics": "", "layers": "false", "since_seq": self._seq}
        if self._created_at:
            query["created_at"] = self._created_at
        answer, lines = self._transport.follow(f"/api/v2/events?{urllib.parse.urlencode(query)}", {}, _SILENCE)
        if answer.status != 200:
            return self._refused(answer)
        if self._failures:
            self._note("connected again")
        self._connected, self._failures = True, 0
        # It may have ended before the stream began.
        self._read_run()
        self._end_if_over()
        for event in events(lines):
            if event.message is not None:
                self._take(event.message)
            if event.seq is not None:
                self._seq = max(self._seq, event.seq)
            self._end_if_over()
        return "the server closed the stream", None

    def _read_run(self) -> None:
        try:
            run = find_run(self._reads, self._run)
        except ReadFailed as error:
            raise Unreachable(str(error)) from error
        self._state, self._wanted = str(run.get("state")), int(run.get("last_seq") or 0)

    def _refused(self, answer: Answer) -> tuple[str, Optional[float]]:
        # A server that has just started gets the run again from the process that trains.
        if answer.status == 404 and self._connected:
            return "the server does not have the run now", None
        if answer.status == 404:
            raise ReadFailed(f"{self._transport.url} has no run {self._run!r}, or no /api/v2/events", 404)
        if answer.status not in (408, 425, 429) and answer.status < 500:
            raise refused(self._transport, answer)
        return f"{answer.status} {answer.message}", answer.retry_after

    def _retry(self, reason: str, wait: Optional[float]) -> None:
        if self._failures == 0:
            self._note(f"{'connection lost' if self._connected else 'not connected yet'} ({reason}): trying again")
        self._failures += 1
        bound = min(TIMING.retry_cap, TIMING.retry_base * 2.0 ** min(self._failures, 10))
        time.sleep(random.uniform(0.5, 1.0) * bound if wait is None else min(wait, TIMING.retry_after_cap))

    def _end_if_over(self) -> None:
        if self._seq < self._wanted or self._state not in ("finished", "failed"):
            return
        if not self._as_json:
            self._write_line(f"{printable(self._run)}: {self._state}")
        raise Ended(0 if self._state == "finished" else 1)

    def _take(self, message: Mapping[str, Any]) -> None:
        if self._as_json:
            self._write_line(json.dumps(message, ensure_ascii=False))
        kind, data = message.get("type"), message.get("data") or {}
        if kind == "run":
            self._state = str(data.get("state"))
            self._created_at = data.get("created_at", self._created_at)
        elif kind == "reset" and message.get("from_step") is None:
            # What comes next is all that the server has; numbers may begin anew.
            self._seq = 0
            self._read_run()
        if self._as_json:
            if kind == "run_deleted":
                raise Ended(1)
            return
        if kind == "step":
            self._write_line(step_line(data, self._names))
        elif kind == "alert":
            self._write_line(alert_line(data))
        elif kind == "reset":
            place = message.get("from_step")
            self._write_line("-- all kept steps follow" if place is None else f"-- steps from {place} on were dropped")
        elif kind == "lagged":
            self._note(f"the server skipped {message.get('skipped')} messages, because they were read too slowly")
        elif kind == "run_deleted":
            self._write_line(f"{printable(self._run)}: {printable(message.get('reason') or 'deleted')}")
            raise Ended(1)


def tail(
    transport: Transport, reads: Transport, run: Optional[str], last: int, names: list[str], as_json: bool,
    write_line: Callable[[str], None], note: Callable[[str], None],
) -> int:
    """Follows the run, or the one that was updated last. The arguments are those of `Tail`.

    Raises:
        ReadFailed
    """
    found = find_run(reads, run)
    note(f"following {printable(found['run_id'])}")
    return Tail(transport, reads, found, last, names, as_json, write_line, note).follow()


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Parses Server-Sent Events. An `id` without data is passed on: it says that nothing is missing up to it."""
    seq: Optional[int] = None
    data: list[str] = []
    for line in lines:
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "id" and value.isdigit():
            seq = int(value)
        elif field == "data":
            data.append(value)
        elif not line and (data or seq is not None):
            yield Event(seq, _object("\n".join(data)) if data else None)
            seq, data = None, []


def step_line(step: Mapping[str, Any], names: list[str]) -> str:
    """Step, time of day, and scalars: the losses first, the others in the order in which they were posted."""
    scalars = step.get("scalars") or {}
    chosen = names or sorted(scalars, key=lambda name: "loss" not in name.lower())
    shown = [f"{printable(name)}={_number(scalars[name])}" for name in chosen if name in scalars]
    return f"{step.get('step'):>8}  {_clock(step.get('time'))}  {'  '.join(shown)}".rstrip()


def alert_line(alert: Mapping[str, Any]) -> str:
    """What happened, how severe it is, at which step, and what it says."""
    severity = printable(alert.get("severity") or alert.get("level") or "info")
    happened = "alert"
    if alert.get("source") != "trainer":
        if alert.get("state") == "closed":
            happened = "closed"
        elif alert.get("escalated_step") not in (None, alert.get("opened_step")):
            happened = "escalated"
    step = alert.get("closed_step") if happened == "closed" else alert.get("last_step")
    step = alert.get("step") if step is None else step
    place = "" if step is None else f"  step {step}"
    title, message = printable(alert.get("title") or ""), printable(alert.get("message") or alert.get("text") or "")
    return f"-- {happened}  {severity}{place}  {title}{': ' if title and message else ''}{message}"


def _object(text: str) -> Optional[dict[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _number(value: Any) -> str:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else printable(value)


def _clock(seconds: Any) -> str:
    try:
        return time.strftime("%H:%M:%S", time.localtime(float(seconds)))
    except (TypeError, ValueError, OverflowError, OSError):
        return "--:--:--"
