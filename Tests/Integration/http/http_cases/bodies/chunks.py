"""The chunked coding: sizes, line ends, extensions (RFC 9112 section 7.1)."""

from ..case import accepted, post, refused

END = b"0\r\n\r\n"


def chunked(body: bytes) -> bytes:
    return post("Transfer-Encoding: chunked", body=body)


def sized(size: str, content: bytes = b"hello") -> bytes:
    """A message with one chunk that has this size line, and the last chunk."""
    return chunked(size.encode("latin-1") + b"\r\n" + content + b"\r\n" + END)


def extended(extension: str) -> bytes:
    return sized("5" + extension)


GOOD_SIZES = {"plain": "5", "with a leading zero": "05", "with forty leading zeros": "0" * 40 + "5"}

BAD_SIZES = {
    "empty": "", "plus sign": "+5", "minus sign": "-5", "minus zero": "-0", "hex prefix": "0x5", "suffix h": "5h",
    "no hex digit": "g", "leading space": " 5", "leading tab": "\t5", "trailing space": "5 ", "trailing tab": "5\t",
    "comma": "5,", "underscore": "0_5", "point": "5.", "exponent without hex": "5e+0", "quoted": '"5"',
    "fullwidth five in UTF-8": "\xef\xbc\x95", "NUL": "5\x00", "vertical tab": "5\x0b", "bare CR": "5\r",
    "2^64 + 5": f"{2**64 + 5:x}", "2^64": f"{2**64:x}", "forty fs": "f" * 40,
}

GOOD_EXTENSIONS = {
    "name": ";a", "name and value": ";a=b", "quoted value": ';a="b"', "quoted semicolon": ';a="b;c"',
    "escaped quote": ';a="b\\"c"', "three": ";a;b=c;d", "a thousand bytes": ";" + "a" * 1000,
    "quoted byte beyond ASCII": ';a="\xff"',
}

BAD_EXTENSIONS = {
    "no name": ";", "space before the semicolon": " ;a", "space behind the semicolon": "; a", "bare LF inside": ";a\nb",
    "bare LF at the end": ";a\n", "bare CR inside": ";a\rb", "two CRs": ";a\r", "NUL": ";\x00",
    "control character": ";a=\x01",
    "delete": ";a\x7f", "byte beyond ASCII": ";\xff", "tab": ";a\tb", "bare LF in a quoted value": ';a="b\nc"',
    "CRLF in a quoted value": ';a="b\r\nc"', "control character in a quoted value": ';a="\x01"', "open quote": ';a="b',
    "separator": ";{}", "vertical tab": ";a\x0b",
}

CASES = [
    *(accepted(f"chunk size {name}", sized(size), 303) for name, size in GOOD_SIZES.items()),
    accepted("chunk size in upper case", sized("A", b"hellohello"), 303),
    accepted("chunk size in lower case", sized("a", b"hellohello"), 303),
    *(refused(f"chunk size {name}", sized(size)) for name, size in BAD_SIZES.items()),
    *(accepted(f"chunk extension {name}", extended(text), 303) for name, text in GOOD_EXTENSIONS.items()),
    *(refused(f"chunk extension {name}", extended(text)) for name, text in BAD_EXTENSIONS.items()),
    refused("chunk extension of 100 kB", extended(";" + "a" * 100_000), 431),
    refused("chunk extension of 100 kB in quotes", extended(';a="' + "b" * 100_000 + '"'), 431),
    refused("extensions of 100 kB at many chunks", chunked(b"".join([b"1;" + b"a" * 1000 + b"\r\nx\r\n"] * 100) + END),
            431),
    accepted("a thousand chunks of one byte", chunked(b"1\r\nx\r\n" * 1000 + END), 303),
    accepted("a thousand chunks of one byte with short extensions", chunked(b"1;a=b\r\nx\r\n" * 1000 + END), 303),
    accepted("no chunk but the last", chunked(END), 303),
    accepted("last chunk with several zeros", chunked(b"5\r\nhello\r\n00000\r\n\r\n"), 303),
    accepted("last chunk with an extension", chunked(b"5\r\nhello\r\n0;a=b\r\n\r\n"), 303),
    accepted("chunk that holds empty lines", chunked(b"c\r\n\r\n\r\n0\r\n\r\nGET\r\n" + END), 303),
    refused("chunk size that ends in LF", chunked(b"5\nhello\r\n" + END)),
    refused("chunk size that ends in CR", chunked(b"5\rhello\r\n" + END)),
    refused("chunk content that ends in LF", chunked(b"5\r\nhello\n" + END)),
    refused("chunk content that ends in CR", chunked(b"5\r\nhello\r" + END)),
    refused("chunk content that has no end", chunked(b"5\r\nhello" + END)),
    refused("chunk content longer by one byte", chunked(b"5\r\nhellos\r\n" + END)),
    refused("chunk content longer by two bytes", chunked(b"5\r\nhelloes" + END)),
    refused("chunk content shorter by one byte", chunked(b"5\r\nhell\r\n" + END)),
    refused("empty line instead of the last chunk", chunked(b"5\r\nhello\r\n\r\n")),
    refused("request instead of the last chunk", chunked(b"5\r\nhello\r\n")),
    refused("last chunk that ends in LF", chunked(b"5\r\nhello\r\n0\n\n")),
    refused("last line that ends in LF", chunked(b"5\r\nhello\r\n0\r\n\n")),
    refused("last line that ends in two CRs", chunked(b"5\r\nhello\r\n0\r\n\r\r\n")),
    # The decoder does not report chunk sizes: the server refuses the body when too many bytes have arrived.
    refused("chunk longer than the limit", chunked(b"2625a0\r\n" + b"x" * 2_500_000 + b"\r\n" + END), 413),
    refused("chunk of 2^63 - 1 bytes", chunked(b"7fffffffffffffff\r\n" + b"x" * 2_000_001), 413),
    refused("chunk of 2^64 - 1 bytes", chunked(b"ffffffffffffffff\r\n" + b"x" * 2_000_001), 413),
    accepted("chunks up to the limit", chunked((b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n") * 2 + END), 303),
]
