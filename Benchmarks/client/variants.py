"""The ways to report a training step that `bench client` compares. Each can be attached, stepped and detached."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import torch
from old_example import LayerStatistics

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients/python/src"))


class Plain:
    """No report."""

    name = "plain"

    def __init__(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.model, self.optimizer = model, optimizer

    def attach(self) -> None:
        pass

    def detach(self) -> None:
        pass

    def step(self, loss: Any) -> None:
        self.optimizer.zero_grad()
        loss(self.model).backward()
        self.optimizer.step()


class Watch(Plain):
    """`nnmonitor.watch`, one report a step, whose record is written to a file as the spool does."""

    name = "watch"
    arguments: ClassVar[dict[str, Any]] = {"log": "all", "every": 1}

    def attach(self) -> None:
        from nnmonitor.watching import Watcher

        self.file = tempfile.TemporaryFile()
        self.reports = 0
        self.watcher = Watcher(
            self.model, self.optimizer, sink=self.write, on_optimizer_step=lambda: None, warn=print, **self.arguments)

    def write(self, report: Any) -> None:
        self.reports += 1
        record = {"layers": report.layers, "metrics": report.metrics, "vectors": report.vectors}
        os.write(self.file.fileno(), json.dumps(record).encode())

    def detach(self) -> None:
        self.watcher.close()
        self.file.close()


class WatchParameters(Watch):
    """Without activations."""

    name = "watch, no activations"
    arguments: ClassVar[dict[str, Any]] = {"log": ("gradients", "parameters"), "every": 1}


class WatchHistograms(Watch):
    """With percentiles and exponent histograms."""

    name = "watch, histograms"
    arguments: ClassVar[dict[str, Any]] = {"log": "all", "every": 1, "histograms": True}


class WatchUnreported(Watch):
    """Attached, but no step that is measured is a reported one."""

    name = "watch, unreported step"
    arguments: ClassVar[dict[str, Any]] = {"log": "all", "every": 1_000_000}


class Wandb(Plain):
    """`wandb.watch(log="all", log_freq=1)` with an offline run."""

    name = "wandb.watch"
    run: Any = None

    def attach(self) -> None:
        import wandb

        if Wandb.run is None:
            os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=tempfile.mkdtemp())
            Wandb.run = wandb.init(project="bench", settings=wandb.Settings(console="off", _disable_stats=True))
        Wandb.run.watch(self.model, log="all", log_freq=1)

    def detach(self) -> None:
        Wandb.run.unwatch(self.model)

    def step(self, loss: Any) -> None:
        super().step(loss)
        Wandb.run.log({"loss": 0.0})


class OldExample(Plain):
    """The hooks and the SVD of the examples before the client."""

    name = "old example"

    def attach(self) -> None:
        self.statistics = LayerStatistics(self.model)
        self.count = 0

    def detach(self) -> None:
        self.statistics.close()

    def step(self, loss: Any) -> None:
        self.optimizer.zero_grad()
        loss(self.model).backward()
        json.dumps(self.statistics.payload(self.count))
        self.count += 1
        self.optimizer.step()


VARIANTS = [Plain, Watch, WatchParameters, WatchHistograms, WatchUnreported, Wandb, OldExample]
