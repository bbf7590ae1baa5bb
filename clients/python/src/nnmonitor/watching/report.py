"""What one reported optimizer step measured, in the terms of `POST /api/v2/runs/{run}/steps`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class LayerReport:
    """The layers and statistics of one reported step.

    Attributes:
        layers: one object a layer, in the order of the model: `id`, `type`, `depth`, and where known `shape` (of the
            layer's last output), `parameters` (count), `trainable`, `group`.
        metrics: metric name to one value a layer, in the order of `layers`. None if the statistic does not apply to
            the layer. A value may be NaN or infinite: that is what the tensor held.
        vectors: vector name to layer id to values, such as `weight_exponents` (66 counts) or `router_load`.
        scalars: statistics of the whole step: `gradient_clip_factor` (clipped norm over unclipped norm) and
            `optimizer_skipped` (1 where the loss scaler skipped this step).
    """

    layers: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, list[float | None]] = field(default_factory=dict)
    vectors: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    scalars: dict[str, float] = field(default_factory=dict)
