"""Revalidation of a static file (RFC 9110 section 13). Ranges and other conditions are ignored."""

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
    assert "accept-ranges" not in answers[0] and "content-range" not in answers[0]
    validators(answers)


def validators(answers):
    assert answers[0]["etag"].startswith('"') and answers[0]["last-modified"] == CHANGED
    assert answers[0]["cache-control"] == "no-cache"


def same(name: str, *fields: str) -> Case:
    return accepted(name, ask(*fields), 200, check=whole)


def unchanged(name: str, *fields: str) -> Case:
    return accepted(name, ask(*fields), 304, check=validators)


def packed(answers):
    assert answers[0]["content-encoding"] == "gzip" and answers[0]["etag"].endswith('-gz"')
    assert gzip.decompress(answers[0].body) == BIG


def plain(answers):
    assert "content-encoding" not in answers[0] and answers[0].body == BIG


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
RANGES = ["bytes=0-0", "bytes=-1", "bytes=26-", f"bytes={10**30}-", "bytes=0-1,3-4", "bytes=2-1", "lines=0-1", "",
          "bytes=\xb2-3", "bytes=" + "0-1," * 500]
IGNORED = ["If-Match: {tag}", 'If-Match: "x"', f"If-Unmodified-Since: {CHANGED}", f"If-Unmodified-Since: {BEFORE}"]

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
    *(same(f"{field} is ignored", field) for field in IGNORED),
    unchanged("If-Match beside an If-None-Match that fits", 'If-Match: "x"', "If-None-Match: {tag}"),
    accepted("condition of HEAD is ignored", ask('If-Match: "x"', method="HEAD"), 200, heads=[0]),
    accepted("condition of a file that isn't there", ask("If-Match: *", path="nothing.txt"), 404),
    accepted("condition of a method that isn't allowed", ask('If-Match: "x"', method="DELETE"), 405),
    *(same(f"range {value[:40]} is ignored", f"Range: {value}") for value in RANGES),
    same("range twice is ignored", "Range: bytes=0-1", "Range: bytes=0-1"),
    same("range with If-Range is ignored", "Range: bytes=0-1", "If-Range: {tag}"),
    unchanged("If-None-Match beside a range", "If-None-Match: {tag}", "Range: bytes=0-1"),
    accepted("range of HEAD is ignored", ask("Range: bytes=0-1", method="HEAD"), 200, heads=[0]),
    accepted("range of a file that isn't there", ask("Range: bytes=0-1", path="nothing.txt"), 404),
    accepted("compressed file", ask("Accept-Encoding: gzip", path="big.txt"), 200, check=packed),
    accepted("plain file", ask(path="big.txt"), 200, check=plain),
    accepted("range of a file that is sent compressed",
             ask("Accept-Encoding: gzip", "Range: bytes=0-9", path="big.txt"), 200, check=packed),
]
