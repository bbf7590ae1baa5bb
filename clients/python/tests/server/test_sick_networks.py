"""The sick networks train alike for a seed, and the server takes their recordings."""

import gzip
import json

import pytest

pytest.importorskip("torch", minversion="2.4")
pytest.importorskip("sklearn")


@pytest.fixture
def record(example, tmp_path):
    """Records a network; returns the content of its file and its entry in the index."""

    def recorded(folder, name, seed):
        example("sick_networks.py", name, "--seeds", str(seed), "--record", str(tmp_path / folder), identifier="none")
        index = json.loads((tmp_path / folder / "index.json").read_text())
        return (tmp_path / folder / f"{name}-{seed}.ndjson.gz").read_bytes(), index[f"{name}-{seed}"]

    return recorded


def test_a_recording_depends_on_the_seed_alone(record):
    first, _ = record("a", "nan_weight", 1)
    again, _ = record("b", "nan_weight", 1)
    other, _ = record("a", "nan_weight", 2)
    assert first == again != other


def test_the_server_takes_a_recording(server, record):
    content, entry = record("a", "nan_weight", 1)
    lines = gzip.decompress(content)
    status, _, body = server.request(
        "POST", "/api/v2/runs/recorded/steps", lines, {"Content-Type": "application/x-ndjson"})
    answer = json.loads(body)
    assert (status, answer["accepted"], answer["rejected_count"]) == (202, entry["steps"], 0)
    assert "warnings" not in answer
    steps = server.steps("recorded")
    layers = [layer["id"] for layer in steps[90]["layers"]]
    assert entry["fault"] == 90 and entry["rules"] == ["non_finite"] and entry["layers"] == ["linear2"]
    ill = {
        step: [layer for layer, norm in zip(layers, steps[step]["metrics"]["weight_frobenius_norm"]) if norm == "NaN"]
        for step in (89, 90)}
    assert ill == {89: [], 90: ["linear2"]}


def test_a_sick_network_reports_to_a_server(server, example):
    example("sick_networks.py", "nan_weight", identifier="live")
    steps = server.steps("live")
    assert sorted(steps) == list(range(110)) and steps[109]["scalars"]["train/loss"] == "NaN"
    kept = server.run("live")
    assert (kept["project"], kept["state"], kept["config"]["case"]) == ("sick networks", "finished", "nan_weight")
    assert {"weight_spectral_norm", "update_ratio", "dead_fraction"} <= set(kept["metrics"])
