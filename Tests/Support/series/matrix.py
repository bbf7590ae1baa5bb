"""Reads the binary form of a matrix."""

import json
import struct

TYPE = "application/vnd.nnmonitor.matrix"
MISSING, NOT_FINITE = 0x7FC00000, 0x7FC00001


def parse(body: bytes) -> tuple[dict, list[list[list[int]]]]:
    """The head, and the bits of the numbers: one list for each part, in it one for each layer."""
    (length,) = struct.unpack_from("<I", body)
    text = body[4:4 + length]
    assert (4 + length) % 8 == 0 and text.startswith(b"{") and text.rstrip(b" ").endswith(b"}")
    head = json.loads(text)
    assert list(head) == ["metric", "agg", "layers", "steps", "last_steps", "resolution", "last_seq", "dtype", "shape"]
    assert head["dtype"] == "<f4"
    parts, layers, buckets = head["shape"]
    assert (parts, layers, buckets) == (len(head["agg"]), len(head["layers"]), len(head["steps"]))
    assert len(head["last_steps"]) == buckets and len(body) == 4 + length + 4 * parts * layers * buckets
    bits = struct.unpack_from(f"<{parts * layers * buckets}I", body, 4 + length)
    return head, [[list(bits[(part * layers + layer) * buckets:][:buckets]) for layer in range(layers)]
                  for part in range(parts)]


def bits(value) -> int:
    """The bits of a value of the JSON form."""
    if value is None:
        return MISSING
    if value == "NaN":
        return NOT_FINITE
    if isinstance(value, str):
        return 0x7F800000 if value == "Infinity" else 0xFF800000
    try:
        return struct.unpack("<I", struct.pack("<f", value))[0]
    except OverflowError:
        return 0x7F800000 if value > 0 else 0xFF800000
