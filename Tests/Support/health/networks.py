"""The recorded networks: what is wrong with each, and what the server finds in them."""

import functools
import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path

from Support.clients import openwire, runs
from Support.servers.server import ROOT

FOLDER = ROOT / "Tests" / "Fixtures" / "health"


@dataclass(frozen=True)
class Network:
    """One training, recorded by examples/sick_networks.py.

    Attributes:
        fault: the first step whose report shows the fault; None if the network is healthy.
        rules: the findings of which one must be raised.
        layers: ids, as the server writes them, of which one must be named; empty if the finding is about the run.
        untouched: whether thresholds must not be chosen by it.
    """

    name: str
    case: str
    seed: int
    untouched: bool
    fault: int | None
    rules: tuple[str, ...]
    layers: tuple[str, ...]
    config: tuple

    @property
    def sick(self) -> bool:
        return self.fault is not None

    @functools.cached_property
    def lines(self) -> bytes:
        """The recording, as `POST .../steps` takes it."""
        return gzip.decompress((FOLDER / f"{self.name}.ndjson.gz").read_bytes())

    @functools.cached_property
    def steps(self) -> list[dict]:
        return [json.loads(line) for line in self.lines.splitlines()]

    @property
    def layer_reports(self) -> int:
        """How often a layer was reported with at least one value."""
        return sum(
            any(column[place] is not None for column in step["metrics"].values())
            for step in self.steps for place in range(len(step.get("layers", []))))

    def reports(self, of_layers: bool, first: int, last: int) -> int:
        """Steps from `first` to `last` with layers, or with a finite loss."""
        return sum(
            bool(step.get("layers")) if of_layers else math.isfinite(float(step["scalars"]["train/loss"]))
            for step in self.steps if first <= step["step"] <= last)


@functools.lru_cache(maxsize=1)
def networks(folder: Path = FOLDER) -> tuple[Network, ...]:
    """All recorded networks, by name."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return tuple(
        Network(
            name, entry["case"], entry["seed"], entry["use"] == "untouched", entry["fault"], tuple(entry["rules"]),
            tuple(layer.replace(".", "/") for layer in entry["layers"]), tuple(entry["config"].items()))
        for name, entry in sorted(index.items()))


def post(server, network: Network, run: str, singly: bool = False) -> None:
    """Posts configuration and steps: as one batch, or one request a step."""
    runs.put(server, run, {"config": dict(network.config)}, status=201)
    if singly:
        for line in network.lines.splitlines():
            openwire.accept_steps(server, run, line)
        return
    answer = openwire.accept_lines(server, run, network.lines)
    assert (answer["accepted"], answer["rejected_count"]) == (len(network.steps), 0), answer
    assert "warnings" not in answer, answer


def health(server, run: str) -> dict:
    """The answer of GET .../health with all alerts."""
    response = openwire.request(server, "GET", openwire.run_path(run) + "/health", params={"state": "all"})
    assert response.status_code == 200, response.text[:2000]
    answer = response.json()
    assert answer["forgotten"] == 0, "more alerts than the server keeps: the figures would be wrong"
    return answer
