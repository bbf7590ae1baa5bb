"""A watcher whose reports are kept, and a training step for tests."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import nn

from nnmonitor.watching import LayerReport, Watcher


class Watched:
    """Watches a model; strict, unless told otherwise, so that an error of measuring fails the test."""

    def __init__(self, model: nn.Module, optimizer: Any = None, **arguments: Any) -> None:
        self.reports: list[LayerReport] = []
        self.warnings: list[str] = []
        self.steps = 0
        arguments.setdefault("every", 1)
        arguments.setdefault("strict", True)
        self.watcher = Watcher(
            model, optimizer, sink=self.reports.append, on_optimizer_step=self._count, warn=self.warnings.append,
            **arguments)

    def _count(self) -> None:
        self.steps += 1

    @property
    def last(self) -> LayerReport:
        return self.reports[-1]

    def value(self, layer: str, metric: str, report: int = -1) -> float | None:
        """A metric of a layer; None where the layer has none."""
        found = self.reports[report]
        position = [described["id"] for described in found.layers].index(layer)
        return found.metrics[metric][position] if metric in found.metrics else None

    def layer(self, identifier: str) -> dict[str, Any]:
        return next(described for described in self.last.layers if described["id"] == identifier)

    def close(self) -> None:
        self.watcher.close()


def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, loss: Callable[[nn.Module], torch.Tensor]
) -> torch.Tensor:
    """One ordinary training step; returns the loss."""
    optimizer.zero_grad()
    value = loss(model)
    value.backward()
    optimizer.step()
    return value.detach()


def squares(*inputs: Any) -> Callable[[nn.Module], torch.Tensor]:
    """A loss: the mean of the squares of the model's first output tensor."""

    def loss(model: nn.Module) -> torch.Tensor:
        output = model(*inputs)
        while not isinstance(output, torch.Tensor):
            output = next(iter(output.values())) if isinstance(output, dict) else output[0]
        return output.float().square().mean()

    return loss
