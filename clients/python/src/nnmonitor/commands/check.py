"""`nnmonitor check`: address, certificate, token, clock and round trip, in words."""

from __future__ import annotations

import email.utils
import hashlib
import statistics
import time
from typing import Callable

from ..delivery.answers import judge
from ..delivery.transport import Answer, Transport, Unreachable, Untrusted
from ..delivery.trust import colons
from ..errors import SettingError
from ..settings import Settings

_PROBE = "/api/v2/runs/nnmonitor-check/steps"
_ROUNDS = 5
#: Clocks that differ more than this show steps at a wrong time.
_CLOCK = 5.0


def check(settings: Settings, write_line: Callable[[str], None]) -> bool:
    """Prints what works and what does not, each in one line. Returns whether steps would be accepted.

    No run begins: an empty batch is posted, which needs the scope `ingest` and stores nothing.
    """
    try:
        transport = Transport(settings.url, settings.token, settings.ca, settings.fingerprint)
    except SettingError as error:
        write_line(f"address      FAILED  {error}")
        return False
    try:
        return _check(transport, settings, write_line)
    finally:
        transport.close()


def _check(transport: Transport, settings: Settings, write_line: Callable[[str], None]) -> bool:
    begin = time.time()
    try:
        answer = transport.request("POST", _PROBE, b"", "application/x-ndjson")
    except Unreachable as error:
        write_line(f"address      FAILED  {transport.url} cannot be reached ({error}): start the server")
        return False
    except Untrusted as error:
        write_line(f"address      ok      {transport.url} answers")
        write_line(f"certificate  FAILED  {error}")
        return False
    now = time.time()
    write_line(f"address      ok      {transport.url} answers")
    write_line(_certificate(transport, settings))
    accepted = _token(transport, settings, answer, write_line)
    _clock(answer, begin, now, write_line)
    _round_trip(transport, write_line)
    return accepted


def _certificate(transport: Transport, settings: Settings) -> str:
    if transport.certificate is None:
        note = f"others on the network can read {'the token' if settings.token else 'the steps'}"
        local = transport.host in ("localhost", "127.0.0.1", "::1")
        return f"certificate  none    no TLS: {'fine on this machine' if local else note}"
    print_of_it = colons(hashlib.sha256(transport.certificate).hexdigest())
    trusted = "pinned by its fingerprint" if settings.fingerprint else f"trusted by {settings.ca or 'the system'}"
    until = f", valid until {transport.valid_until}" if transport.valid_until else ""
    return f"certificate  ok      {trusted}{until}, SHA-256 {print_of_it}"


def _token(transport: Transport, settings: Settings, answer: Answer, write_line: Callable[[str], None]) -> bool:
    if answer.status == 202:
        write_line(f"token        ok      {'accepted' if settings.token else 'not required'}; steps are accepted")
        return True
    _, sentence = judge(answer, transport.url)
    write_line(f"{'token ' if answer.status in (401, 403) else 'server'}       FAILED  {sentence}")
    return False


def _clock(answer: Answer, begin: float, now: float, write_line: Callable[[str], None]) -> None:
    try:
        theirs = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        write_line("clock        unknown: the server's response has no Date header")
        return
    # A Date has whole seconds: theirs lies between theirs and theirs + 1.
    ahead = theirs - now if theirs > now else min(0.0, theirs + 1.0 - begin)
    if abs(ahead) <= _CLOCK:
        write_line("clock        ok      within 5 s of the server's")
    else:
        word = "behind" if ahead > 0 else "ahead of"
        write_line(
            f"clock        WARNING this machine is {abs(ahead):.0f} s {word} the server, so steps show at a wrong "
            "time: set the clock (NTP)"
        )


def _round_trip(transport: Transport, write_line: Callable[[str], None]) -> None:
    times = []
    try:
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            transport.request("POST", _PROBE, b"", "application/x-ndjson")
            times.append(time.perf_counter() - begin)
    except (Unreachable, Untrusted) as error:
        write_line(f"round trip   FAILED  {error}")
        return
    write_line(f"round trip   ok      {statistics.median(times) * 1000:.1f} ms, the median of {_ROUNDS}")
