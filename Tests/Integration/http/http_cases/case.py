"""A row of the table of HTTP cases, and functions that build rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from Support.wire.raw import Response, request

# Whether the connection stays usable or the server closes it.
KEPT, CLOSED = True, False

# A request that follows the bytes of a row. Its path does not exist, so its response is recognizable.
NEXT = request("/next")
NEXT_STATUS = 404

# A path that reads and discards a request body. The status is 303.
SINK = "/logout"


@dataclass(frozen=True)
class Case:
    """One row: the bytes to send, the expected statuses, and whether the connection stays usable.

    One response is read between two pieces of `sent`.
    """

    name: str
    sent: Sequence[bytes]
    statuses: Sequence[int]
    kept: bool
    # Checks the responses.
    check: Callable[[list[Response]], None] | None = None
    # The positions of responses to HEAD, which have no body.
    heads: Sequence[int] = field(default=())
    # The connection switches to another protocol, so no HTTP response follows.
    upgrades: bool = False
    # Whether the result is the same however the network splits the bytes.
    divisible: bool = True


def accepted(name: str, sent: bytes, status: int = 200, **more) -> Case:
    """A valid request: the server also answers the request behind it."""
    return Case(name, [sent + NEXT], [status, NEXT_STATUS], KEPT, **more)


def refused(name: str, sent: bytes, status: int = 400, **more) -> Case:
    """A request whose end is uncertain: the server answers it, ignores the rest and closes the connection."""
    return Case(name, [sent + NEXT], [status], CLOSED, **more)


def post(*fields: str, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    """A POST with exactly these fields, followed by these bytes."""
    return request(SINK, "POST", fields, version=version) + body


def get(*fields: str, target: str = "/health", version: str = "HTTP/1.1") -> bytes:
    return request(target, headers=fields, version=version)


def head_of_size(size: int) -> bytes:
    """A complete GET request of `size` bytes."""
    rest = size - len(get("X: "))
    return get("X: " + "y" * rest)
