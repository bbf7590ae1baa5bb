"""Expect, TE and trailers (RFC 9110 sections 6.5, 10.1.1 and 10.1.4)."""

from Support.wire.raw import chunked, request

from ..case import CLOSED, KEPT, NEXT, NEXT_STATUS, SINK, Case, accepted, get, post, refused

LENGTH = "Content-Length: 5"
CHUNKED = "Transfer-Encoding: chunked"
CONTINUE = "Expect: 100-continue"
BODY = b"hello"


def waits(name: str, *fields: str, body: bytes = BODY, **more) -> Case:
    """The client sends its body after 100 Continue."""
    return Case(name, [post(*fields), body + NEXT], [100, 303, NEXT_STATUS], KEPT, **more)


def trailed(*trailers: str) -> bytes:
    return post(CHUNKED, body=chunked(BODY, trailers=trailers))


# Fields that must be known before the body is read. Servers disagree about them in trailers: some apply, some ignore
# them.
FORBIDDEN = ["Content-Length: 5", "Content-Length: 0", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip",
             "Host: localhost", "host: evil.example", "Authorization: Bearer a", "Connection: close",
             "Connection: keep-alive", "Upgrade: websocket", "Expect: 100-continue", "Content-Encoding: gzip",
             "Content-Type: application/json", "Content-Range: bytes 0-4/5", "Trailer: X", "TE: trailers",
             "Cookie: a=b",
             "Origin: http://localhost", "Range: bytes=0-0", "Cache-Control: no-store", "Max-Forwards: 1"]

BAD_TRAILERS = {"without a colon": "X", "with an empty name": ": y", "with a space before its colon": "X : y",
                "behind a space": " X: y", "folded": "X: y\r\n z", "with a NUL": "X: \x00", "with a bare CR": "X: a\rb",
                "with a bare LF": "X: a\nb", "with two CRs": "X: a\r"}

CASES = [
    waits("100 before a counted body", CONTINUE, LENGTH),
    waits("100 before a chunked body", CONTINUE, CHUNKED, body=chunked(BODY)),
    waits("100 in capitals", "EXPECT: 100-CONTINUE", LENGTH),
    waits("100 behind spaces and before some", "Expect:   100-continue  ", LENGTH),
    accepted("no 100 when the body has been sent", post(CONTINUE, LENGTH, body=BODY), 303, divisible=False),
    accepted("no 100 without a body", post(CONTINUE), 303),
    accepted("no 100 for an empty body", post(CONTINUE, "Content-Length: 0"), 303),
    accepted("no 100 for a GET", get(CONTINUE)),
    Case("no 100 in HTTP/1.0", [post(CONTINUE, LENGTH, body=BODY, version="HTTP/1.0")], [303], CLOSED),
    Case("unknown expectation in HTTP/1.0", [post("Expect: miracles", LENGTH, body=BODY, version="HTTP/1.0")], [303],
         CLOSED),
    # After a refusal the client may send its body or the next request. The server cannot distinguish them, so it
    # closes.
    Case("no 100 where nothing is", [request("/nowhere", "POST", [CONTINUE, LENGTH])], [404], CLOSED),
    Case("no 100 for a body that is too long", [post(CONTINUE, "Content-Length: 2000001")], [413], CLOSED),
    Case("no 100 for a wrong method", [request("/health", "PUT", [CONTINUE, LENGTH])], [405], CLOSED),
    refused("unknown expectation", post("Expect: miracles", LENGTH, body=BODY), 417),
    refused("empty expectation", post("Expect:", LENGTH, body=BODY), 417),
    refused("100 and another expectation", post("Expect: 100-continue, miracles", LENGTH, body=BODY), 417),
    refused("100 twice in a list", post("Expect: 100-continue, 100-continue", LENGTH, body=BODY), 417),
    refused("100 in two fields", post(CONTINUE, CONTINUE, LENGTH, body=BODY), 417),
    refused("100 with a parameter", post("Expect: 100-continue;a=b", LENGTH, body=BODY), 417),
    Case("unknown expectation of a body that is not sent", [post("Expect: miracles", LENGTH)], [417], CLOSED),
    accepted("unknown expectation without a body", get("Expect: miracles"), 417),
    accepted("TE that takes trailers", get("TE: trailers", "Connection: TE")),
    accepted("TE that takes other codings", get("TE: deflate, gzip;q=0.5")),
    accepted("TE that refuses chunked", get("TE: chunked;q=0")),
    accepted("empty TE", get("TE:")),
    accepted("announced trailer", post(CHUNKED, "Trailer: X-Sum", body=chunked(BODY, trailers=["X-Sum: 1"])), 303),
    accepted("announced trailer that doesn't come", post(CHUNKED, "Trailer: X-Sum", body=chunked(BODY)), 303),
    accepted("announced trailer that may not be one", post(CHUNKED, "Trailer: Content-Length", body=chunked(BODY)),
             303),
    accepted("trailer of no body", get("Trailer: X-Sum")),
    accepted("trailer that was not announced", trailed("X-Sum: 1"), 303),
    accepted("two trailers", trailed("X-Sum: 1", "ETag: \"a\""), 303),
    accepted("empty trailer", trailed("X-Sum:"), 303),
    *(refused(f"trailer {line}", trailed(line)) for line in FORBIDDEN),
    refused("forbidden trailer behind an allowed one", trailed("X-Sum: 1", "Host: localhost")),
    refused("two different lengths for trailers", trailed("Content-Length: 5", "Content-Length: 6")),
    *(refused(f"trailer {name}", trailed(line)) for name, line in BAD_TRAILERS.items()),
    accepted("expectation and chunked trailers",
             request(SINK, "POST", [CHUNKED, "X: y"]) + chunked(BODY, 2, trailers=["X-Sum: 1"]), 303),
]
