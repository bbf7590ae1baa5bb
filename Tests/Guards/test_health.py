"""Judging the health of layers costs a tenth of a post at most. Counted in instructions, not timed."""

import platform
import re
import subprocess

import pytest
from counting import instructions, open_step, within
from Support.clients.libraries import session
from Support.servers.server import Server, binary

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the budgets are instructions of x86-64")

# Instructions for a layer of twelve metrics, of which eight rules read some, in a step of 50 layers.
BUDGET = 540
# The largest part of a post of 50 layers, without health, that health may cost.
SHARE = 0.1
LAYERS = 50


def lines(layers: int, folder):
    """Steps of the open wire, in turn: healthy values that differ from step to step."""
    file = folder / f"steps-{layers}"
    # CoreBench replaces the number of the step, which has seven digits.
    file.write_bytes(b"".join(open_step(1_000_000, layers, seed) + b"\n" for seed in range(8)))
    return file


def for_each_step(core: str, layers: int, folder) -> float:
    """Instructions to judge a step: what judging adds to making it, and no start and no first steps."""
    file = lines(layers, folder)
    few = max(20, 10_000 // layers)
    counts = {
        (work, times): instructions([core, work, file, "times", few * times])
        for work in ("record", "judge") for times in (1, 2)}
    judged, made = (counts[work, 2] - counts[work, 1] for work in ("judge", "record"))
    return (judged - made) / few


def for_each_post(folder) -> float:
    """Instructions of a post to v2 in the server, with health."""
    # Valgrind cannot read all debug information that Swift writes.
    program = folder / "NNMonitor"
    subprocess.run(["strip", "--strip-debug", "-o", program, binary()], check=True)
    bodies = lines(LAYERS, folder).read_text().splitlines()

    def whole(posts: int) -> int:
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        with Server(["--log-level", "warning", "--threads", 1], None, folder, valgrind, program) as server:
            with session(server) as client:
                for number in range(posts):
                    body = bodies[number % len(bodies)].replace("1000000", str(1_000_000 + number), 1)
                    answer = client.post(
                        server.url + "/api/v2/runs/guard/steps", data=body, headers={"Content-Type": "application/json"})
                    assert answer.status_code == 202, answer.text
        return int(re.search(r"Collected : (\d+)", server.output).group(1))
    return (whole(300) - whole(100)) / 200


def test_judging_a_layer_costs_no_more_instructions_than_its_budget(core, tmp_path):
    within(BUDGET, for_each_step(core, LAYERS, tmp_path) / LAYERS, "instructions to judge a layer")


def test_judging_costs_a_tenth_of_a_post_at_most(core, tmp_path):
    judged, post = for_each_step(core, LAYERS, tmp_path), for_each_post(tmp_path)
    share = judged / (post - judged)
    print(f"judging takes {judged:.0f} instructions, the rest of the post {post - judged:.0f}: {share:.1%}")
    assert share <= SHARE


def test_judging_a_layer_costs_the_same_among_two_thousand(core, tmp_path):
    few, many = (for_each_step(core, layers, tmp_path) / layers for layers in (LAYERS, 2000))
    within(few, many, "instructions to judge a layer of 2000")
