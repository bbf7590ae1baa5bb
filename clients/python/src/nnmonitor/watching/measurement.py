"""Measures one optimizer step: weights and gradients before it, the update after it."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional

import torch

from nnmonitor.watching import distributed
from nnmonitor.watching.guard import Guard
from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.reduction import Reducer
from nnmonitor.watching.numerics.samples import Sampler
from nnmonitor.watching.numerics.spectral import SpectralNorms
from nnmonitor.watching.numerics.transfer import Transfer
from nnmonitor.watching.readers.clipping import ClipDetector, LossScale
from nnmonitor.watching.readers.extras import Extras
from nnmonitor.watching.readers.gradients import GradientReader
from nnmonitor.watching.readers.updates import Updates
from nnmonitor.watching.readers.weights import WeightReader
from nnmonitor.watching.structure import Layer, LayerParameters
from nnmonitor.watching.table import Measured, largest

# Vector name to layer index to values.
Vectors = dict[str, dict[int, list[float]]]
# A clip factor this close to 1 means no clipping.
_UNCLIPPED = 1e-6


@dataclass(frozen=True)
class Selection:
    """What to measure."""

    gradients: bool
    parameters: bool
    activations: bool
    histograms: bool


@dataclass
class StepResult:
    """What one optimizer step measured.

    Attributes:
        layers: by layer index.
        maxima: of the numbers passed to `after`, over ranks; None if the model is not sharded.
    """

    layers: dict[int, Measured]
    vectors: Vectors
    scalars: dict[str, float]
    maxima: Optional[list[float]]


class Measurement:
    """The buffers and vectors that are kept between reports, and the state of the current report."""

    def __init__(self, selection: Selection, guard: Guard) -> None:
        self.clipping = ClipDetector()
        self.transfer = Transfer()
        self.reducer = Reducer(self.transfer)
        self.sampler: Optional[Sampler] = None
        self._selection = selection
        self._guard = guard
        self._spectral = SpectralNorms()
        self._updates: dict[int, Updates] = {}
        self._scale = LossScale()
        self._generator = torch.Generator().manual_seed(1)

    def start(self, groups: list[list[torch.Tensor]]) -> None:
        """Begins a report, before the forward pass.

        Args:
            groups: the parameters of each optimizer, which are sampled to detect clipping.
        """
        if self._selection.gradients:
            on_error = functools.partial(self._guard.failed, "clip factor", "*")
            self._guard.run("clip factor", "*", self.clipping.arm, groups, on_error)
        self.transfer = Transfer()
        self.reducer.begin(self.transfer)
        self.sampler = Sampler(self._generator) if self._selection.histograms else None

    def before(
        self, optimizer: Any, layers: list[Layer], parameters: dict[int, LayerParameters], owned: set[int],
        activations: Any,
    ) -> None:
        """Reads everything that the step is about to change.

        Args:
            layers: those to measure.
            owned: ids of the optimizer's parameters.
            activations: the collector, or None.
        """
        self._optimizer = optimizer
        self._layers = layers
        self._numbers: dict[str, float] = {}
        run = self._guard.run
        samples = self.sampler or Sampler(self._generator)
        updates = self._updates.setdefault(id(optimizer), Updates())
        self._spectral.begin()
        updates.begin()
        self._samples = samples
        self._weights = WeightReader(
            self.transfer, self.reducer, self.sampler, self._spectral, updates, self._guard)
        self._gradients = GradientReader(self.reducer, samples, self._selection.histograms, self._guard)
        scale = self._read_scaler(optimizer)
        for layer in layers:
            if not layer.has_parameters:
                continue
            own = parameters[layer.index]
            if self._selection.parameters:
                run("weights", layer.id, self._weights.read, layer, own, owned)
            if self._selection.gradients:
                run("gradients", layer.id, self._gradients.read, layer, own.primary, owned, scale)
        self._weights.finish()
        run("moments", "*", self.reducer.finish)
        self._factor: Callable[[], Optional[float]] = lambda: None
        if self._selection.gradients:
            self._factor = run("clip factor", "*", self.clipping.compare, owned, self.transfer) or self._factor
        self._extras = Extras()
        if activations is not None:
            self._extras = run("activations", "*", activations.take, layers, self.transfer) or self._extras

    def after(self, maxima: Sequence[float]) -> StepResult:
        """Reads the changes of the step, and transfers all numbers to the host.

        Args:
            maxima: numbers whose maximum over ranks is wanted, where the model is sharded.
        """
        updates = self._weights.measure_updates()
        self._guard.run("percentiles", "*", self._samples.finish, self.transfer, self._selection.histograms)
        self.transfer.run()
        indices = [layer.index for layer in self._layers]
        weights, biases, gradients, outputs = (
            self.reducer.take(kind, indices) for kind in ("weight", "bias", "gradient", "activation"))
        kinds: list[dict[Any, Moments]] = [weights, biases, gradients, updates, outputs]
        tables = [[kind.get(index) for index in indices] for kind in kinds]
        merged: Optional[list[float]] = None
        if self._weights.sharded or self._gradients.sharded:
            merged = distributed.merge_over_ranks(tables, maxima, distributed.collective_device())
        scalars: dict[str, float] = {}
        factor, removed = self._clip_factor()
        if factor is not None:
            scalars["gradient_clip_factor"] = factor
        if self._numbers.get("found_inf", 0.0) > 0.0:
            scalars["optimizer_skipped"] = 1.0
        carried = self._numbers.get("scale")
        found: dict[int, Measured] = {}
        for layer, weight, bias, gradient, update, activation in zip(self._layers, *tables):
            extra = self._extra(layer, factor, carried or removed)
            if not (layer.has_parameters or extra or activation):
                continue
            if gradient is not None and carried:
                gradient = gradient.scaled(1.0 / carried)
            norms = self._weights.spectral_norms.get(layer.index)
            found[layer.index] = Measured(
                weight, bias, gradient, update, activation, largest(norms) if norms else None, factor,
                layer.half_output, extra)
        return StepResult(found, self._vectors(), scalars, merged)

    def _read_scaler(self, optimizer: Any) -> Optional[torch.Tensor]:
        """Requests the loss scaler's numbers. Returns the scale that the gradients carry."""
        scale = self._scale.carried(optimizer)
        for name, value in (("scale", scale), ("found_inf", self._scale.found_inf(optimizer))):
            if value is not None:
                self.transfer.add(value, self._keep_number(name))
        return scale

    def _keep_number(self, name: str) -> Callable[[list[float]], None]:
        def receive(numbers: list[float]) -> None:
            self._numbers[name] = numbers[0]

        return receive

    def _clip_factor(self) -> tuple[Optional[float], Optional[float]]:
        """The clip factor, and the loss scale that a scaler has removed since the backward pass."""
        factor = self._factor()
        removed = None
        if factor is not None and abs(factor - 1.0) > _UNCLIPPED and "scale" not in self._numbers:
            removed = self._guard.run("loss scale", "*", self._scale.removed, self._optimizer)
            factor *= removed or 1.0
        if factor is None or factor > 1.0 + _UNCLIPPED:
            return None, removed
        return (1.0 if factor >= 1.0 - _UNCLIPPED else factor), removed

    def _extra(self, layer: Layer, factor: Optional[float], scale: Optional[float]) -> dict[str, float]:
        extra = {
            name: value for name, value in self._extras.metrics.get(layer.index, {}).items()
            if not (name == "attention_entropy" and math.isnan(value))}
        if layer.has_parameters:
            extra.update(self._gradients.fractions(layer, scale))
        if not self._samples.percentiles and not self._samples.kurtosis:
            return extra
        for kind in ("activation", "gradient", "weight"):
            key = (kind, layer.index)
            clipped = kind == "gradient" and factor is not None and factor > 0.0
            divisor = factor if clipped and factor is not None else 1.0
            for name, value in self._samples.percentiles.get(key, {}).items():
                extra[f"{kind}_{name}"] = value / divisor
            if key in self._samples.kurtosis:
                extra[f"{kind}_kurtosis"] = self._samples.kurtosis[key]
        return extra

    def _vectors(self) -> Vectors:
        vectors: Vectors = {}
        for index, named in self._extras.vectors.items():
            for name, values in named.items():
                vectors.setdefault(name, {})[index] = values
        if self._selection.histograms:
            for (kind, index), counts in self._samples.exponents.items():
                vectors.setdefault(f"{kind}_exponents", {})[index] = counts
        return vectors
