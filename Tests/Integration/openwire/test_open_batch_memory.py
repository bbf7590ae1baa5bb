"""What a large batch takes while it is decompressed and stored.

All lines have the same step, so that none stays in the buckets of steps that are no longer kept.
"""

import gzip
import random

import pytest
from Support.clients.openwire import accept_lines, accept_steps
from Support.servers.allocations import allocating_at_most

LINES = 1500


def numbers() -> str:
    """Steps that shrink to less than half: numbers with all their digits."""
    chosen = random.Random(1)
    return "".join('{"step":1,"scalars":{%s}}\n' % ",".join(
        f'"s{name}":{chosen.gauss(0, 1)!r}' for name in range(400)) for _ in range(LINES))


def digits() -> str:
    """Steps with a text that shrinks to little more than half."""
    chosen = random.Random(2)
    return "".join('{"step":1,"x":"%s"}\n' % chosen.randbytes(5000).hex() for _ in range(LINES))


def repeated() -> str:
    """Steps that shrink to a thousandth."""
    return ('{"step":1,"x":"%s"}\n' % ("y" * 10_000)) * LINES


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("text", [numbers, digits, repeated])
def test_a_batch_takes_little_more_than_its_text(start_server, text, compress):
    own = start_server("--max-steps-per-run", 10, counted=True)
    accept_steps(own, "r", {"step": 0})
    lines = text().encode()
    body, headers = (gzip.compress(lines), {"Content-Encoding": "gzip"}) if compress else (lines, {})
    with allocating_at_most(own, len(lines) * 5 // 4 + 1_500_000):
        assert accept_lines(own, "r", body, headers)["accepted"] == LINES
