"""What an answer of the server means for the client: passing, or to be mended by a person, and how."""

from __future__ import annotations

from .transport import Answer

#: The request may succeed later, by itself.
PASSING = "wait"
#: It fails until a person changes something.
REFUSED = "refused"


def judge(answer: Answer, url: str) -> tuple[str, str]:
    """`PASSING` or `REFUSED`, and one sentence with the remedy, for an answer that is no success."""
    status, message = answer.status, answer.message
    if status in (408, 425, 429) or status >= 500:
        return PASSING, f"{url} answers {status} ({message or 'try later'})"
    if status == 401:
        return REFUSED, (
            f"{url} does not accept the token ({message or 'unauthorized'}): give one with scope ingest (token=, "
            "NN_MONITOR_TOKEN or a file); `NNMonitor token` makes one, and the server's banner shows the one that it "
            "made itself"
        )
    if status == 403:
        return REFUSED, (
            f"{url} answers 403 ({message or 'forbidden'}): the token needs the scope ingest; "
            "`NNMonitor token --scopes ingest` makes one"
        )
    if status in (404, 405):
        return REFUSED, (
            f"{url} has no /api/v2 ({status}): check the path of the address (NN_MONITOR_URL), or update the server"
        )
    if 300 <= status < 400:
        place = answer.headers.get("location", "another address")[:200]
        return REFUSED, f"{url} redirects to {place!r}: give that address (NN_MONITOR_URL)"
    return REFUSED, f"{url} answers {status} ({message or 'no reason given'}): update the client or the server"
