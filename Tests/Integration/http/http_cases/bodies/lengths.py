"""Content-Length: syntax, duplicates, and combinations (RFC 9110 section 8.6, RFC 9112 section 6)."""

from Support.wire.raw import request

from ..case import SINK, accepted, post, refused

BODY = b"hello"


def length(value: str) -> bytes:
    return post(f"Content-Length: {value}", body=BODY)


GOOD = {
    "plain": "5", "behind several spaces": "   5", "before a space": "5 ", "with leading zeros": "005",
    "with forty leading zeros": "0" * 40 + "5",
}

BAD = {
    "empty": "", "plus sign": "+5", "minus sign": "-5", "minus zero": "-0", "hex": "0x5", "hex digits": "a",
    "octal prefix": "0o5", "fraction": "5.0", "exponent": "5e0", "underscore": "1_0",
    "comma list of equal ones": "5, 5",
    "comma list without space": "5,5", "comma list of different ones": "5, 6", "trailing comma": "5,",
    "leading comma": ",5", "two words": "5 5", "parameter": "5;q=1", "quoted": '"5"', "letters": "five",
    "superscript two in UTF-8": "\xc2\xb2", "fullwidth five in UTF-8": "\xef\xbc\x95", "vertical tab before": "\x0b5",
    "vertical tab behind": "5\x0b", "form feed before": "\x0c5", "no-break space behind": "5\xa0",
    "NUL behind": "5\x00",
    "bare CR behind": "5\r", "bare CR inside": "1\r0", "2^64": str(2**64), "2^64 + 5": str(2**64 + 5),
    "10^30": str(10**30), "10^30 behind zeros": "0" * 30 + str(10**30),
}

# Well-formed and over the limit: the server refuses the request before it reads the body.
HUGE = {"one over the limit": 2_000_001, "2^31": 2**31, "2^32 + 5": 2**32 + 5, "2^63 - 1": 2**63 - 1, "2^63": 2**63,
        "2^64 - 1": 2**64 - 1}

CASES = [
    *(accepted(f"length {name}", length(value), 303) for name, value in GOOD.items()),
    *(refused(f"length {name}", length(value)) for name, value in BAD.items()),
    *(refused(f"length {name}", length(str(value)), 413) for name, value in HUGE.items()),
    accepted("length zero", post("Content-Length: 0"), 303),
    accepted("no length is no body", post(), 303),
    refused("length twice and equal", post("Content-Length: 5", "Content-Length: 5", body=BODY)),
    refused("length twice and different", post("Content-Length: 5", "Content-Length: 6", body=BODY)),
    refused("length twice, the second shorter", post("Content-Length: 5", "Content-Length: 0", body=BODY)),
    refused("length twice, written differently", post("Content-Length: 5", "content-length: 05", body=BODY)),
    refused("length twice with another field between", post("Content-Length: 5", "X: y", "Content-Length: 6",
            body=BODY)),
    refused("length folded", post("Content-Length:\r\n 5", body=BODY)),
    refused("length continued on a folded line", post("Content-Length: 5\r\n 0", body=BODY)),
    refused("space before the colon of the length", post("Content-Length : 5", body=BODY)),
    refused("tab before the colon of the length", post("Content-Length\t: 5", body=BODY)),
    refused("length with a space inside its name", post("Content Length: 5", body=BODY)),
    accepted("length in upper case", post("CONTENT-LENGTH: 5", body=BODY), 303),
    accepted("length without a space behind the colon", post("Content-Length:5", body=BODY), 303),
    # A different field here, but servers that map names to CGI variables treat it as Content-Length.
    refused("length with an underscore", post("Content_Length: 5")),
    refused("length with an underscore in capitals", post("CONTENT_LENGTH: 5")),
    refused("length zero with an underscore", post("content_length: 0")),
    refused("length with an underscore behind another", post("Content-Length: 5", "Content_Length: 0", body=BODY)),
    refused("length with an underscore before another", post("Content_Length: 0", "Content-Length: 5", body=BODY)),
    refused("length with an underscore in HTTP/1.0", post("Content_Length: 5", version="HTTP/1.0")),
    accepted("length with two underscores is another field", post("Content__Length: 5"), 303),
    accepted("length with an underscore behind is another field", post("Content-Length_: 5"), 303),
    accepted("body of a GET is read to its end", request(body=BODY), 200),
    accepted("body that looks like a request is none", request(SINK, "POST", body=request("/within")), 303),
    accepted("body of a HEAD that looks like a request is none", request("/health", "HEAD", body=request("/within")),
             200,
             heads=[0]),
    refused("length before Transfer-Encoding", post("Content-Length: 5", "Transfer-Encoding: chunked",
            body=b"5\r\nhello\r\n0\r\n\r\n")),
    refused("Transfer-Encoding before length", post("Transfer-Encoding: chunked", "Content-Length: 5",
            body=b"5\r\nhello\r\n0\r\n\r\n")),
    refused("Transfer-Encoding before length zero", post("Transfer-Encoding: chunked", "Content-Length: 0",
            body=b"0\r\n\r\n")),
    refused("empty Transfer-Encoding before length", post("Transfer-Encoding:", "Content-Length: 5", body=BODY)),
    refused("identity before length", post("Transfer-Encoding: identity", "Content-Length: 5", body=BODY)),
    refused("length before identity", post("Content-Length: 5", "Transfer-Encoding: identity", body=BODY)),
]
