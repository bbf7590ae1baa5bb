"""Decoding and encoding cost so many instructions a layer, and no more with more layers. Counted, not timed."""

import platform

import pytest
from counting import instructions, open_step, step, within

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the budgets are instructions of x86-64")

# For each layer of a 50-layer payload.
BUDGETS = {"decode": 7560, "encode": 3780, "lite": 1560, "open": 2850}


def for_each_layer(core: str, work: str, layers: int, folder) -> float:
    """Twice as much of the work, and no more of anything else, so that starting doesn't count."""
    file = folder / f"payload-{layers}"
    file.write_bytes(open_step(0, layers) if work == "open" else step("guard", 0, layers))
    few = max(2, 1000 // layers)
    once, twice = (instructions([core, work, file, "times", few * times]) for times in (1, 2))
    return (twice - once) / few / layers


@pytest.mark.parametrize("work", BUDGETS)
def test_a_layer_costs_no_more_instructions_than_its_budget(core, work, tmp_path):
    within(BUDGETS[work], for_each_layer(core, work, 50, tmp_path), f"instructions to {work} a layer")


@pytest.mark.parametrize("work", BUDGETS)
def test_a_layer_costs_the_same_among_two_thousand(core, work, tmp_path):
    few, many = (for_each_layer(core, work, layers, tmp_path) for layers in (50, 2000))
    within(few, many, f"instructions to {work} a layer of 2000")
