"""Simulated metrics, and a recorded run, with a real server. The client's tests run the examples that train."""

import gzip
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from Support.clients import openwire
from Support.clients.ingest import accept, kept_steps
from Support.payloads import run_id, served
from Support.servers import processes
from Support.servers.server import ROOT, clean_environment


def run_example(name: str, *arguments, cwd: Path, seconds: float) -> subprocess.CompletedProcess:
    return processes.run(
        [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)], cwd=cwd,
        env=clean_environment(None), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)


def assert_done(process: subprocess.CompletedProcess):
    assert process.returncode == 0, process.stdout + process.stderr


def recorded(path: Path) -> list[dict]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def bits(value):
    """Replaces every float with its bits, so that -0.0 differs from 0.0 and comparison is exact."""
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bits(item) for item in value]
    return struct.pack("<d", value) if isinstance(value, float) else value


def floats_like(expected, seen):
    """`seen` with integers converted to floats where a float was posted: 1 and 1.0 are the same number."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        return {key: floats_like(expected.get(key), item) for key, item in seen.items()}
    if isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        return [floats_like(one, other) for one, other in zip(expected, seen)]
    return float(seen) if isinstance(expected, float) and type(seen) is int else seen


@pytest.mark.parametrize("where", ["server", "secure_server"])
@pytest.mark.parametrize("option", ["--gzip", "--no-gzip"])
def test_simulated_metrics_are_accepted(request, tmp_path, where, option):
    chosen = request.getfixturevalue(where)
    run = run_id("simulated")
    arguments = ["--token", chosen.token, "--ca", chosen.ca] if chosen.secure else []
    process = run_example(
        "simulate.py", "--url", chosen.url, *arguments, "--run-id", run, "--steps", 5, "--interval", 0,
        "--layers", 50, option, "--seed", 1, cwd=tmp_path, seconds=60)
    assert_done(process)
    steps = kept_steps(chosen, run)
    assert [step["step"] for step in steps] == list(range(5))
    assert [len(step["layers"]) for step in steps] == [50] * 5


@pytest.mark.parametrize("where", ["server", "secure_server"])
def test_a_simulated_training_posts_all_that_the_open_wire_takes(request, tmp_path, where):
    chosen = request.getfixturevalue(where)
    run = run_id("simulated/open")
    arguments = ["--token", chosen.token, "--ca", chosen.ca] if chosen.secure else []
    process = run_example(
        "simulate.py", "--api", "v2", "--url", chosen.url, *arguments, "--run-id", run, "--steps", 100, "--interval", 0,
        "--layers", 9, "--gzip", "--seed", 1, cwd=tmp_path, seconds=60)
    assert_done(process)
    record = openwire.request(chosen, "GET", openwire.run_path(run)).json()
    assert (record["project"], record["state"], record["tags"]) == ("simulated", "finished", ["simulated"])
    assert record["config"]["layers"] == 9 and record["step_count"] == 100
    assert record["vectors"] == ["router_load"] and {"train/loss", "lr", "grad_norm"} <= set(record["scalars"])
    steps = openwire.read_steps(chosen, run)
    assert [step["step"] for step in steps] == list(range(100))
    assert steps[0]["scalars"]["train/loss"] > 1.5 * steps[-1]["scalars"]["train/loss"]
    assert [step["step"] for step in steps if step["scalars"]["grad_norm"] == "NaN"] == [96]
    places = {layer["id"]: place for place, layer in enumerate(steps[0]["layers"])}
    metrics = steps[0]["metrics"]
    frozen, relu, router = (places["block0/" + part] for part in ("conv", "relu", "moe"))
    assert metrics["weight_std"][frozen] and metrics["gradient_l2_norm"][frozen] is None
    assert not steps[0]["layers"][frozen]["trainable"]
    assert metrics["activation_std"][relu] and metrics["weight_std"][relu] is None
    assert {name for name, column in metrics.items() if column[relu] is not None} == {
        "activation_std", "activation_mean", "dead_fraction"}
    for step in steps:
        loads = step["vectors"]["router_load"]
        assert set(loads) == {"block0/moe", "block1/moe"} and steps[0]["layers"][router]["id"] in loads
        assert all(sum(load) == pytest.approx(1) for load in loads.values())


def test_the_recorded_run_is_accepted_and_kept_number_for_number(server):
    """The recording in Tests/Fixtures contains payloads of a real training in the form of `/api/v1`."""
    run = run_id("recorded")
    recordings = sorted((ROOT / "Tests" / "Fixtures").glob("*.jsonl.gz"))
    assert recordings
    posted = recorded(recordings[0])[:300]
    first = posted[0]["metadata"]["run_id"]
    posted = [item for item in posted if item["metadata"]["run_id"] == first]
    for item in posted:
        item["metadata"]["run_id"] = run
        accept(server, item)
    expected = sorted(map(served, posted), key=lambda step: step["step"])
    seen = kept_steps(server, run)
    assert bits([floats_like(one, other) for one, other in zip(expected, seen)]) == bits(expected)
