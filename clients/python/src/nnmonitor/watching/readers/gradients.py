"""Gradients as the optimizer gets them."""

from __future__ import annotations

from typing import Optional

import torch

from nnmonitor.watching import distributed
from nnmonitor.watching.guard import Guard
from nnmonitor.watching.numerics.moments import zeros
from nnmonitor.watching.numerics.reduction import Reducer
from nnmonitor.watching.numerics.samples import Sampler, underflow_fraction, zero_fraction
from nnmonitor.watching.numerics.tensors import unusable
from nnmonitor.watching.structure import Layer


class GradientReader:
    """Reads the gradients of one optimizer's parameters before its step.

    Args:
        reducer: receives the values, with the keys ("gradient", layer index).

    Attributes:
        sharded: whether one of them was a shard.
    """

    def __init__(self, reducer: Reducer, sampler: Sampler, histograms: bool, guard: Guard) -> None:
        self.sharded = False
        self._reducer = reducer
        self._sampler = sampler
        self._histograms = histograms
        self._guard = guard
        self._half: set[int] = set()

    def read(
        self, layer: Layer, parameters: list[torch.Tensor], owned: set[int], scale: Optional[torch.Tensor]
    ) -> None:
        """Adds the gradients of a layer.

        Args:
            owned: ids of the optimizer's parameters; other gradients may be left from an earlier step.
            scale: the loss scale that the gradients carry.
        """
        for parameter in parameters:
            if id(parameter) not in owned or parameter.grad is None:
                continue
            self.sharded = self.sharded or distributed.is_sharded(parameter.grad)
            gradient = distributed.local_part(parameter.grad)
            if gradient is None or gradient.numel() == 0:
                continue
            reason = unusable(gradient)
            if reason is not None:
                self._guard.skip("gradients", layer.id, reason)
                return
            self._add(layer, gradient.detach(), scale)

    def _add(self, layer: Layer, values: torch.Tensor, scale: Optional[torch.Tensor]) -> None:
        if values.layout is torch.sparse_coo:
            stored = values.coalesce().values()
            self._reducer.add_moments(("gradient", layer.index), zeros(values.numel() - stored.numel()))
            values = stored
        self._reducer.add(("gradient", layer.index), values)
        if values.dtype == torch.float16 or scale is not None:
            self._half.add(layer.index)
        if self._histograms or layer.index in self._half:
            divided = values if scale is None else values / scale.to(values.device)
            self._sampler.add(("gradient", layer.index), [divided])

    def fractions(self, layer: Layer, scale: Optional[float]) -> dict[str, float]:
        """`gradient_zero_fraction` and `underflow_fraction`, from the sample.

        Args:
            scale: the loss scale of this step; None if there is none.
        """
        exponents = self._sampler.exponents.get(("gradient", layer.index))
        found: dict[str, float] = {}
        if exponents is not None:
            if self._histograms:
                found["gradient_zero_fraction"] = zero_fraction(exponents)
            if layer.index in self._half or scale is not None:
                found["underflow_fraction"] = underflow_fraction(exponents, scale or 1.0)
        return found
