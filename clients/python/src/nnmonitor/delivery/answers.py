"""What a response of the server means for the client: it retries, or a person must change something, and what."""

from __future__ import annotations

from .transport import Answer

#: The request may succeed later without a change.
PASSING = "wait"
#: It fails until a person changes something.
REFUSED = "refused"


def judge(answer: Answer, url: str) -> tuple[str, str]:
    """`PASSING` or `REFUSED`, and one sentence with the remedy, for a response that is not a success."""
    status, message = answer.status, answer.message
    if status in (408, 425, 429) or status >= 500:
        return PASSING, f"{url} answers {status} ({message or 'no reason given'})"
    if status == 401:
        return REFUSED, (
            f"{url} does not accept the token ({message or 'unauthorized'}): set one with the scope ingest (token=, "
            "NN_MONITOR_TOKEN or a file). `NNMonitor token` generates one; a server without configured tokens prints "
            "one when it starts"
        )
    if status == 403:
        return REFUSED, (
            f"{url} answers 403 ({message or 'forbidden'}): the token needs the scope ingest; "
            "`NNMonitor token --scopes ingest` generates one"
        )
    if status in (404, 405):
        return REFUSED, (
            f"{url} has no /api/v2 ({status}): check the path in NN_MONITOR_URL, or update the server"
        )
    if 300 <= status < 400:
        place = answer.headers.get("location", "another address")[:200]
        return REFUSED, f"{url} redirects to {place!r}: set NN_MONITOR_URL to that address"
    return REFUSED, f"{url} answers {status} ({message or 'no reason given'}): update the client or the server"
