"""Statistics that only some modules have: dead and saturated units, attention, routing, and the user's functions."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping
from typing import Any, Optional

import torch
from torch import nn

from nnmonitor.watching.numerics.ranges import count_saturated, unit_peaks
from nnmonitor.watching.numerics.transfer import Receiver, Transfer
from nnmonitor.watching.structure import Layer

# Rows of attention weights sum to 1; after dropout they do not, and have no entropy.
_MOST_OFF_ONE = 0.01
# Attributes by which a module may expose tensors of its last forward call.
_WEIGHTS = ("attention_weights", "attn_weights")
_LOGITS = ("attention_logits", "attn_logits")

_Convolutions = (nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm)


class Extras:
    """Collects these statistics over the calls of one report.

    Attributes:
        metrics: layer index to metric name to value; complete after `finish` and the transfer's `run`.
        vectors: layer index to vector name to values.
    """

    def __init__(self) -> None:
        self.metrics: dict[int, dict[str, float]] = {}
        self.vectors: dict[int, dict[str, list[float]]] = {}
        self._values: dict[tuple[int, str], tuple[torch.Tensor, int]] = {}
        self._peaks: dict[int, dict[int, torch.Tensor]] = {}
        self._saturated: dict[int, tuple[torch.Tensor, int]] = {}
        self._producers: dict[int, tuple[Any, Layer]] = {}

    def remember_producer(self, output: torch.Tensor, layer: Layer) -> None:
        """Records which layer produced a tensor: an activation function that reads it counts for that layer."""
        self._producers[id(output)] = (weakref.ref(output), layer)

    def observe(self, layer: Layer, inputs: tuple[Any, ...], output: Any, first: torch.Tensor) -> None:
        """Processes one call of a module. Tensors are reduced at once.

        Args:
            first: the first floating-point tensor of `output`, detached.
        """
        limits = layer.limits
        if limits is not None:
            target = layer if layer.has_parameters else self._producer(inputs) or layer
            saturated = count_saturated(first, limits)
            if saturated is not None:
                total, count = self._saturated.get(target.index, (torch.zeros_like(saturated), 0))
                self._saturated[target.index] = (total + saturated, count + first.numel())
            if limits.rectifies:
                peaks = unit_peaks(first, 1 if _has_channels(target, first) else first.dim() - 1)
                by_size = self._peaks.setdefault(target.index, {})
                known = by_size.get(peaks.numel())
                by_size[peaks.numel()] = peaks if known is None else torch.maximum(known, peaks)
        if "Attention" in layer.type:
            self._observe_attention(layer, output)
        if "router_load" in layer.module.__dict__ or "router_logits" in layer.module.__dict__:
            self._observe_router(layer)
        if layer.function is not None:
            with torch.no_grad():
                found = layer.function(layer.module, inputs, output)
            for name, value in found.items():
                self._add(layer.index, name, torch.as_tensor(value))

    def finish(self, transfer: Transfer) -> None:
        self._finish_dead(transfer)
        for index, (saturated, count) in self._saturated.items():
            transfer.add(saturated.double() / count, _store(self.metrics, index, "saturated_fraction"))
        for (index, name), (value, count) in self._values.items():
            averaged = value.double() if "max" in name else value.double() / count
            transfer.add(averaged, self._receiver(index, name, value.dim() > 0))
        self._producers.clear()

    def _finish_dead(self, transfer: Transfer) -> None:
        """Counts units whose largest output is 0; layers with equally many units together."""
        by_shape: dict[tuple[int, torch.device], list[tuple[int, torch.Tensor]]] = {}
        for index, by_size in self._peaks.items():
            for size, peaks in by_size.items():
                by_shape.setdefault((size, peaks.device), []).append((index, peaks))
        dead: dict[int, tuple[float, int]] = {}
        for (size, _), items in by_shape.items():
            counts = (torch.stack([peaks for _, peaks in items]) == 0).sum(1)

            def receive(numbers: list[float], size: int = size, items: list[Any] = items) -> None:
                for (index, _), count in zip(items, numbers):
                    before, units = dead.get(index, (0.0, 0))
                    dead[index] = before + count, units + size
                    self.metrics.setdefault(index, {})["dead_fraction"] = (before + count) / (units + size)

            transfer.add(counts, receive)

    def _receiver(self, index: int, name: str, is_vector: bool) -> Receiver:
        def receive(numbers: list[float]) -> None:
            if not is_vector:
                self.metrics.setdefault(index, {})[name] = numbers[0]
                return
            self.vectors.setdefault(index, {})[name] = numbers
            if name == "router_load":
                self.metrics.setdefault(index, {})["router_load_cv"] = _variation(numbers)

        return receive

    def _producer(self, inputs: tuple[Any, ...]) -> Optional[Layer]:
        if inputs and isinstance(inputs[0], torch.Tensor):
            reference, layer = self._producers.get(id(inputs[0]), (None, None))
            if reference is not None and reference() is inputs[0]:
                return layer
        return None

    def _add(self, index: int, name: str, value: torch.Tensor) -> None:
        value = value.detach()
        if value.dim() > 1:
            raise ValueError(f"{name} must be a number or one-dimensional, but has the shape {list(value.shape)}")
        known = self._values.get((index, name))
        if known is None:
            self._values[(index, name)] = (value.clone(), 1)
        elif "max" in name:
            self._values[(index, name)] = (torch.maximum(known[0], value), 1)
        else:
            self._values[(index, name)] = (known[0] + value, known[1] + 1)

    def _observe_attention(self, layer: Layer, output: Any) -> None:
        weights = _attribute(layer.module, _WEIGHTS)
        if weights is None and isinstance(output, (tuple, list)):
            # Weights by head: (batch, heads, queries, keys). Averaged over heads they have another entropy.
            tensors = [part for part in output[1:] if isinstance(part, torch.Tensor)]
            weights = next((part for part in tensors if part.dim() == 4), None)
        if weights is not None and weights.is_floating_point():
            self._add(layer.index, "attention_entropy", attention_entropy(weights))
        logits = _attribute(layer.module, _LOGITS)
        if logits is not None:
            self._add(layer.index, "attention_max_logit", logits.detach().amax())

    def _observe_router(self, layer: Layer) -> None:
        load = _attribute(layer.module, ("router_load",))
        logits = _attribute(layer.module, ("router_logits",))
        if logits is not None:
            for name, value in router_statistics(logits).items():
                if name != "router_load" or load is None:
                    self._add(layer.index, name, value)
        if load is not None:
            self._add(layer.index, "router_load", load)


def attention_entropy(weights: torch.Tensor) -> torch.Tensor:
    """Mean entropy in nats of attention weights (..., keys), over all heads and positions; 0-d.

    NaN where rows do not sum to 1 (dropout): such a mean is left out of the report.
    """
    double = weights.detach().double()
    entropy = torch.special.entr(double).sum(-1).mean()
    off = (double.sum(-1) - 1.0).abs().mean()
    return torch.where(off <= _MOST_OFF_ONE, entropy, torch.full_like(entropy, math.nan))


def router_statistics(logits: torch.Tensor) -> Mapping[str, torch.Tensor]:
    """From router logits (..., experts): `router_load`, the share of tokens whose first choice each expert is, and
    `router_entropy`, the mean entropy of the softmax in nats."""
    rows = logits.detach().reshape(-1, logits.shape[-1])
    load = torch.bincount(rows.argmax(-1), minlength=rows.shape[1]).double() / max(1, rows.shape[0])
    return {"router_load": load, "router_entropy": torch.special.entr(rows.double().softmax(-1)).sum(-1).mean()}


def _attribute(module: nn.Module, names: tuple[str, ...]) -> Optional[torch.Tensor]:
    for name in names:
        value = module.__dict__.get(name)
        if isinstance(value, torch.Tensor):
            return value
    return None


def _has_channels(layer: Layer, output: torch.Tensor) -> bool:
    """Whether dimension 1 holds the units: after convolutions and their normalisations, and in images."""
    return output.dim() > 1 and (isinstance(layer.module, _Convolutions) or output.dim() > 3)


def _store(metrics: dict[int, dict[str, float]], index: int, name: str) -> Receiver:
    def receive(numbers: list[float]) -> None:
        metrics.setdefault(index, {})[name] = numbers[0]

    return receive


def _variation(load: list[float]) -> float:
    """Coefficient of variation, with the population deviation."""
    mean = sum(load) / len(load)
    deviation = math.sqrt(sum((share - mean) ** 2 for share in load) / len(load))
    return deviation / mean if mean else math.nan
