"""What a row of the table says, and the pieces that rows are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from support.raw import Response, request

# Whether the connection can be used afterwards, or has been closed by the server.
KEPT, CLOSED = True, False

# The request behind the bytes of a row. Nothing is at that address, so that its answer can't be taken for another's.
NEXT = request("/next")
NEXT_STATUS = 404

# What a body is posted to: it is read to its end and thrown away, and the answer is 303.
SINK = "/logout"


@dataclass(frozen=True)
class Case:
    """One row: bytes sent, the statuses answered, and what becomes of the connection.

    Between two pieces one answer is read.
    """

    name: str
    sent: Sequence[bytes]
    statuses: Sequence[int]
    kept: bool
    # Looks at the answers.
    check: Callable[[list[Response]], None] | None = None
    # The answers that have no body because they are to HEAD, by position.
    heads: Sequence[int] = field(default=())
    # It ends in another protocol, so that HTTP has nothing more to say.
    upgrades: bool = False
    # Whether it makes no difference in which pieces the network delivers the bytes.
    divisible: bool = True


def accepted(name: str, sent: bytes, status: int = 200, **more) -> Case:
    """A request that is understood: the one behind it is answered too."""
    return Case(name, [sent + NEXT], [status, NEXT_STATUS], KEPT, **more)


def refused(name: str, sent: bytes, status: int = 400, **more) -> Case:
    """A request whose end can't be trusted: it is answered, nothing behind it is, and the connection is closed."""
    return Case(name, [sent + NEXT], [status], CLOSED, **more)


def post(*fields: str, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    """A POST with these fields and these bytes behind it; nothing is added to either."""
    return request(SINK, "POST", fields, version=version) + body


def get(*fields: str, target: str = "/health", version: str = "HTTP/1.1") -> bytes:
    return request(target, headers=fields, version=version)


def head_of_size(size: int) -> bytes:
    """A whole GET of so many bytes."""
    rest = size - len(get("X: "))
    return get("X: " + "y" * rest)
