"""Percentiles, kurtosis and exponent histograms from a sample of a tensor's values.

The sample has one value from each of 4 096 equal parts of the tensor, at a random place. A percentile's rank is off by
0.008 (standard deviation, at the median) and less towards the ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nnmonitor.watching.numerics.tensors import flat
from nnmonitor.watching.numerics.transfer import Receiver, Transfer

SAMPLE = 4_096
PERCENTILES = {"p01": 0.01, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p99": 0.99}
# Counts in an exponent histogram: zeros, 2^-40 to 2^23, not finite.
EXPONENTS = 66
_LOWEST_EXPONENT = -40
_BIAS = 127
# Below this magnitude half precision loses digits, and then the value: its smallest normal number is 2^-14.
_HALF_NORMAL_EXPONENT = -14

Key = tuple[str, int]


class Sampler:
    """Takes samples by (kind, layer index) during a report, and reduces them together at its end."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator
        self._samples: dict[Key, list[torch.Tensor]] = {}
        self._places: dict[tuple[int, int, torch.device], torch.Tensor] = {}
        self.percentiles: dict[Key, dict[str, float]] = {}
        self.kurtosis: dict[Key, float] = {}
        self.exponents: dict[Key, list[float]] = {}

    def add(self, key: Key, tensors: Sequence[torch.Tensor]) -> None:
        """Samples tensors of one layer, each in proportion to its size. Values are copied."""
        total = sum(tensor.numel() for tensor in tensors)
        for tensor in tensors:
            count = tensor.numel()
            values = flat(tensor.detach())
            wanted = count if total <= SAMPLE else max(1, SAMPLE * count // total)
            if wanted < count:
                values = values[self._positions(count, wanted, values.device)]
            if count:
                self._samples.setdefault(key, []).append(values.to(torch.float32, copy=True))

    def finish(self, transfer: Transfer, quantiles: bool) -> None:
        """Reduces the samples. Results are complete after `transfer.run`."""
        by_size: dict[tuple[int, torch.device], list[tuple[Key, torch.Tensor]]] = {}
        for key, parts in self._samples.items():
            sample = parts[0] if len(parts) == 1 else torch.cat(parts)
            if sample.numel() > SAMPLE:
                sample = sample[self._positions(sample.numel(), SAMPLE, sample.device)]
            by_size.setdefault((sample.numel(), sample.device), []).append((key, sample))
        self._samples = {}
        for items in by_size.values():
            keys = [key for key, _ in items]
            block = torch.stack([sample for _, sample in items])
            transfer.add(count_exponents(block), self._receive_exponents(keys))
            if quantiles:
                transfer.add(_quantiles(block), self._receive_quantiles(keys))

    def _positions(self, count: int, wanted: int, device: torch.device) -> torch.Tensor:
        known = self._places.get((count, wanted, device))
        if known is None:
            offsets = torch.rand(wanted, generator=self._generator, dtype=torch.float64)
            known = ((torch.arange(wanted, dtype=torch.float64) + offsets) * (count / wanted)).long()
            known = known.clamp_max_(count - 1).to(device)
            self._places[(count, wanted, device)] = known
        return known

    def _receive_exponents(self, keys: list[Key]) -> Receiver:
        def receive(numbers: list[float]) -> None:
            for row, key in enumerate(keys):
                self.exponents[key] = numbers[row * EXPONENTS:(row + 1) * EXPONENTS]

        return receive

    def _receive_quantiles(self, keys: list[Key]) -> Receiver:
        columns = len(PERCENTILES) + 1

        def receive(numbers: list[float]) -> None:
            for row, key in enumerate(keys):
                *values, kurtosis = numbers[row * columns:(row + 1) * columns]
                self.percentiles[key] = dict(zip(PERCENTILES, values))
                self.kurtosis[key] = kurtosis

        return receive


def count_exponents(block: torch.Tensor) -> torch.Tensor:
    """(k, n) single-precision values to (k, 66) counts. Exponents beyond the ends count in the first and last bin;
    numbers too small for a normal single-precision number count as zeros."""
    rows = block.shape[0]
    biased = (block.contiguous().view(torch.int32) >> 23) & 255
    rowwise = biased + torch.arange(rows, device=block.device, dtype=torch.int32).mul_(256).unsqueeze(1)
    counts = torch.bincount(rowwise.view(-1), minlength=256 * rows).view(rows, 256)
    first = _LOWEST_EXPONENT + _BIAS
    last = first + EXPONENTS - 3
    folded = [
        counts[:, :1], counts[:, 1:first + 1].sum(1, keepdim=True), counts[:, first + 1:last],
        counts[:, last:255].sum(1, keepdim=True), counts[:, 255:]]
    return torch.cat(folded, dim=1)


def zero_fraction(exponents: Sequence[float]) -> float:
    """The share of zeros in an exponent histogram."""
    return exponents[0] / sum(exponents)


def underflow_fraction(exponents: Sequence[float], scale: float) -> float:
    """The share of values that are not 0 and, times `scale`, below the smallest normal number of half precision.

    Args:
        scale: the loss scale, where the histogram is of unscaled values; its exponent is rounded down.
    """
    shift = int(torch.tensor(scale, dtype=torch.float64).log2().floor()) if scale > 0.0 else 0
    end = 1 + _HALF_NORMAL_EXPONENT - shift - _LOWEST_EXPONENT
    return sum(exponents[1:max(1, min(end, EXPONENTS - 1))]) / sum(exponents)


def _quantiles(block: torch.Tensor) -> torch.Tensor:
    """(k, n) to (k, 6): the five percentiles, interpolated linearly, and the kurtosis (3 for a normal distribution)."""
    ordered, _ = block.sort(dim=1)
    last = block.shape[1] - 1
    columns = []
    for quantile in PERCENTILES.values():
        place = quantile * last
        below = int(place)
        above = min(below + 1, last)
        columns.append(torch.lerp(ordered[:, below], ordered[:, above], place - below).double())
    centered = block.double()
    centered -= centered.mean(1, keepdim=True)
    squares = centered.square_()
    columns.append(squares.square().mean(1) / squares.mean(1).square())
    return torch.stack(columns, dim=1)
