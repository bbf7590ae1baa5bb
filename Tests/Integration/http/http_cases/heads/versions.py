"""HTTP versions, methods, and bytes that are not HTTP (RFC 9110 sections 2.5 and 9, RFC 9112 sections 2 and 3)."""

import random

from Support.wire.raw import request

from ..case import CLOSED, KEPT, NEXT, NEXT_STATUS, Case, accepted, get, refused

HOST = b"\r\nHost: localhost\r\n\r\n"
GARBAGE = random.Random(7)

# Well-formed versions that are not supported.
OTHER_VERSIONS = ["HTTP/0.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"]

BAD_LINES = {
    "version in small letters": b"GET /health http/1.1", "version with one small letter": b"GET /health HTTp/1.1",
    "version without minor": b"GET /health HTTP/1", "version 2 without minor": b"GET /health HTTP/2",
    "version without number": b"GET /health HTTP/", "version without digits": b"GET /health HTTP/x.y",
    "version with a zero before": b"GET /health HTTP/01.1", "version with two minor digits": b"GET /health HTTP/1.10",
    "version with a comma": b"GET /health HTTP/1,1", "version with a space behind": b"GET /health HTTP/1.1 ",
    "version with a tab behind": b"GET /health HTTP/1.1\t", "version with letters behind": b"GET /health HTTP/1.1a",
    "version with spaces inside": b"GET /health HTTP /1.1", "HTTPS": b"GET /health HTTPS/1.1",
    "RTSP": b"DESCRIBE /health RTSP/1.0", "RTSP with a method of HTTP": b"OPTIONS /health RTSP/1.0",
    "ICE": b"SOURCE /health ICE/1.0", "SIP": b"INVITE sip:a@b SIP/2.0", "SSH": b"SSH-2.0-OpenSSH_9.6",
    "SMTP": b"EHLO localhost",
    "only a method": b"GET", "method and space": b"GET ", "no version": b"GET /health",
    "a space for a version": b"GET /health ",
    "two spaces before the target": b"GET  /health HTTP/1.1", "two spaces before the version": b"GET /health  HTTP/1.1",
    "tab before the target": b"GET\t/health HTTP/1.1", "tab before the version": b"GET /health\tHTTP/1.1",
    "vertical tab before the target": b"GET\x0b/health HTTP/1.1", "space before the method": b" GET /health HTTP/1.1",
    "tab before the method": b"\tGET /health HTTP/1.1", "bare LF before the method": b"\nGET /health HTTP/1.1",
    "bare CR before the method": b"\rGET /health HTTP/1.1",
    "CRLF and LF before the method": b"\r\n\nGET /health HTTP/1.1",
    "NUL before the method": b"\x00GET /health HTTP/1.1", "byte order mark": b"\xef\xbb\xbfGET /health HTTP/1.1",
    "status line": b"HTTP/1.1 200 OK", "bare CR for a space": b"GET\r/health HTTP/1.1",
    "four words": b"GET /health a HTTP/1.1",
}

BAD_LINE_ENDS = {"LF": b"\n", "CR": b"\r", "two CRs and LF": b"\r\r\n", "LF and CR": b"\n\r", "two LFs": b"\n\n"}

def no_echo(answers):
    assert b"X-Secret" not in answers[0].body


CASES = [
    accepted("HTTP/1.1", get()),
    Case("HTTP/1.0", [get(version="HTTP/1.0")], [200], CLOSED),
    *(refused(version, get(version=version), 505) for version in OTHER_VERSIONS),
    Case("other version behind a good request", [get() + get(version="HTTP/2.0") + NEXT], [200, 505], CLOSED),
    *(refused(name, line + HOST) for name, line in BAD_LINES.items()),
    *(refused(f"line that ends in {name}", b"GET /health HTTP/1.1" + end + HOST[2:])
      for name, end in BAD_LINE_ENDS.items()),
    Case("HTTP/0.9 and no more", [b"GET /health\r\n"], [400], CLOSED),
    Case("preface of HTTP/2", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"], [505], CLOSED),
    Case("method of the preface in HTTP/1.1", [request("*", "PRI")], [505], CLOSED),
    accepted("empty line before the request", b"\r\n" + get()),
    accepted("three empty lines before the request", b"\r\n\r\n\r\n" + get()),
    Case("empty line behind the request, before the next", [get() + b"\r\n" + NEXT], [200, NEXT_STATUS], KEPT),
    Case("bare LF behind the request, before the next", [get() + b"\n" + NEXT], [200, 400], CLOSED),
    Case("space behind the request, before the next", [get() + b" " + NEXT], [200, 400], CLOSED),
    # Methods
    *(refused(f"method {method}", request("/health", method), 501)
      for method in ("BREW", "get", "Get", "GETX", "GE", "X-MAGIC", "A" * 100, "DESCRIBE", "PLAY")),
    *(refused(f"byte {byte:02x} in the method", b"G" + bytes([byte]) + b"T /health HTTP/1.1" + HOST)
      for byte in (0x00, 0x0D, 0x0A, 0x28, 0x2F, 0x3A, 0x40, 0x5B, 0x7F, 0x80, 0xC3)),
    *(accepted(f"method {method} where only GET is", request("/health", method), 405)
      for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "PURGE", "QUERY")),
    accepted("TRACE with what must not come back", request("/health", "TRACE", ["X-Secret: a"]), 405,
             check=no_echo),
    # Not HTTP
    Case("TLS bytes", [bytes.fromhex("16030100c8010000c40303") + bytes(100)], [400], CLOSED),
    Case("zeros", [bytes(1000)], [400], CLOSED),
    Case("bytes of 255", [b"\xff" * 1000], [400], CLOSED),
    Case("JSON", [b'{"metadata":{}}\r\n\r\n'], [400], CLOSED),
    Case("XML", [b"<?xml version='1.0'?>\r\n\r\n"], [400], CLOSED),
    Case("words", [b"hello there\r\n\r\n"], [400], CLOSED),
    *(Case(f"random bytes {number}", [bytes([GARBAGE.randrange(128, 256)]) + GARBAGE.randbytes(500)], [400], CLOSED)
      for number in range(5)),
    Case("a chunked body without its head", [b"5\r\nhello\r\n0\r\n\r\n"], [400], CLOSED),
]
