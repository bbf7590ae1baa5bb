"""Conditional requests and ranges of a static file (RFC 9110 sections 13 and 14), and HEAD compared with GET."""

import gzip

from Support.wire.raw import request

from ..case import Case, accepted

# The content and modification time of letters.txt. "{tag}" in a row is replaced with its entity tag.
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
CHANGED = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
FUTURE = "Fri, 31 Dec 2100 23:59:59 GMT"
BIG = b"a line of text that is worth compressing\n" * 20_000


def ask(*fields: str, method: str = "GET", path: str = "letters.txt") -> bytes:
    return request("/static/" + path, method, fields)


def whole(answers):
    assert answers[0].body == LETTERS
    assert answers[0]["accept-ranges"] == "bytes"
    assert "content-range" not in answers[0]
    validators(answers)


def validators(answers):
    assert answers[0]["etag"].startswith('"') and answers[0]["last-modified"] == CHANGED
    assert answers[0]["cache-control"] == "no-cache"


def same(name: str, *fields: str) -> Case:
    return accepted(name, ask(*fields), 200, check=whole)


def unchanged(name: str, *fields: str) -> Case:
    return accepted(name, ask(*fields), 304, check=validators)


def failed(name: str, *fields: str) -> Case:
    return accepted(name, ask(*fields), 412)


def part(name: str, first: int, last: int, *fields: str) -> Case:
    def check(answers):
        assert answers[0].body == LETTERS[first:last + 1]
        assert answers[0]["content-range"] == f"bytes {first}-{last}/{len(LETTERS)}"
        assert "content-encoding" not in answers[0]
        validators(answers)

    return accepted(name, ask(*fields), 206, check=check)


def none(name: str, *fields: str) -> Case:
    def check(answers):
        assert answers[0]["content-range"] == f"bytes */{len(LETTERS)}"

    return accepted(name, ask(*fields), 416, check=check)


def packed(answers):
    assert answers[0]["content-encoding"] == "gzip" and answers[0]["etag"].endswith('-gz"')
    assert gzip.decompress(answers[0].body) == BIG


def plain(answers):
    assert "content-encoding" not in answers[0] and answers[0].body in (BIG, BIG[:10])


MATCHING = {"alone": "{tag}", "weak": "W/{tag}", "star": "*", "in a list": '"x", {tag}, "y"',
            "weak in a list": '"x", W/{tag}',
            "without spaces": '"x",{tag}', "behind empty elements": ", ,{tag}", "star before spaces": "*  "}
STRANGE = {"another tag": '"x"', "weak other tag": 'W/"x"', "no quotes": "x", "the tag without quotes": "{bare}",
           "one quote": '"x', "empty": "", "star in a list": '*, "x"', "star in a tag": '"*"',
           "star between commas of a tag": '"a,*,b"', "small w": "w/{tag}", "tag in single quotes": "'x'",
           "the tag and more": "{tag}x",
           "two stars": "*, *"}
DATES = {"the very second": CHANGED, "a later one": LATER, "one in the future": FUTURE,
         "the form of RFC 850": "Sunday, 06-Nov-94 08:49:37 GMT", "the form of asctime": "Sun Nov  6 08:49:37 1994"}
NO_DATES = {"a word": "yesterday", "nothing": "", "a number": "784111777", "ISO 8601": "1994-11-06T08:49:37Z",
            "another zone": "Sun, 06 Nov 2050 08:49:37 UTC", "a day that is not": "Thu, 31 Feb 2050 08:49:37 GMT",
            "an hour that is not": "Sun, 06 Nov 2050 25:49:37 GMT", "a sign": "Sun, +6 Nov 2050 08:49:37 GMT",
            "two dates": f"{FUTURE}, {FUTURE}", "small letters": FUTURE.lower()}
RANGES = {"bytes=0-0": (0, 0), "bytes=0-25": (0, 25), "bytes=0-": (0, 25), "bytes=25-": (25, 25), "bytes=-1": (25, 25),
          "bytes=-26": (0, 25), "bytes=-1000": (0, 25), "bytes=3-1000": (3, 25), "BYTES=1-2": (1, 2),
          "bytes=001-002": (1, 2),
          f"bytes=2-{10**30}": (2, 25), f"bytes=-{2**64}": (0, 25)}
UNSATISFIABLE = ["bytes=26-", "bytes=26-30", "bytes=-0", f"bytes={2**63}-", f"bytes={10**30}-"]
IGNORED = ["bytes=0-1,3-4", "bytes=0-0,0-0", "bytes=26-,27-", "bytes=2-1", "bytes=-", "bytes=", "bytes", "bytes=a-b",
           "bytes=0-1-2",
           "bytes=--1", "bytes=+0-1", "bytes=0x0-1", "bytes= 0-1", "bytes=0 - 1", "bytes 0-1", "lines=0-1", "", "=0-1",
           "bytes=1",
           "bytes=\xb2-3", "bytes=" + "0-1," * 500]

CASES = [
    same("no condition"),
    *(unchanged(f"If-None-Match {name}", f"If-None-Match: {value}") for name, value in MATCHING.items()),
    *(same(f"If-None-Match {name}", f"If-None-Match: {value}") for name, value in STRANGE.items()),
    unchanged("If-None-Match in two fields", 'If-None-Match: "x"', "If-None-Match: {tag}"),
    *(unchanged(f"If-Modified-Since with {name}", f"If-Modified-Since: {date}") for name, date in DATES.items()),
    *(same(f"If-Modified-Since with {name}", f"If-Modified-Since: {date}") for name, date in NO_DATES.items()),
    same("If-Modified-Since a second before", f"If-Modified-Since: {BEFORE}"),
    same("If-Modified-Since twice", f"If-Modified-Since: {CHANGED}", f"If-Modified-Since: {CHANGED}"),
    same("a tag that differs and a date that fits", 'If-None-Match: "x"', f"If-Modified-Since: {CHANGED}"),
    unchanged("a tag that fits and a date that doesn't", "If-None-Match: {tag}", f"If-Modified-Since: {BEFORE}"),
    *(same(f"If-Match {name}", f"If-Match: {value}")
      for name, value in MATCHING.items() if not name.startswith("weak")),
    *(failed(f"If-Match {name}", f"If-Match: {value}") for name, value in STRANGE.items()),
    failed("If-Match weak", "If-Match: W/{tag}"),
    accepted("If-Match of HEAD", ask('If-Match: "x"', method="HEAD"), 412, heads=[0]),
    *(same(f"If-Unmodified-Since with {name}", f"If-Unmodified-Since: {date}") for name, date in DATES.items()),
    *(same(f"If-Unmodified-Since with {name}", f"If-Unmodified-Since: {date}") for name, date in NO_DATES.items()),
    failed("If-Unmodified-Since a second before", f"If-Unmodified-Since: {BEFORE}"),
    same("If-Match that fits and a date that doesn't", "If-Match: {tag}", f"If-Unmodified-Since: {BEFORE}"),
    failed("If-Match before If-None-Match", 'If-Match: "x"', "If-None-Match: {tag}"),
    failed("If-Unmodified-Since before If-Modified-Since", f"If-Unmodified-Since: {BEFORE}",
           f"If-Modified-Since: {CHANGED}"),
    unchanged("If-Match and If-None-Match that fit", "If-Match: {tag}", "If-None-Match: {tag}"),
    accepted("condition of a file that isn't there", ask("If-Match: *", path="nothing.txt"), 404),
    accepted("condition of a method that isn't allowed", ask('If-Match: "x"', method="DELETE"), 405),
    *(part(f"range {value[:40]}", first, last, f"Range: {value}") for value, (first, last) in RANGES.items()),
    *(none(f"range {value[:40]}", f"Range: {value}") for value in UNSATISFIABLE),
    *(same(f"range {value[:40]} is ignored", f"Range: {value}") for value in IGNORED),
    same("range twice is ignored", "Range: bytes=0-1", "Range: bytes=0-1"),
    part("If-Range with the tag", 0, 1, "Range: bytes=0-1", "If-Range: {tag}"),
    part("If-Range with the date", 0, 1, "Range: bytes=0-1", f"If-Range: {CHANGED}"),
    same("If-Range with a weak tag", "Range: bytes=0-1", "If-Range: W/{tag}"),
    same("If-Range with another tag", "Range: bytes=0-1", 'If-Range: "x"'),
    same("If-Range with a later date", "Range: bytes=0-1", f"If-Range: {LATER}"),
    same("If-Range with a star", "Range: bytes=0-1", "If-Range: *"),
    same("If-Range with a list", "Range: bytes=0-1", "If-Range: {tag}, {tag}"),
    same("If-Range with nothing", "Range: bytes=0-1", "If-Range:"),
    same("If-Range twice", "Range: bytes=0-1", "If-Range: {tag}", "If-Range: {tag}"),
    same("If-Range without a range", 'If-Range: "x"'),
    same("If-Range that differs, and a range that can't be", "Range: bytes=99-", 'If-Range: "x"'),
    unchanged("If-None-Match before a range", "If-None-Match: {tag}", "Range: bytes=0-1"),
    failed("If-Match before a range", 'If-Match: "x"', "Range: bytes=0-1"),
    failed("If-Match before a range that can't be", 'If-Match: "x"', "Range: bytes=99-"),
    accepted("range of HEAD is ignored", ask("Range: bytes=0-1", method="HEAD"), 200, heads=[0]),
    accepted("range that can't be of HEAD is ignored", ask("Range: bytes=99-", method="HEAD"), 200, heads=[0]),
    accepted("range of a file that isn't there", ask("Range: bytes=0-1", path="nothing.txt"), 404),
    accepted("compressed file", ask("Accept-Encoding: gzip", path="big.txt"), 200, check=packed),
    accepted("plain file", ask(path="big.txt"), 200, check=plain),
    accepted("range of a file that would be compressed", ask("Accept-Encoding: gzip", "Range: bytes=0-9",
             path="big.txt"),
             206, check=plain),
    accepted("many ranges of a file that would be compressed",
             ask("Accept-Encoding: gzip", "Range: bytes=0-9,20-29", path="big.txt"), 200, check=plain),
]
