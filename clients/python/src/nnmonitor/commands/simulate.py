"""`nnmonitor simulate`: simulated statistics, for a first look without PyTorch."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field
from typing import Any

from ..recording.run import Run

_KINDS = [("conv1", "Conv2d"), ("norm1", "BatchNorm2d"), ("conv2", "Conv2d"), ("norm2", "BatchNorm2d")]


@dataclass
class Report:
    """The same fields as a report of `watch`."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, list[Any]] = field(default_factory=dict)
    vectors: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    scalars: dict[str, float] = field(default_factory=dict)


def layer(depth: int, layers: int) -> dict[str, Any]:
    """Name, type and shape of a layer: blocks of four, and a linear head."""
    width = 32 * 2 ** min(4, depth // 8)
    if depth == layers - 1:
        name, kind, group = "head.fc", "Linear", "head"
    else:
        part, kind = _KINDS[depth % len(_KINDS)]
        group = f"block{depth // len(_KINDS)}"
        name = f"{group}.{part}"
    size = max(1, 32 >> depth // 16)
    shape = [64, width] if kind == "Linear" else [64, width, size, size]
    return {"id": name, "type": kind, "depth": depth, "shape": shape, "parameters": width * width, "group": group}


def report(step: int, layers: int, chance: random.Random) -> Report:
    """The layers' statistics at a step: they settle during training, and the gradient shrinks with depth."""

    def noise(scale: float) -> float:
        return math.exp(chance.gauss(0, scale))

    made = Report()
    settled = 1 - math.exp(-step / 150)
    for depth in range(layers):
        made.layers.append(layer(depth, layers))
        width = math.sqrt(made.layers[-1]["parameters"])
        gradient = 0.8 * math.exp(-step / 400) * 0.97 ** (layers - depth) * noise(0.2) + 1e-4 * chance.random()
        weight_std = (0.05 + 0.03 * settled) * noise(0.01)
        frobenius = weight_std * width
        values = {
            "activation_std": (0.9 + 0.3 * math.sin(depth / 3 + step / 90)) * noise(0.03),
            "activation_mean": chance.gauss(0.1 * settled, 0.02),
            "dead_fraction": 0.1 * settled * noise(0.1),
            "gradient_l2_norm": gradient,
            "gradient_std": gradient / width,
            "gradient_max_abs": gradient / width * (3 + chance.random()),
            "weight_std": weight_std,
            "weight_mean": chance.gauss(0, 0.002),
            "weight_frobenius_norm": frobenius,
            "weight_spectral_norm": frobenius * (0.2 + 0.1 * settled) * noise(0.01),
            "update_ratio": 1e-3 * math.exp(-step / 800) * noise(0.1),
        }
        for name, value in values.items():
            made.metrics.setdefault(name, []).append(value)
    return made


def simulate(run: Run, steps: int, interval: float, layers: int, seed: int | None) -> None:
    """Logs so many steps into the run, one every `interval` seconds."""
    chance = random.Random(seed)
    begin = time.monotonic()
    for step in range(steps):
        made = report(step, layers, chance)
        run._report(0, made)
        loss = 2.3 * math.exp(-step / 200) + 0.1 + abs(chance.gauss(0, 0.02))
        rate = 1e-3 * min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / max(1, steps)))
        norm = math.sqrt(sum(value * value for value in made.metrics["gradient_l2_norm"]))
        run.log({"train/loss": loss, "lr": rate, "grad_norm": norm}, step=step)
        # Each step at its own time, so that a slow one does not shift those after it.
        time.sleep(max(0.0, begin + (step + 1) * interval - time.monotonic()))
