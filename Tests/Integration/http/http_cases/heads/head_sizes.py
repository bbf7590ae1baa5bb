"""Targets, fields and heads at the limits: 8192 bytes, 100 fields and 32768 bytes."""

from Support.wire.raw import chunked

from ..case import CLOSED, NEXT, Case, accepted, get, head_of_size, post, refused

TARGET, FIELDS, HEAD = 8192, 100, 32768


def target(size: int) -> bytes:
    return get(target="/" + "a" * (size - 1))


def fields(count: int) -> bytes:
    """A head with `count` fields, including Host."""
    return get(*(f"X-{index}: y" for index in range(count - 1)))


def trailed(*trailers: str) -> bytes:
    return post("Transfer-Encoding: chunked", body=chunked(b"hello", trailers=trailers))


CASES = [
    accepted("target one below its limit", target(TARGET - 1), 404),
    accepted("target at its limit", target(TARGET), 404),
    refused("target one above its limit", target(TARGET + 1), 414),
    refused("target far above every limit", target(100_000), 414),
    refused("query above the limit", get(target="/health?" + "a" * TARGET), 414),
    Case("target without end", [b"GET /" + b"a" * 100_000], [414], CLOSED),
    accepted("target of slashes at its limit", get(target="/" * TARGET), 404),
    Case("second target above its limit", [get() + target(TARGET + 1) + NEXT], [200, 414], CLOSED),
    Case("second head above its limit", [get() + head_of_size(HEAD + 1) + NEXT], [200, 431], CLOSED),
    accepted("fields one below their limit", fields(FIELDS - 1)),
    accepted("fields at their limit", fields(FIELDS)),
    refused("fields one above their limit", fields(FIELDS + 1), 431),
    refused("ten thousand fields", fields(10_000), 431),
    refused("a hundred empty fields and one", get(*["X:"] * FIELDS), 431),
    accepted("head one below its limit", head_of_size(HEAD - 1)),
    accepted("head at its limit", head_of_size(HEAD)),
    refused("head one above its limit", head_of_size(HEAD + 1), 431),
    refused("head of a megabyte", head_of_size(1_000_000), 431),
    Case("value without end", [get()[:-2] + b"X: " + b"y" * 100_000], [431], CLOSED),
    Case("name without end", [get()[:-2] + b"X" * 100_000], [431], CLOSED),
    Case("spaces before a value without end", [get()[:-2] + b"X:" + b" " * 100_000], [431], CLOSED),
    Case("spaces behind a value without end", [get()[:-2] + b"X: y" + b" " * 100_000], [431], CLOSED),
    Case("spaces before a value, and then it ends", [get("X:" + " " * HEAD + "y")], [431], CLOSED),
    Case("empty lines without end", [b"\r\n" * 50_000], [431], CLOSED),
    Case("method without end", [b"A" * 100_000], [431], CLOSED),
    accepted("trailers up to the limit of fields", trailed(*(f"X-{index}: y" for index in range(FIELDS - 2))), 303),
    refused("trailers one above the limit of fields", trailed(*(f"X-{index}: y" for index in range(FIELDS - 1))), 431),
    Case("trailers without end", [trailed()[:-2] + b"X: y\r\n" * 20_000], [431], CLOSED),
    accepted("trailer of 30 kB", trailed("X: " + "y" * 30_000), 303),
    refused("trailer of 40 kB", trailed("X: " + "y" * 40_000), 431),
    refused("spaces before a trailer's value, 100 kB", trailed("X:" + " " * 100_000 + "y"), 431),
    refused("head and trailer together above the limit",
            post("Transfer-Encoding: chunked", "X: " + "y" * 20_000,
                 body=chunked(b"hello", trailers=["X: " + "y" * 20_000])), 431),
]
