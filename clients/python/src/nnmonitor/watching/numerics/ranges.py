"""The ends of the ranges of activation functions, and how many outputs lie there."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Optional

import torch
from torch import nn

# Within this share of the range's width from an end, an output counts as saturated. For tanh that is |x| >= 0.95,
# the value of Glorot and Bengio (2010).
_EDGE = 0.025
_UNIT = {nn.Sigmoid, nn.Hardsigmoid}
_SIGNED = {nn.Tanh, nn.Softsign, nn.LSTM, nn.GRU}


class OutputRange(NamedTuple):
    """The range of a module's outputs.

    Attributes:
        low, high: its ends; infinite where there is none that saturates.
        rectifies: whether a unit whose input is negative gives 0: then 0 for the whole batch means dead.
    """

    low: float
    high: float
    rectifies: bool


def output_range(module: nn.Module) -> Optional[OutputRange]:
    """The range of an activation function or recurrent layer; None for any other module."""
    kind = type(module)
    if kind is nn.ReLU or (kind is nn.Threshold and module.value == 0):
        return OutputRange(-math.inf, math.inf, True)
    if kind is nn.ReLU6:
        return OutputRange(-math.inf, 6.0, True)
    if kind in _UNIT:
        return OutputRange(0.0, 1.0, False)
    if kind in _SIGNED or (kind is nn.RNN and getattr(module, "nonlinearity", "") == "tanh"):
        return OutputRange(-1.0, 1.0, False)
    if kind is nn.Hardtanh:
        hard: Any = module
        return OutputRange(float(hard.min_val), float(hard.max_val), False)
    return None


def count_saturated(outputs: torch.Tensor, limits: OutputRange) -> Optional[torch.Tensor]:
    """How many outputs lie within 2.5 % of the range's width from an end; None if no end saturates."""
    low, high, _ = limits
    if math.isinf(low) and math.isinf(high):
        return None
    edge = _EDGE * (high - low if math.isfinite(low) else high)
    if low == -high:
        return (outputs.abs() >= high - edge).sum()
    saturated = outputs >= high - edge
    if math.isfinite(low):
        saturated = saturated | (outputs <= low + edge)
    return saturated.sum()


def unit_peaks(outputs: torch.Tensor, channel_dimension: int) -> torch.Tensor:
    """The largest output of each unit over the batch and all positions: a unit is a channel or feature."""
    if outputs.dim() > 2 and channel_dimension == 1:
        # Two steps over dense memory are faster than one over strided memory.
        return outputs.flatten(2).amax(2).amax(0)
    return outputs.reshape(-1, outputs.shape[-1] if outputs.dim() else 1).amax(0)
