"""Weights and biases before the optimizer's step, and their changes."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import nn

from nnmonitor.watching import distributed
from nnmonitor.watching.guard import Guard
from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.reduction import Reducer
from nnmonitor.watching.numerics.samples import Sampler
from nnmonitor.watching.numerics.spectral import SpectralNorms, as_matrix
from nnmonitor.watching.numerics.tensors import unusable
from nnmonitor.watching.numerics.transfer import Transfer
from nnmonitor.watching.readers.updates import Updates
from nnmonitor.watching.structure import Layer, LayerParameters


class WeightReader:
    """Reads the parameters of layers before one optimizer step.

    Args:
        reducer: receives weights and biases, with the keys ("weight", layer index) and ("bias", layer index).
        sampler: receives samples of weights; None for no percentiles.
        spectral, updates: their state is kept between reports.

    Attributes:
        sharded: whether one of them was a shard.
    """

    def __init__(
        self, transfer: Transfer, reducer: Reducer, sampler: Optional[Sampler], spectral: SpectralNorms,
        updates: Updates, guard: Guard,
    ) -> None:
        self.sharded = False
        self.spectral_norms: dict[int, list[float]] = {}
        self._transfer = transfer
        self._reducer = reducer
        self._sampler = sampler
        self._spectral = spectral
        self._updates = updates
        self._guard = guard
        self._matrices: list[tuple[Any, torch.Tensor]] = []

    def read(self, layer: Layer, parameters: LayerParameters, owned: set[int]) -> None:
        """Adds the parameters of a layer. Those in `owned` (ids) are about to change."""
        locals_of_weights: list[torch.Tensor] = []
        for position, parameter in enumerate(parameters.weights):
            local = self._usable(layer, parameter)
            if local is None:
                continue
            self._reducer.add(("weight", layer.index), local)
            locals_of_weights.append(local)
            # All that reads a large tensor comes together, while its values are in the processor's cache.
            if local.dim() > 1 and not distributed.is_sharded(parameter):
                self._add_matrix((layer.index, position), as_matrix(local, layer.transposed))
            if id(parameter) in owned:
                self._guard.run("updates", "*", self._updates.keep, layer.index, local)
        for parameter in parameters.biases:
            local = self._usable(layer, parameter)
            if local is None:
                continue
            self._reducer.add(("bias", layer.index), local, absolute=True)
            if id(parameter) in owned and not parameters.weights:
                self._guard.run("updates", "*", self._updates.keep, layer.index, local)
        if self._sampler is not None and locals_of_weights:
            self._sampler.add(("weight", layer.index), locals_of_weights)

    def finish(self) -> None:
        """Reduces matrices, and completes the copies of the weights before the step changes them."""
        self._guard.run("spectral norms", "*", self._measure_spectral)
        self._guard.run("updates", "*", self._updates.complete)

    def measure_updates(self) -> dict[Any, Moments]:
        """After the optimizer's step: layer index to the moments of the change."""
        return self._guard.run("updates", "*", self._updates.measure, self._transfer) or {}

    def _usable(self, layer: Layer, parameter: torch.Tensor) -> Optional[torch.Tensor]:
        if type(parameter) is nn.Parameter and unusable(parameter) is None and parameter.numel():
            return parameter.detach()
        self.sharded = self.sharded or distributed.is_sharded(parameter)
        local = distributed.local_part(parameter)
        if local is None or local.numel() == 0:
            return None
        reason = unusable(local)
        if reason is not None:
            self._guard.skip("weights", layer.id, reason)
            return None
        return local.detach()

    def _add_matrix(self, key: tuple[int, int], matrix: torch.Tensor) -> None:
        norm = self._guard.run("spectral norms", "*", self._spectral.measure_at_once, key, matrix)
        if norm is None:
            self._matrices.append((key, matrix))
        else:
            self.spectral_norms.setdefault(key[0], []).append(norm)

    def _measure_spectral(self) -> None:
        for key, value in self._spectral.measure(self._matrices).items():
            self.spectral_norms.setdefault(key[0], []).append(value)  # type: ignore[index]
