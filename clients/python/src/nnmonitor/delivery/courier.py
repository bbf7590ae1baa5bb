"""Delivers one spool: reads it, joins its records, posts them in order, and handles every response.

A `Courier` sends at most one request per turn and never waits; the sender decides when the next turn is.

This file is long because one class keeps the order of a spool, and each response of the server is a case of it.
"""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ..notices import Notices
from ..spooling.joining import Position, Record
from ..spooling.records import Fields
from ..spooling.segments import SpoolWriter
from ..spooling.spool import write_private
from ..spooling.values import encode
from ..timing import TIMING, Timing
from .answers import REFUSED, judge
from .outbox import Item, Outbox
from .transport import Answer, Stale, Transport, Unreachable, Untrusted


@dataclass
class Turn:
    """What a turn did.

    `kind`: `sent` a request succeeded; `idle` there is nothing to send; `again` the next turn may follow at once;
    `wait` the request failed and may succeed later; `refused` it fails until a person changes something.
    """

    kind: str
    #: Seconds until the next attempt, if the server set them.
    after: Optional[float] = None
    reason: str = ""


class Courier:
    """Sends the records of one spool.

    Args:
        directory: of the spool, whose lock the caller holds.
        meta: of the spool.
        transport: to the server.
        notices: where refusals are logged.
        writer: the spool's writer, if this process still writes it.
        limit: the spool's bound in bytes; None if it does not grow.
    """

    def __init__(
        self, directory: Path, meta: Record, transport: Transport, notices: Notices,
        writer: Optional[SpoolWriter] = None, limit: Optional[int] = None, timing: Timing = TIMING,
    ) -> None:
        self.directory = directory
        self.run = str(meta["run"])
        #: Whether a closing turn found everything delivered, or refused for good. Only then may the spool be removed.
        self.done = False
        self.delivered = 0
        self.refused = 0
        self.last_seq: Optional[int] = None
        self._transport = transport
        self._notices = notices
        self._timing = timing
        self._outbox = Outbox(directory, meta.get("digits"), writer, limit, timing)
        self._path = "/api/v2/runs/" + urllib.parse.quote(self.run, safe="")
        #: Whether the server has acknowledged the run, and the `created_at` that it gave then.
        self._began = False
        self._created: Optional[str] = None
        self._last_step: Optional[int] = None
        self._replays = 0
        #: Halved by a 413, and never raised again: the limit of the server or a proxy stays.
        self._body_bytes = timing.batch_bytes
        #: Whether all requests since the last greeting were answered. Where one was not, the server may have handled
        #: it, and `last_seq` no longer shows whether older steps are still there.
        self._greeted = False
        self._sent = self._outbox.reader.first()
        self._restore()

    # The reading position

    def _restore(self) -> None:
        """Goes on where an earlier process stopped."""
        try:
            sent = json.loads((self.directory / "sent.json").read_bytes())
            position = Position(int(sent["segment"]), int(sent["offset"]))
            self.last_seq = sent.get("last_seq")
            self._began = bool(sent.get("began"))
            self._created = sent.get("created_at")
        except (OSError, ValueError, KeyError, TypeError):
            return
        self._outbox.restore(position)
        self._sent = position

    def _remember(self, position: Position) -> None:
        self._sent = position
        try:
            write_private(
                self.directory / "sent.json",
                {
                    **position._asdict(), "last_seq": self.last_seq, "began": self._began, "created_at": self._created,
                },
            )
        except OSError:
            pass  # After a restart some steps are sent twice, which changes nothing.

    @property
    def fields(self) -> Fields:
        """The run's fields as far as they were read."""
        return self._outbox.fields

    @property
    def records(self) -> int:
        """Records read so far."""
        return self._outbox.records

    @property
    def thinned(self) -> int:
        """Steps that were dropped to keep the spool within its bound."""
        return self._outbox.thinned

    # Turns

    def turn(self, flush: bool = False, closing: bool = False, timeout: Optional[float] = None) -> Turn:
        """Makes at most one request.

        Args:
            flush: also send the highest step, which may still grow.
            closing: the spool no longer grows, so reports without a `log` get their counter as step.
            timeout: of the request, in seconds.
        """
        timeout = self._timing.request_timeout if timeout is None else timeout
        self.done = False
        self._outbox.enforce_bound(self._sent)
        self._outbox.fill(flush, closing)
        if not len(self._outbox):
            if not self._outbox.drained:
                return Turn("again")
            self.done = closing and self._outbox.empty
            return Turn("idle")
        if not self._greeted and self._began:
            # An earlier process delivered a part, or a request got no answer: is all still there?
            greeting = self.heartbeat(timeout)
            if greeting.kind != "sent":
                return greeting
            return Turn("again")
        self._greeted = True
        head = next(iter(self._outbox))
        if head.event.kind == "put":
            return self._put(head, timeout)
        if head.event.kind == "alert":
            return self._alert(head, timeout)
        return self._steps(timeout)

    def heartbeat(self, timeout: Optional[float] = None) -> Turn:
        """An empty PUT. It also shows whether the server has forgotten the run."""
        answer = self._request("PUT", self._path, b"{}", timeout=timeout)
        if isinstance(answer, Turn):
            return answer
        if answer.status not in (200, 201):
            return self._failure(answer)
        if not self._still_there(answer):
            return self._forgotten(timeout)
        self._greeted = True
        return Turn("sent")

    def _still_there(self, answer: Answer) -> bool:
        """Whether the server has all that it acknowledged, by the run in the answer to a PUT; remembers that run."""
        run = answer.json()
        created, last = run.get("created_at"), run.get("last_seq")
        begun_anew = answer.status == 201 or (self._created is not None and created not in (None, self._created))
        set_back = isinstance(last, int) and self.last_seq is not None and last < self.last_seq
        if self._began and (begun_anew or set_back):
            return False
        self._began = True
        self._created = created or self._created
        self.last_seq = last if isinstance(last, int) else self.last_seq
        return True

    def fail(self, reason: str) -> None:
        """Marks the run as failed: its process is known to have ended without `finish`."""
        self._request("PUT", self._path, encode({"state": "failed", "reason": reason}))

    # Requests

    def _request(
        self, method: str, path: str, body: bytes, content_type: str = "application/json",
        timeout: Optional[float] = None,
    ) -> Any:
        """An `Answer`, or a `Turn` where none came."""
        timeout = self._timing.request_timeout if timeout is None else timeout
        try:
            return self._transport.request(method, path, body, content_type, timeout)
        except Stale as error:
            self._greeted = False
            return Turn("again", reason=str(error))
        except Unreachable as error:
            self._greeted = False
            self._notices.once(
                f"{self._transport.url} cannot be reached ({error}); training continues, and steps are kept in "
                f"{self.directory}",
                key="unreachable",
            )
            return Turn("wait", reason=str(error))
        except Untrusted as error:
            return self._refusal("certificate", f"{self._transport.url}: {error}")

    def _put(self, item: Item, timeout: float) -> Turn:
        answer = self._request("PUT", self._path, item.body, timeout=timeout)
        if isinstance(answer, Turn):
            return answer
        if answer.status in (200, 201):
            if not self._still_there(answer):
                return self._forgotten(timeout)
            self._pop([item])
            return Turn("sent")
        if answer.status == 422:
            return self._without_refused_fields(item, answer)
        if answer.status == 413:
            return self._drop([item], f"the server rejected the run's fields: {answer.message}")
        return self._failure(answer)

    def _without_refused_fields(self, item: Item, answer: Answer) -> Turn:
        """Sends the run again without the rejected fields, such as a configuration over its limit."""
        details = answer.json().get("detail")
        places = [detail.get("loc") or [] for detail in details] if isinstance(details, list) else []
        names = {place[1] for place in places if len(place) > 1 and place[1] in item.event.body}
        if not names:
            return self._drop([item], f"the server rejected the run's fields: {answer.message}")
        for name in names:
            del item.event.body[name]
        self._notices.once(f"the server rejects the run's {', '.join(sorted(names))}: {answer.message}")
        item.body = encode(item.event.body)
        return Turn("again")

    def _alert(self, item: Item, timeout: float) -> Turn:
        answer = self._request("POST", self._path + "/alerts", item.body, timeout=timeout)
        if isinstance(answer, Turn):
            return answer
        if answer.status == 202:
            self._pop([item])
            return Turn("sent")
        if answer.status == 404 and isinstance(answer.json().get("detail"), dict):
            return self._forgotten(timeout)
        if answer.status in (413, 422):
            return self._drop([item], f"the server rejected an alert: {answer.message}")
        return self._failure(answer)

    def _batch(self) -> list[Item]:
        batch: list[Item] = []
        size = 0
        for item in self._outbox:
            if item.event.kind != "step" or len(batch) >= self._timing.batch_steps:
                break
            size += len(item.body) + 1
            if batch and size > self._body_bytes:
                break
            batch.append(item)
        return batch

    def _steps(self, timeout: float) -> Turn:
        batch = self._batch()
        body = b"".join(item.body + b"\n" for item in batch)
        answer = self._request("POST", self._path + "/steps", body, "application/x-ndjson", timeout)
        if isinstance(answer, Turn):
            return answer
        if answer.status == 202:
            return self._accepted(batch, answer, timeout)
        if answer.status == 413:
            if len(batch) > 1:
                self._body_bytes = len(body) // 2
                return Turn("again")
            return self._drop(
                batch,
                f"step {batch[0].event.body['step']} has {len(body)} bytes, more than the server or a proxy accepts: "
                "raise its limit (NN_MONITOR_MAX_REQUEST_SIZE; nginx: client_max_body_size) or report fewer layers",
            )
        if answer.status == 422:
            # The request itself is invalid, such as its run id; single lines are rejected in a 202.
            return self._refusal(
                "run",
                f"{self._transport.url} rejects run {self.run!r} ({answer.message}): choose another id= or update the "
                "client or the server"
            )
        return self._failure(answer)

    def _accepted(self, batch: list[Item], answer: Answer, timeout: float) -> Turn:
        result = answer.json()
        accepted, last = result.get("accepted"), result.get("last_seq")
        if not isinstance(accepted, int):
            return Turn("wait", reason="the response is not from NNMonitor")
        forgotten = isinstance(last, int) and self.last_seq is not None and last < self.last_seq + accepted
        if isinstance(last, int):
            self.last_seq = last
        for text in result.get("warnings") or []:
            self._notices.once(f"the server's warning: {text}")
        rejected = result.get("rejected_count", len(result.get("rejected") or []))
        for line in result.get("rejected") or []:
            detail = (line.get("detail") or [{}])[0]
            place = ".".join(str(part) for part in detail.get("loc", [])[1:])
            self._notices.once(
                f"step {self._step_at(batch, line.get('line'))} was rejected: {place}: {detail.get('msg')}",
                key=f"rejected {detail.get('type')} {place}",
            )
        self.refused += rejected
        # The highest step may be sent again with later records. It counts once.
        self.delivered += accepted - (self._last_step == batch[0].event.body["step"])
        self._last_step = batch[-1].event.body["step"]
        self._began = True
        if forgotten:
            return self._forgotten(timeout)
        self._pop(batch)
        return Turn("sent")

    @staticmethod
    def _step_at(batch: list[Item], line: Any) -> Any:
        return batch[line - 1].event.body["step"] if isinstance(line, int) and 0 < line <= len(batch) else "?"

    def _pop(self, items: list[Item]) -> None:
        self._remember(self._outbox.pop(len(items)))
        self._recovered()

    def _recovered(self) -> None:
        known = [self._notices.forget(key) for key in ("unreachable", "refusal")]
        if any(known):
            self._notices.info(f"{self._transport.url} accepts the records of run {self.run} again")

    def _drop(self, items: list[Item], reason: str) -> Turn:
        """Drops an item: sending it again cannot succeed."""
        self._notices.once(reason, key=f"dropped {items[0].event.kind} {reason.split(':')[0][:40]}")
        self.refused += sum(item.event.kind == "step" for item in items)
        self._pop(items)
        return Turn("again")

    def _refusal(self, kind: str, sentence: str) -> Turn:
        """Logs each kind of refusal once: after a wrong token a token with a wrong scope is news."""
        self._notices.once(
            f"{sentence}. Training continues, and steps are kept in {self.directory}", key=f"refusal {kind}")
        return Turn("refused", reason=sentence)

    def _failure(self, answer: Answer) -> Turn:
        """The turn after a response that is not a success."""
        self._greeted = False
        kind, sentence = judge(answer, self._transport.url)
        if kind == REFUSED:
            return self._refusal(str(answer.status), sentence)
        self._notices.once(f"{sentence}; training continues, and steps are kept in {self.directory}", key="unreachable")
        return Turn("wait", after=answer.retry_after, reason=sentence)

    # A server that lost the run

    def _forgotten(self, timeout: Optional[float]) -> Turn:
        """Puts the run's whole record again and reads the spool from its beginning."""
        fields = {name: value for name, value in self.fields.items() if name not in ("state", "exit_code", "reason")}
        answer = self._request("PUT", self._path, encode({**fields, "state": "running"}), timeout=timeout)
        if isinstance(answer, Turn):
            return answer
        if answer.status not in (200, 201):
            return self._failure(answer)
        self._notices.info(
            f"{self._transport.url} no longer has all of run {self.run}: sending everything in {self.directory} again"
        )
        self._replays += 1
        self._created = answer.json().get("created_at")
        self.last_seq = self._last_step = None
        self.delivered = self.refused = 0
        self._began = True
        self._outbox.restart(self._outbox.reader.first())
        self._greeted = True
        self._remember(self._outbox.reader.first())
        # A server that evicts the run again and again must not be flooded.
        if self._replays == 1:
            return Turn("again")
        pause = min(self._timing.retry_after_cap, self._timing.retry_base * 2**self._replays)
        return Turn("wait", after=pause, reason="the server lost the run")
