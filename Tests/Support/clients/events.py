"""A client of Server-Sent Events, /api/v2/events, that reads byte by byte what the server sends."""

import json
import random
import zlib
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from Support.clients.libraries import healthy
from Support.clients.openwire import read_steps
from Support.wire.raw import RawConnection, Response, request

PATH = "/api/v2/events"
# The messages that have a step.
STEPS = ("step", "new_metrics")


@dataclass
class Event:
    """An event as a browser gets it: `id` is the one of this event alone, `last_id` what a reconnection sends."""

    id: str | None
    message: dict
    last_id: str | None


class EventStream(RawConnection):
    """One response of /api/v2/events; `answer` is its head, or the whole response if it is an error."""

    def __init__(self, server, last_event_id=None, gzip: bool = False, version: str = "HTTP/1.1", headers=(),
                 timeout: float = 20, receive_buffer: int | None = None, **query):
        super().__init__(server, timeout=timeout, receive_buffer=receive_buffer)
        lines = ["Accept: text/event-stream", *headers]
        if server.token and not any(line.startswith(("Authorization", "Cookie")) for line in headers):
            lines.append(f"Authorization: Bearer {server.token}")
        if last_event_id is not None:
            lines.append(f"Last-Event-ID: {last_event_id}")
        if gzip:
            lines.append("Accept-Encoding: gzip")
        target = PATH + ("?" + urlencode(query, quote_via=quote) if query else "")
        self.send(request(target, headers=lines, version=version))
        self.answer: Response = self.read_head()
        self.text = b""
        self.comments = 0
        self.last_id = str(last_event_id) if last_event_id is not None else None
        # Whether the response has come to its proper end.
        self.is_complete = False
        if self.answer.status != 200:
            self.read_body(self.answer)
        self._is_chunked = "chunked" in self.answer["transfer-encoding"]
        assert gzip == (self.answer["content-encoding"] == "gzip") or self.answer.status != 200
        self._inflater = zlib.decompressobj(31) if self.answer["content-encoding"] == "gzip" else None

    def _more_text(self) -> bool:
        """Reads the next piece of the body; false at its end."""
        if self._is_chunked:
            size = int(self._through(b"\r\n"), 16)
            data = self._exactly(size)
            assert self._exactly(2) == b"\r\n"
            self.is_complete = size == 0
        else:
            if not self.buffer:
                self.is_complete = not self._more()
            data, self.buffer = self.buffer, b""
        if self._inflater:
            data = self._inflater.decompress(data)
            if self.is_complete:
                assert self._inflater.eof, "the gzip stream has its end"
        self.text += data
        return not self.is_complete

    def block(self) -> list[str] | None:
        """The lines up to the next empty one; None at the end of the response."""
        while b"\n\n" not in self.text:
            if not self._more_text():
                assert not self.text, "an event is whole"
                return None
        block, self.text = self.text.split(b"\n\n", 1)
        return block.decode().split("\n")

    def next(self) -> Event | None:
        """The next event; None at the end of the response."""
        while (lines := self.block()) is not None:
            data, event_id = [], None
            for line in lines:
                if line.startswith(":"):
                    self.comments += 1
                    continue
                field, _, value = line.partition(": ")
                assert field in ("data", "id"), lines
                if field == "data":
                    data.append(value)
                else:
                    event_id = self.last_id = value
            if data:
                return Event(event_id, json.loads("\n".join(data)), self.last_id)
        return None

    def until(self, *kinds: str) -> Event:
        """The next event with a message of these types; skips others."""
        while (event := self.next()) is not None:
            if event.message["type"] in kinds:
                return event
        raise AssertionError("the stream ended")

    def steps(self, count: int) -> list[tuple[int, int]]:
        """The next steps as (seq, step); skips other messages."""
        found = []
        while len(found) < count:
            event = self.until(*STEPS)
            assert event.message["seq"] == event.message["data"].get("seq", event.message["seq"])
            found.append((event.message["seq"], event.message["data"]["step"]))
        return found

    def rest(self) -> list[Event]:
        """The events until the response ends."""
        events = []
        while (event := self.next()) is not None:
            events.append(event)
        return events


class Ledger:
    """The steps of a run that a client holds. Requires that none comes twice and none is left out."""

    def __init__(self):
        self.seq = 0
        self.received: set[int] = set()
        self.held: dict[int, dict] = {}
        self.lagged = 0

    def take(self, event, is_live: bool):
        message = event.message
        if message["type"] == "lagged":
            self.lagged += 1
        if message["type"] != "step":
            assert message["type"] != "reset"
            return
        seq = message["seq"]
        assert seq not in self.received and seq > self.seq, "in order, and nothing twice"
        assert not is_live or seq == self.seq + 1, "nothing is left out"
        assert event.id == str(seq)
        self.seq = seq
        self.received.add(seq)
        self.held[message["data"]["step"]] = message["data"]

    def must_be_complete(self, server, run: str, count: int):
        """The client holds what the server keeps, and missed only versions that were replaced."""
        kept = {step["step"]: step for step in read_steps(server, run)}
        assert self.seq == count and self.held == kept
        assert not (set(range(1, count + 1)) - self.received) & {step["seq"] for step in kept.values()}


def large_step(number: int, rng: random.Random) -> dict:
    """A step of about four kilobytes that hardly compresses."""
    layers = [f"l{index}" for index in range(200)]
    return {"step": number, "time": 1, "layers": layers, "metrics": {"m": [rng.random() for _ in layers]}}


def subscribers(server) -> int:
    """The number of subscribers that the server counts."""
    return healthy(server)["active_connections"]
