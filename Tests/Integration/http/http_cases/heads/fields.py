"""Header fields: their bytes, line ends, and fields that must be unique (RFC 9110 section 5, RFC 9112 section 5)."""

from Support.wire.raw import request

from ..case import accepted, get, post, refused

GET = b"GET /health HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"

# The characters of a token (RFC 9110 section 5.6.2). A colon is not listed as invalid because it ends the name.
TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NO_TOKEN = [byte for byte in range(256) if byte not in TOKEN and byte not in b":\r\n"]
# A value consists of tabs, spaces, visible characters and bytes beyond ASCII.
NO_VALUE = [byte for byte in [*range(0x20), 0x7F] if byte not in b"\t\n"]
BEYOND = range(0x80, 0x100)


def field(line: bytes) -> bytes:
    return GET + HOST + line + b"\r\n\r\n"


CASES = [
    accepted("name of every sign", field(TOKEN + b": y")),
    *(refused(f"byte {byte:02x} in a name", field(b"X" + bytes([byte]) + b"Y: z")) for byte in NO_TOKEN),
    *(refused(f"byte {byte:02x} in a value", field(b"X: a" + bytes([byte]) + b"b")) for byte in NO_VALUE),
    *(refused(f"byte {byte:02x} before a value", field(b"X:" + bytes([byte]) + b"b")) for byte in (0x00, 0x0B, 0x0C,
              0x0D)),
    *(refused(f"byte {byte:02x} behind a value", field(b"X: a" + bytes([byte]))) for byte in (0x00, 0x0B, 0x0C, 0x0D)),
    accepted("every visible byte in a value", field(b"X: " + bytes(range(0x20, 0x7F)))),
    accepted("every byte beyond ASCII in a value", field(b"X: " + bytes(BEYOND))),
    accepted("tab in a value", field(b"X: a\tb")),
    accepted("empty value", field(b"X:")),
    accepted("value of spaces", field(b"X:    ")),
    accepted("spaces and tabs around a value", field(b"X: \t y \t ")),
    accepted("colon in a value", field(b"X::a:b:")),
    refused("empty name", field(b": y")),
    refused("only a colon", field(b":")),
    refused("no colon", field(b"abc")),
    refused("no colon but a space", field(b"abc def")),
    refused("space before the colon", field(b"X : y")),
    refused("tab before the colon", field(b"X\t: y")),
    refused("line of spaces", field(b"   ")),
    refused("first field behind a space", GET + b" X: y\r\n" + HOST + b"\r\n"),
    refused("first field behind a tab", GET + b"\tX: y\r\n" + HOST + b"\r\n"),
    refused("value folded with a space", field(b"X: a\r\n b")),
    refused("value folded with a tab", field(b"X: a\r\n\tb")),
    refused("value folded at its beginning", field(b"X:\r\n b")),
    refused("value folded with nothing", field(b"X: a\r\n ")),
    refused("fold that looks like a field", field(b"X: a\r\n Content-Length: 5")),
    refused("field that ends in LF", GET + HOST + b"X: y\n\r\n"),
    refused("host that ends in LF", GET + b"Host: localhost\n\r\n"),
    refused("field that ends in CR", GET + HOST + b"X: y\r\r\n"),
    refused("field that ends in two CRs and LF", GET + HOST + b"X: y\r\r\n\r\n"),
    refused("head that ends in LF", GET + HOST + b"\n"),
    refused("head that ends in two LFs", GET + b"Host: localhost\n\n"),
    refused("head that ends in LF and CR", GET + b"Host: localhost\n\r"),
    refused("head that ends in CR", GET + HOST + b"\r"),
    refused("head that ends in two CRs and LF", GET + HOST + b"\r\r\n"),
    refused("CR and LF the wrong way round", GET + HOST + b"X: y\n\r\n\r"),
    refused("value that smuggles a field behind a bare CR", field(b"X: y\rContent-Length: 5")),
    refused("value that smuggles a field behind a bare LF", field(b"X: y\nContent-Length: 5")),
    refused("two Authorizations", get("Authorization: Bearer a", "Authorization: Bearer b")),
    refused("two Content-Types", post("Content-Type: a/b", "Content-Type: application/json", "Content-Length: 0")),
    refused("two Origins", get("Origin: http://a.example", "Origin: http://localhost")),
    accepted("two Cookies", get("Cookie: a=b", "Cookie: c=d")),
    accepted("a field twice", get("X: a", "X: b")),
    accepted("names that differ only by an underscore", get("X-Y: a", "X_Y: b")),
    accepted("field of the connection itself", get("Connection: Host")),
    accepted("method of one known to others", request("/health", "PROPFIND"), 405),
]
