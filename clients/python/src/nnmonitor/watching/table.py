"""From moments to the metric names of the wire."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

from nnmonitor.watching.numerics.moments import Moments

Row = dict[str, float]


def _names(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{name}" for name in ("std", "mean", "min", "max", "max_abs"))


_ACTIVATION, _GRADIENT, _WEIGHT = _names("activation"), _names("gradient"), _names("weight")


@dataclass
class Measured:
    """What one optimizer step measured of one layer.

    Attributes:
        gradient: as the optimizer got it, without the loss scale.
        clip_factor: clipped over unclipped norm; None if it is not known.
        parameters: count of values.
    """

    weight: Optional[Moments] = None
    bias: Optional[Moments] = None
    gradient: Optional[Moments] = None
    update: Optional[Moments] = None
    activation: Optional[Moments] = None
    spectral_norm: Optional[float] = None
    clip_factor: Optional[float] = None
    half_activation: bool = False
    extra: Row = field(default_factory=dict)


def row_of(measured: Measured) -> Row:
    """The metrics of one layer. A metric that does not apply is absent."""
    row: Row = {}
    kinds = (measured.weight, measured.bias, measured.gradient, measured.activation)
    counts = [moments.nonfinite for moments in kinds if moments is not None]
    if counts:
        row["nonfinite_count"] = float(sum(counts))
    if measured.activation is not None:
        _add_spread(row, _ACTIVATION, measured.activation)
        row["activation_rms"] = measured.activation.rms
        if measured.half_activation:
            row["overflow_fraction"] = measured.activation.nonfinite / measured.activation.count
    if measured.gradient is not None:
        gradient = measured.gradient
        factor = measured.clip_factor
        if factor is not None and 0.0 < factor < 1.0:
            row["gradient_clipped_l2_norm"] = gradient.norm
            gradient = gradient.scaled(1.0 / factor)
        row["gradient_l2_norm"] = gradient.norm
        _add_spread(row, _GRADIENT, gradient)
    if measured.weight is not None:
        row["weight_frobenius_norm"] = measured.weight.norm
        _add_spread(row, _WEIGHT, measured.weight)
        if measured.spectral_norm is not None:
            row["weight_spectral_norm"] = measured.spectral_norm
    if measured.bias is not None:
        row["bias_std"] = measured.bias.std
        row["bias_mean_abs"] = measured.bias.absolute / measured.bias.count
    if measured.update is not None:
        row["update_l2_norm"] = measured.update.norm
        base = measured.weight or measured.bias
        if base is not None and base.norm != 0.0:
            row["update_ratio"] = measured.update.norm / base.norm
    row.update(measured.extra)
    return row


def _add_spread(row: Row, names: tuple[str, ...], moments: Moments) -> None:
    std, mean, low, high, max_abs = names
    row[std], row[mean], row[low], row[high] = moments.std, moments.mean, moments.low, moments.high
    row[max_abs] = moments.max_abs


def add_cross_layer_ratios(rows: Sequence[Row]) -> None:
    """Adds `cross_layer_std_ratio`: `activation_std` divided by that of the closest earlier layer that has one."""
    before = None
    for row in rows:
        std = row.get("activation_std")
        if std is None:
            continue
        if before is not None and before > 0.0:
            row["cross_layer_std_ratio"] = std / before
        before = std


def largest(values: Sequence[float]) -> float:
    """The maximum; NaN where one is NaN."""
    return math.nan if any(math.isnan(value) for value in values) else max(values)
