"""A logger for Lightning.

    Trainer(logger=NNMonitorLogger(project="gpt"))
"""

from __future__ import annotations

import importlib
from argparse import Namespace
from typing import Any, Optional

import nnmonitor
from nnmonitor.recording.configuration import as_mapping


def _import(name: str) -> Any:
    """A module of `lightning`, or of the older `pytorch_lightning`."""
    try:
        return importlib.import_module(f"lightning.pytorch.{name}")
    except ImportError:
        return importlib.import_module(f"pytorch_lightning.{name}")


_Logger: Any = _import("loggers.logger").Logger
_rank_zero_only: Any = _import("utilities.rank_zero").rank_zero_only


class NNMonitorLogger(_Logger):
    """Receives the metrics that a `LightningModule` logs.

    Args:
        watch: whether `log_graph`, which the `Trainer` calls with the model, reports layer statistics.
        options: arguments of `nnmonitor.init`.
    """

    def __init__(self, watch: bool = True, **options: Any) -> None:
        super().__init__()
        self._watch = watch
        self._options = options
        self._run: Any = None

    @property
    def experiment(self) -> Any:
        """The run; begun at the first use, on rank 0."""
        if self._run is None and _rank_zero_only.rank == 0:
            self._run = nnmonitor.init(**self._options)
        return self._run

    @property
    def name(self) -> Optional[str]:
        """The project."""
        return str(self._options.get("project", "nnmonitor"))

    @property
    def version(self) -> Optional[str]:
        """The run id."""
        return self._run.id if self._run is not None else self._options.get("id")

    @_rank_zero_only
    def log_hyperparams(self, params: Any, *arguments: Any, **more: Any) -> None:
        """Adds hyperparameters to the configuration."""
        self.experiment.config.update(vars(params) if isinstance(params, Namespace) else as_mapping(params))

    @_rank_zero_only
    def log_metrics(self, metrics: Any, step: Optional[int] = None) -> None:
        """Logs scalars at Lightning's step."""
        self.experiment.log({name: value for name, value in metrics.items() if name != "epoch"}, step=step)

    @_rank_zero_only
    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Watches the model."""
        if self._watch:
            self.experiment.watch(model)

    @_rank_zero_only
    def finalize(self, status: str) -> None:
        """Ends the run: `success` as finished, anything else as failed."""
        if self._run is not None:
            self._run.finish(exit_code=0 if status == "success" else 1, reason=None if status == "success" else status)
