"""The four forms of a request target, and the bytes that it may contain (RFC 9112 section 3.2)."""

from Support.wire.raw import request

from ..case import CLOSED, KEPT, NEXT, NEXT_STATUS, Case, accepted, get, refused


def absolute(target: str, host: str | None = "localhost", version: str = "HTTP/1.1") -> bytes:
    return request(target, host=host, version=version)


def allows_get(answers):
    assert "GET" in answers[0]["allow"].split(", ")


# `test_http_conformance` replaces the placeholder with the scheme of the server in use.
S = "{scheme}://"

# Bytes that are invalid in a URI. Clients never send a fragment; some servers treat a backslash as a slash.
NO_URI_BYTES = [*range(0x00, 0x21), *b'"#<>\\^`{|}', 0x7F, 0x80, 0xA0, 0xC3, 0xFF]

CASES = [
    accepted("origin-form with an empty query", get(target="/health?")),
    accepted("origin-form with two question marks", get(target="/health??a=?")),
    accepted("origin-form with every sign of a URI", get(target="/static/letters.txt?-._~:/[]@!$&'()*+,;=%20")),
    accepted("target with two slashes is another", get(target="//health"), 404),
    accepted("target that looks like a host is none", get(target="//localhost/health"), 404),
    *(refused(f"byte {byte:02x} in the path", b"GET /a" + bytes([byte]) + b"b HTTP/1.1\r\nHost: localhost\r\n\r\n")
      for byte in NO_URI_BYTES),
    *(refused(f"byte {byte:02x} in the query",
              b"GET /health?a" + bytes([byte]) + b"b HTTP/1.1\r\nHost: localhost\r\n\r\n")
      for byte in (0x00, 0x09, 0x20, 0x23, 0x5C, 0x7F, 0xC3)),
    refused("raw UTF-8 in the path", get(target="/api/v1/runs/\xc3\xa4")),
    refused("target without a slash", get(target="health")),
    refused("empty target", b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    refused("only a query", get(target="?a=b")),
    accepted("absolute-form with the same host", absolute(S + "localhost/health")),
    accepted("absolute-form with the same host in capitals", absolute(S + "LOCALHOST/health")),
    accepted("absolute-form with the scheme in capitals", absolute("{SCHEME}://localhost/health")),
    accepted("absolute-form with the default port", absolute(S + "localhost:{port}/health")),
    accepted("absolute-form with the default port in Host only", absolute(S + "localhost/health", "localhost:{port}")),
    accepted("absolute-form without a path", absolute(S + "localhost")),
    accepted("absolute-form with only a query", absolute(S + "localhost?a=b")),
    accepted("absolute-form with an IPv6 host", absolute(S + "[::1]:8000/health", "[::1]:8000")),
    Case("absolute-form in HTTP/1.0 without Host", [absolute(S + "localhost/health", None, "HTTP/1.0")], [200], CLOSED),
    refused("absolute-form in HTTP/1.0 with a name that is not ours",
            absolute(S + "evil.example/health", None, "HTTP/1.0"), 421),
    refused("absolute-form without Host", absolute(S + "localhost/health", None)),
    refused("absolute-form with another host", absolute(S + "localhost/health", "127.0.0.1")),
    refused("absolute-form with another port", absolute(S + "localhost:8000/health", "localhost:8001")),
    refused("absolute-form with a port that Host lacks", absolute(S + "localhost:8000/health")),
    refused("absolute-form with a host that is not ours, in both", absolute(S + "evil.example/", "evil.example"), 421),
    refused("absolute-form with user information", absolute(S + "user@localhost/health")),
    refused("absolute-form with user and password", absolute(S + "user:password@localhost/health")),
    refused("absolute-form with an empty user", absolute(S + "@localhost/health")),
    refused("absolute-form with user information that looks like a host", absolute(S + "localhost@evil.example/")),
    refused("absolute-form with a backslash before the user sign", absolute(S + "localhost\\@evil.example/")),
    refused("absolute-form without a host", absolute(S + "/health")),
    refused("absolute-form with an escaped host", absolute(S + "%6cocalhost/health")),
    refused("absolute-form with a bad port", absolute(S + "localhost:x/health")),
    refused("absolute-form with a port beyond 65535", absolute(S + "localhost:65616/health")),
    refused("absolute-form with one slash", absolute("{scheme}:/localhost/health")),
    refused("absolute-form without slashes", absolute("{scheme}:localhost/health")),
    refused("absolute-form with the other scheme", absolute("{other}://localhost/health"), 421),
    accepted("absolute-form with the scheme ftp", absolute("ftp://localhost/health"), 400),
    accepted("absolute-form with the scheme ws", absolute("ws://localhost/ws"), 400),
    refused("scheme without an authority", absolute("javascript:alert(1)")),
    refused("authority-form of GET", absolute("localhost:80")),
    refused("authority-form of CONNECT", request("localhost:80", "CONNECT"), 501),
    refused("CONNECT of a path", request("/health", "CONNECT"), 501),
    refused("CONNECT with a body", request("localhost:80", "CONNECT", body=b"hello"), 501),
    Case("asterisk-form of OPTIONS", [request("*", "OPTIONS") + NEXT], [204, NEXT_STATUS], KEPT,
         allows_get),
    accepted("asterisk-form of GET", get(target="*"), 400),
    accepted("asterisk-form of HEAD", request("*", "HEAD"), 400, heads=[0]),
    accepted("asterisk with something behind it", request("*x", "OPTIONS"), 400),
    accepted("asterisk in a path", request("/*", "OPTIONS"), 404),
    accepted("OPTIONS of a host", request(S + "localhost", "OPTIONS"), 204),
]
