"""Upgrade: to WebSocket, to other protocols, with a body, in HTTP/1.0 (RFC 9110 section 7.8, RFC 6455 section 4)."""

from Support.wire.raw import chunked, request

from ..case import CLOSED, KEPT, NEXT, NEXT_STATUS, SINK, Case, get, post

UPGRADE, CONNECTION = "Upgrade: websocket", "Connection: Upgrade"
VERSION, KEY = "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
WHOLE = [UPGRADE, CONNECTION, VERSION, KEY]


def ws(*fields: str, method: str = "GET", version: str = "HTTP/1.1", body: bytes | None = None) -> bytes:
    return request("/ws", method, fields, body, version)


def without(line: str, *others: str) -> list[str]:
    return [field for field in WHOLE if field != line] + list(others)


def refused(name: str, sent: bytes, status: int, **more) -> Case:
    """A refused WebSocket upgrade closes the connection: a proxy may assume that it was accepted."""
    return Case(name, [sent + NEXT], [status], CLOSED, **more)


def asks_again(name: str, sent: bytes) -> Case:
    """The request did not ask for an upgrade: the connection stays open and uses HTTP."""
    return Case(name, [sent + NEXT], [426, NEXT_STATUS], KEPT, says_how)


def ignored(name: str, sent: bytes, status: int, **more) -> Case:
    """The protocol is not supported: the connection stays open and uses HTTP (RFC 9110 section 7.8)."""
    return Case(name, [sent + NEXT], [status, NEXT_STATUS], KEPT, **more)


def says_how(answers):
    assert answers[0]["upgrade"] == "websocket"
    assert answers[0]["sec-websocket-version"] == "13"


def grants(name: str, *fields: str) -> Case:
    return Case(name, [ws(*fields)], [101], KEPT, speaks_websocket, upgrades=True)


def speaks_websocket(answers):
    assert answers[0]["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


BAD_KEYS = {"of 15 bytes": "dGhlIHNhbXBsZSBub25j", "of 17 bytes": "dGhlIHNhbXBsZSBub25jZQAA", "that is empty": "",
            "with a sign that is not base64": "!GhlIHNhbXBsZSBub25jZQ==", "without padding": "dGhlIHNhbXBsZSBub25jZQ",
            "twice in a list": "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="}
BAD_VERSIONS = {"8": "8", "0": "0", "14": "14", "with a zero before": "013", "in a list": "13, 8", "empty": "",
                "words": "x"}

CASES = [
    grants("upgrade to WebSocket", *WHOLE),
    grants("upgrade beside keep-alive", *without(CONNECTION, "Connection: keep-alive, Upgrade")),
    grants("upgrade with other protocols offered", *without(UPGRADE, "Upgrade: h2c, WebSocket")),
    grants("upgrade with a length of zero", *WHOLE, "Content-Length: 0"),
    grants("upgrade that expects 100", *WHOLE, "Expect: 100-continue"),
    refused("upgrade beside close", ws(*without(CONNECTION, "Connection: close, Upgrade")), 426),
    refused("upgrade and close in two fields", ws(*WHOLE, "Connection: close"), 426),
    refused("upgrade in HTTP/1.0", ws(*WHOLE, version="HTTP/1.0"), 426),
    refused("upgrade in HTTP/1.0 with keep-alive", ws(*WHOLE, "Connection: keep-alive", version="HTTP/1.0"), 426),
    refused("upgrade with a body", ws(*WHOLE, body=b"hello"), 426),
    refused("upgrade with a chunked body", ws(*WHOLE, "Transfer-Encoding: chunked", body=chunked(b"hello")), 426),
    refused("upgrade with a body that looks like a request", ws(*WHOLE, body=request("/within")), 426),
    refused("upgrade by POST", ws(*WHOLE, method="POST"), 405),
    refused("upgrade by HEAD", ws(*WHOLE, method="HEAD"), 426, heads=[0]),
    refused("upgrade without a key", ws(*without(KEY)), 400),
    refused("upgrade with two keys", ws(*WHOLE, KEY), 400),
    refused("upgrade with two different keys", ws(*WHOLE, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), 400),
    *(refused(f"upgrade with a key {name}", ws(*without(KEY, f"Sec-WebSocket-Key: {key}")), 400)
      for name, key in BAD_KEYS.items()),
    refused("upgrade without a version", ws(*without(VERSION)), 426),
    refused("upgrade with two versions", ws(*WHOLE, VERSION), 426),
    *(refused(f"upgrade with version {name}", ws(*without(VERSION, f"Sec-WebSocket-Version: {version}")), 426)
      for name, version in BAD_VERSIONS.items()),
    ignored("upgrade to another protocol where WebSocket is", ws(*without(UPGRADE, "Upgrade: h2c")), 426),
    ignored("upgrade with an empty protocol", ws(*without(UPGRADE, "Upgrade:")), 426),
    asks_again("WebSocket's address without an upgrade", ws()),
    asks_again("upgrade without Connection", ws(*without(CONNECTION))),
    asks_again("upgrade that Connection doesn't name", ws(*without(CONNECTION, "Connection: keep-alive"))),
    asks_again("Connection that names an upgrade that isn't there", ws(*without(UPGRADE))),
    ignored("upgrade to HTTP/2 where nothing upgrades",
            get("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
            200),
    ignored("upgrade to TLS", get("Upgrade: TLS/1.0", "Connection: Upgrade"), 200),
    refused("upgrade to WebSocket where nothing upgrades", get(*WHOLE), 200),
    ignored("upgrade to nothing known, with a body",
            post("Upgrade: cow", "Connection: upgrade", "Content-Length: 5", body=b"hello"), 303),
    ignored("upgrade to nothing known, with a chunked body",
            post("Upgrade: cow", "Connection: upgrade", "Transfer-Encoding: chunked", body=chunked(b"hello")), 303),
    refused("upgrade at an address that isn't there", request("/next", headers=WHOLE), 404),
    ignored("upgrade to nothing, of a page", get("Upgrade:", "Connection: Upgrade"), 200),
    ignored("upgrade to HTTP/2, as Java requests it, with a body",
            post("Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEAAEAAAAIAAAAB", "Upgrade: h2c",
                 "Content-Length: 5", body=b"hello"), 303),
    Case("upgrades to HTTP/2, one after another", [get("Upgrade: h2c", "Connection: Upgrade") * 5 + NEXT],
         [200] * 5 + [NEXT_STATUS], KEPT),
    refused("upgrade to HTTP/2 beside close", get("Upgrade: h2c", "Connection: Upgrade, close"), 200),
    Case("megabytes behind an upgrade that is not granted",
         [get("Upgrade: h2c", "Connection: Upgrade") + bytes(2_000_000)], [200, 400], CLOSED),
    Case("megabytes behind a WebSocket that is not granted", [get(*WHOLE) + bytes(2_000_000)], [200], CLOSED),
    Case("upgrade without Connection, with a body",
         [request(SINK, "POST", ["Upgrade: websocket"], b"hello") + NEXT], [303, NEXT_STATUS], KEPT),
]
