"""The Connection field: when the connection is kept and when it is closed (RFC 9112 section 9)."""

from ..case import CLOSED, KEPT, NEXT, NEXT_STATUS, Case, get, post

# Options that do not affect persistence: HTTP/1.1 keeps the connection, HTTP/1.0 closes it.
SILENT = ["x", "closed", "xclose", "close x", '"close"', "close;x", "", "upgrade", "Host", "Content-Length", "keep",
          "\xe2\x84\xaaeep-alive"]
KEEPING = ["keep-alive", "Keep-Alive", "KEEP-ALIVE", "x, keep-alive", "keep-alive,x", ",keep-alive", "keep-alive , x"]
CLOSING = ["close", "Close", "CLOSE", "x, close", "close,x", ",close", "close,", "close, keep-alive",
           "keep-alive, close",
           "close, upgrade", "upgrade, close", "close\t,x"]


def stays(name: str, sent: bytes) -> Case:
    return Case(name, [sent + NEXT], [200, NEXT_STATUS], KEPT)


def ends(name: str, sent: bytes, status: int = 200) -> Case:
    return Case(name, [sent + NEXT], [status], CLOSED)


def connection(value: str, version: str) -> bytes:
    return get(f"Connection: {value}", version=version)


CASES = [
    *(stays(f"HTTP/1.1 with Connection: {value}", connection(value, "HTTP/1.1")) for value in SILENT + KEEPING),
    *(ends(f"HTTP/1.1 with Connection: {value}", connection(value, "HTTP/1.1")) for value in CLOSING),
    *(ends(f"HTTP/1.0 with Connection: {value}", connection(value, "HTTP/1.0")) for value in SILENT + CLOSING),
    *(stays(f"HTTP/1.0 with Connection: {value}", connection(value, "HTTP/1.0")) for value in KEEPING),
    ends("HTTP/1.0", get(version="HTTP/1.0")),
    ends("HTTP/1.0 with keep-alive and close in two fields",
         get("Connection: keep-alive", "Connection: close", version="HTTP/1.0")),
    ends("HTTP/1.0 with close and keep-alive in two fields",
         get("Connection: close", "Connection: keep-alive", version="HTTP/1.0")),
    ends("HTTP/1.1 with keep-alive and close in two fields", get("Connection: keep-alive", "Connection: close")),
    ends("HTTP/1.0 that a proxy would keep", get("Proxy-Connection: keep-alive", version="HTTP/1.0")),
    ends("HTTP/1.0 with a body", post("Content-Length: 5", body=b"hello", version="HTTP/1.0"), 303),
    Case("HTTP/1.0 with keep-alive and a body",
         [post("Connection: keep-alive", "Content-Length: 5", body=b"hello", version="HTTP/1.0") + NEXT],
         [303, NEXT_STATUS], KEPT),
    ends("streamed answer to HTTP/1.0 with keep-alive",
         get("Connection: keep-alive", target="/api/v1/runs/conformance", version="HTTP/1.0")),
    Case("close in the second of three requests", [get() + get("Connection: close") + NEXT], [200, 200], CLOSED),
    Case("close and a 404", [get("Connection: close", target="/next") + NEXT], [404], CLOSED),
    Case("bytes behind the last request", [get("Connection: close") + b"\x00" * 1000], [200], CLOSED),
]
