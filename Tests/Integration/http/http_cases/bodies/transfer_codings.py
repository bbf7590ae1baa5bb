"""Transfer-Encoding: supported codings, their syntax, and where the field is allowed (RFC 9112 section 6.1)."""

from ..case import accepted, get, post, refused

CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


def coding(value: str) -> bytes:
    return post(f"Transfer-Encoding: {value}", body=CHUNKS)


GOOD = {"plain": "chunked", "with a capital": "Chunked", "in capitals": "CHUNKED",
        "behind several spaces": "   chunked",
        "behind a tab": "\tchunked", "before a space": "chunked "}

# Servers disagree about these values: 400.
BAD = {
    "empty": "", "only spaces": "   ", "only a comma": ",", "leading comma": ",chunked", "trailing comma": "chunked,",
    "twice in a list": "chunked, chunked", "before gzip": "chunked, gzip", "before identity": "chunked, identity",
    "behind a vertical tab": "\x0bchunked", "behind a form feed": "\x0cchunked", "before a vertical tab": "chunked\x0b",
    "before a NUL": "chunked\x00", "behind a NUL": "\x00chunked", "with a bare CR": "chun\rked",
    "folded": "\r\n chunked",
    "with a folded coding": "chunked\r\n , identity", "before a bare CR": "chunked\r",
}

# Unsupported codings: 501 (RFC 9112 section 6.1). The server closes because the end of the message is unknown.
UNKNOWN = {
    "gzip": "gzip", "gzip and then chunked": "gzip, chunked", "gzip and then chunked without space": "gzip,chunked",
    "identity": "identity", "identity and then chunked": "identity, chunked", "with a prefix": "xchunked",
    "with a suffix": "chunkedx", "x-chunked": "x-chunked", "cut short": "chunke", "quoted": '"chunked"',
    "in single quotes": "'chunked'", "with a parameter": "chunked;q=1", "two words": "chunked chunked",
    "something else": "cow", "before a no-break space": "chunked\xa0",
    "with the Kelvin sign for its k": "chun\xe2\x84\xaaed",
}

CASES = [
    *(accepted(f"chunked {name}", coding(value), 303) for name, value in GOOD.items()),
    *(refused(f"chunked {name}", coding(value)) for name, value in BAD.items()),
    *(refused(f"coding {name}", coding(value), 501) for name, value in UNKNOWN.items()),
    accepted("chunked without a space behind the colon", post("Transfer-Encoding:chunked", body=CHUNKS), 303),
    accepted("chunked under a name in capitals", post("TRANSFER-ENCODING: chunked", body=CHUNKS), 303),
    accepted("chunked GET", get("Transfer-Encoding: chunked") + CHUNKS, 200),
    # A different field here, but servers that map names to CGI variables treat it as Transfer-Encoding.
    refused("coding with an underscore", post("Transfer_Encoding: chunked")),
    refused("coding with an underscore in capitals", post("TRANSFER_ENCODING: chunked")),
    refused("coding with an underscore beside a length", post("Content-Length: 5", "Transfer_Encoding: chunked",
            body=b"0\r\n\r\n")),
    refused("coding with an underscore beside another",
            post("Transfer-Encoding: chunked", "Transfer_Encoding: identity", body=CHUNKS)),
    refused("coding with an underscore and no value", post("transfer_encoding:")),
    accepted("coding with an underscore before it is another field", post("_Transfer-Encoding: chunked"), 303),
    accepted("encoding with an underscore is another field", post("Content_Encoding: chunked"), 303),
    refused("chunked in two fields", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNKS)),
    refused("chunked before identity in two fields",
            post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=CHUNKS)),
    refused("identity before chunked in two fields",
            post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body=CHUNKS), 501),
    refused("empty before chunked in two fields", post("Transfer-Encoding:", "Transfer-Encoding: chunked",
            body=CHUNKS)),
    refused("space before the colon of the coding", post("Transfer-Encoding : chunked", body=CHUNKS)),
    refused("tab before the colon of the coding", post("Transfer-Encoding\t: chunked", body=CHUNKS)),
    refused("space before the name of the coding", post(" Transfer-Encoding: chunked", body=CHUNKS)),
    refused("space in the name of the coding", post("Transfer Encoding: chunked", body=CHUNKS)),
    refused("NUL before the name of the coding", post("\x00Transfer-Encoding: chunked", body=CHUNKS)),
    refused("coding behind a bare CR", post("X: y\rTransfer-Encoding: chunked", body=CHUNKS)),
    refused("coding behind a bare LF", post("X: y\nTransfer-Encoding: chunked", body=CHUNKS)),
    refused("chunked in HTTP/1.0", post("Transfer-Encoding: chunked", body=CHUNKS, version="HTTP/1.0")),
    refused("chunked in HTTP/1.0 with keep-alive",
            post("Connection: keep-alive", "Transfer-Encoding: chunked", body=CHUNKS, version="HTTP/1.0")),
    refused("chunked in HTTP/1.0 with a length",
            post("Content-Length: 5", "Transfer-Encoding: chunked", body=CHUNKS, version="HTTP/1.0")),
]
