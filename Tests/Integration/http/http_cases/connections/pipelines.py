"""Pipelining: responses have the order of the requests, and none follows an error that closes the connection."""

from Support.wire.raw import chunked, request

from ..case import CLOSED, KEPT, NEXT, NEXT_STATUS, SINK, Case, get, post

COUNT = 100

# One request of each kind with its status. None of them closes the connection.
KINDS = [
    (get(), 200), (request("/next"), 404), (request("/static/letters.txt"), 200), (request(SINK, "POST"), 303),
    (post("Content-Length: 38", body=b"GET /within HTTP/1.1\r\nHost: localhost\r\n\r\n"[:38]), 303),
    (post("Transfer-Encoding: chunked", body=chunked(b"hello", 2)), 303), (request("/health", "PUT"), 405),
    (request("/health/"), 307), (request("/health", "OPTIONS"), 204), (request("/api/v1/runs"), 200),
    (request("/api/v1/runs/conformance"), 200), (request("/static/letters.txt", headers=["Range: bytes=0-0"]), 200),
    (request("/static/letters.txt", headers=["If-None-Match: *"]), 304), (request("/static/%zz"), 400),
    (get("Expect: miracles"), 417), (get("Upgrade: h2c", "Connection: Upgrade"), 200),
]

# Requests that end a pipeline, and their statuses.
ENDS = {
    "a close": (get("Connection: close"), 200), "a bad line": (b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "garbage": (b"\x00\x01\x02\x03", 400), "no host": (request(host=None), 400),
    "a bad length": (post("Content-Length: 5", "Content-Length: 6", body=b"hello"), 400),
    "a bad chunk": (post("Transfer-Encoding: chunked", body=b"x\r\n"), 400),
    "an unknown coding": (post("Transfer-Encoding: cow", body=b"5\r\nhello\r\n0\r\n\r\n"), 501),
    "an unknown method": (request("/", "BREW"), 501), "another version": (get(version="HTTP/2.0"), 505),
    "HTTP/1.0": (get(version="HTTP/1.0"), 200), "a long target": (get(target="/" + "a" * 9000), 414),
    "a long head": (get("X: " + "y" * 40_000), 431), "a body that is too long": (post("Content-Length: 3000000"), 413),
    "a WebSocket that is not granted": (get("Upgrade: websocket", "Connection: Upgrade"), 200),
    "half a request": (get()[:-4] + b"\r\nContent-Length: +5\r\n\r\n", 400),
}


def cycle(count: int) -> list[tuple[bytes, int]]:
    return [KINDS[index % len(KINDS)] for index in range(count)]


def joined(parts) -> list[bytes]:
    return [b"".join(sent for sent, _ in parts)]


def statuses(parts) -> list[int]:
    return [status for _, status in parts]


def distinct(answers):
    """Checks that each response belongs to its request: the requested runs do not exist, and the message names them."""
    for index, answer in enumerate(answers):
        assert answer.json()["detail"]["message"] == f"Run 'absent-{index}' not found"


def broken(name: str, end: tuple[bytes, int]) -> Case:
    """A hundred requests with a closing one in the middle. The server sends fifty-one responses."""
    parts = [*cycle(COUNT // 2), end]
    behind = [(NEXT, NEXT_STATUS)] * (COUNT - len(parts))
    return Case(f"{name} in the middle of a hundred", joined(parts + behind), statuses(parts), CLOSED)


CASES = [
    Case("a hundred requests of every kind", joined(cycle(COUNT)), statuses(cycle(COUNT)), KEPT),
    Case("a hundred requests, each for a run of its own",
         [b"".join(request(f"/api/v1/runs/absent-{index}") for index in range(COUNT))], [404] * COUNT, KEPT, distinct),
    Case("a hundred HEADs", [request("/static/letters.txt", "HEAD") * COUNT], [200] * COUNT, KEPT, heads=range(COUNT)),
    Case("a hundred posts", [request(SINK, "POST", body=b"x" * 1000) * COUNT], [303] * COUNT, KEPT),
    Case("a hundred long answers and short ones between",
         [(request("/static/big.txt") + get()) * (COUNT // 2)], [200] * COUNT, KEPT),
    Case("a hundred streamed answers and short ones between",
         [(request("/api/v1/runs/conformance") + NEXT) * (COUNT // 2)], [200, NEXT_STATUS] * (COUNT // 2), KEPT),
    *(broken(name, end) for name, end in ENDS.items()),
    Case("a refused body in the middle that is short",
         [get() + request("/next", "POST", body=b"x" * 1000) + NEXT], [200, 404, NEXT_STATUS], KEPT),
    Case("a refused body that looks like requests",
         [request("/next", "POST", body=request("/within") * 20) + get()], [404, 200], KEPT),
]
