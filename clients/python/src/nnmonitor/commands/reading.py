"""What `tail` and `health` read from a server, and sentences for what fails."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any, Optional

from ..delivery.transport import Answer, Transport, Unreachable, Untrusted

_LONGEST = 100_000_000


class ReadFailed(Exception):
    """Nothing could be read. The message is one sentence with the remedy.

    Attributes:
        status: of the response; None where none came.
    """

    def __init__(self, sentence: str, status: Optional[int] = None) -> None:
        super().__init__(sentence)
        self.status = status


def quoted(run: str) -> str:
    """A run id as a part of a path."""
    return urllib.parse.quote(run, safe="")


def get(transport: Transport, path: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ReadFailed
    """
    try:
        answer = transport.request("GET", path, longest=_LONGEST)
    except (Unreachable, Untrusted) as error:
        raise unreachable(transport, error) from error
    if answer.status != 200:
        raise refused(transport, answer)
    try:
        value = json.loads(answer.body)
    except ValueError as error:
        raise ReadFailed(f"{transport.url} answers with something that is not JSON: is it an NNMonitor?") from error
    if not isinstance(value, dict):
        raise ReadFailed(f"{transport.url} answers with something else than an object: is it an NNMonitor?")
    return value


def unreachable(transport: Transport, error: Exception) -> ReadFailed:
    if isinstance(error, Untrusted):
        return ReadFailed(str(error))
    return ReadFailed(f"{transport.url} cannot be reached ({error}): start the server, or set NN_MONITOR_URL or --url")


def refused(transport: Transport, answer: Answer) -> ReadFailed:
    """The error of a response that is not a success."""
    url, status, message = transport.url, answer.status, answer.message or "no reason given"
    if status in (401, 403):
        sentence = (
            f"{url} answers {status} ({message}): set a token with the scope read (NN_MONITOR_TOKEN or --token-file); "
            "`NNMonitor token --scopes read` generates one"
        )
    elif 300 <= status < 400:
        place = answer.headers.get("location", "another address")[:200]
        sentence = f"{url} redirects to {place!r}: set NN_MONITOR_URL or --url to that address"
    else:
        sentence = f"{url} answers {status} ({message})"
    return ReadFailed(sentence, status)


def find_run(transport: Transport, wanted: Optional[str]) -> dict[str, Any]:
    """The run with this id, or the one that was updated last, as the server describes it.

    Raises:
        ReadFailed
    """
    try:
        if wanted is not None:
            return get(transport, f"/api/v2/runs/{quoted(wanted)}")
        listed = get(transport, "/api/v2/runs?limit=1").get("runs") or []
    except ReadFailed as error:
        if error.status != 404:
            raise
        if wanted is not None:
            raise ReadFailed(f"{transport.url} has no run {wanted!r}", 404) from error
        raise ReadFailed(
            f"{transport.url} has no /api/v2: check the path of the address, or update the server", 404) from error
    if not listed:
        raise ReadFailed(f"{transport.url} has no run yet")
    found: dict[str, Any] = listed[0]
    return found


def printable(text: object) -> str:
    """A text in one line, without what would control the terminal."""
    return "".join(character if character.isprintable() else " " for character in str(text))
