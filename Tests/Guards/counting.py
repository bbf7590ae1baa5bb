"""Counts that come out the same on a busy machine: allocations, bytes in use, instructions."""

import json
import random
import re
import subprocess

from simulate import payload
from Support.wire.open_form import open_form

# What a budget may be exceeded by: compilers, libraries and processors differ a little.
SLACK = 1.1


def step(run: str, number: int, layers: int, seed: int = 1) -> bytes:
    """A step as examples/simulate.py posts it, the same each time."""
    made = payload(run, number, layers, random.Random(seed))
    made["metadata"]["timestamp"] = 1_770_000_000.123456
    return json.dumps(made).encode()


def open_step(number: int, layers: int, seed: int = 1) -> bytes:
    """The same step as `step`, in the open wire."""
    made = payload("", number, layers, random.Random(seed))
    made["metadata"]["timestamp"] = 1_770_000_000.123456
    return json.dumps(open_form(made), separators=(",", ":")).encode()


def instructions(command: list) -> int:
    """Instructions that a program runs, as callgrind counts them."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)], capture_output=True,
        text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def within(budget: float, counted: float, what: str):
    """Fails if the count exceeds the budget and its slack. The message has both and the remedy."""
    print(f"{what}: {counted:.1f} of {budget}")
    assert counted <= budget * SLACK, (
        f"{what}: {counted:.1f}, and the budget is {budget}. If that is worth it, raise the budget in this file and say "
        "why in the commit.")
