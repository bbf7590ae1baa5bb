"""The Host field: it must be unique and consist of a name and a port (RFC 9110 section 7.2, RFC 9112 section 3.2)."""

from Support.wire.raw import request

from ..case import CLOSED, Case, accepted, refused


def host(*values: str, version: str = "HTTP/1.1") -> bytes:
    return request(host=None, headers=[f"Host: {value}" for value in values], version=version)


GOOD = {
    "name": "localhost", "name in capitals": "LOCALHOST", "name and port": "localhost:8000", "port 0": "localhost:0",
    "port 65535": "localhost:65535", "empty port": "localhost:", "IPv4": "127.0.0.1", "IPv4 and port": "127.0.0.1:80",
    "IPv6": "[::1]", "IPv6 and port": "[::1]:8000", "long IPv6": "[2001:db8:0:0:0:0:0:1]",
    "IPv6 with IPv4 inside": "[::ffff:127.0.0.1]", "name below localhost": "a_b-c.localhost",
    "name before spaces": "localhost  ", "name before a tab": "localhost\t", "name behind a tab": "\tlocalhost",
}

BAD = {
    "path": "localhost/health", "slash": "localhost/", "query": "localhost?a", "fragment": "localhost#a",
    "user": "user@localhost", "user and password": "user:password@localhost", "space inside": "local host",
    "tab inside": "local\thost", "two words": "localhost evil.example", "comma": "localhost, evil.example",
    "comma twice the same": "localhost,localhost", "semicolon": "localhost;a", "quotes": "'localhost'",
    "double quotes": '"localhost"', "scheme": "http://localhost", "backslash": "localhost\\evil",
    "escape": "%6cocalhost",
    "escaped NUL": "localhost%00", "star": "*", "letters for a port": "localhost:abc", "negative port": "localhost:-1",
    "port with a plus": "localhost:+1", "port with a space": "localhost:8 0", "space before the port": "localhost: 80",
    "port 65536": "localhost:65536", "port with six digits": "localhost:000080", "two ports": "localhost:80:80",
    "only a port": ":80", "only a colon": ":", "IPv6 without brackets": "::1", "IPv6 with an open bracket": "[::1",
    "IPv6 with a bracket too many": "[[::1]]", "IPv6 with something behind": "[::1]evil",
    "IPv6 with a bad port": "[::1]:x",
    "IPv6 with a zone": "[fe80::1%25eth0]", "IPv6 of nine groups": "[1:2:3:4:5:6:7:8:9]", "empty brackets": "[]",
    "name in brackets": "[localhost]", "IPv4 in brackets": "[127.0.0.1]", "future address": "[v1.a]",
    "closing bracket": "localhost]", "raw UTF-8": "loc\xc3\xa4l", "byte beyond UTF-8": "loc\xffl",
    "Kelvin sign": "\xe2\x84\xaa.localhost", "NUL": "local\x00host", "control character": "local\x01host",
    "bare CR": "local\rhost",
}

# Well-formed hosts that are not names of an open server on loopback.
STRANGE = {"empty": "", "another name": "evil.example", "another name below": "localhost.evil.example",
           "name with a dot at its end": "localhost.", "IPv4 in one number": "2130706433", "IPv4 in two": "127.1",
           "IPv4 with 999": "999.0.0.1", "IPv4 with five numbers": "127.0.0.0.1", "name of 1000 letters": "a" * 1000}

CASES = [
    *(accepted(f"host {name}", host(value)) for name, value in GOOD.items()),
    *(refused(f"host {name}", host(value)) for name, value in BAD.items()),
    *(refused(f"host {name}", host(value), 421) for name, value in STRANGE.items()),
    refused("no host", host()),
    refused("two hosts", host("localhost", "evil.example")),
    refused("no host and an unknown expectation", request(host=None, headers=["Expect: miracles"])),
    refused("another name and an unknown expectation", request(host="evil.example", headers=["Expect: miracles"]), 421),
    refused("two hosts that are the same", host("localhost", "localhost")),
    refused("two hosts, the first empty", host("", "localhost")),
    refused("two hosts with another field between", request(headers=["X: y", "HOST: localhost"])),
    accepted("host behind other fields", request(host=None, headers=["X: y", "Host: localhost"])),
    accepted("host in capitals", request(host=None, headers=["HOST: localhost"])),
    refused("space before the colon of the host", request(host=None, headers=["Host : localhost"])),
    refused("space before the name of the host", request(host=None, headers=[" Host: localhost"])),
    refused("host that is folded", request(host=None, headers=["Host:\r\n localhost"])),
    refused("host that continues in a folded line", request(host=None, headers=["Host: localhost\r\n .evil.example"])),
    Case("no host in HTTP/1.0", [host(version="HTTP/1.0")], [200], CLOSED),
    refused("two hosts in HTTP/1.0", host("localhost", "evil.example", version="HTTP/1.0")),
    refused("bad host in HTTP/1.0", host("local host", version="HTTP/1.0")),
    refused("another name in HTTP/1.0", host("evil.example", version="HTTP/1.0"), 421),
]
