"""Reduces tensors to `Moments` at little cost.

Small tensors are bound by the number of operations: those of one size are reduced together. Large tensors are bound by
memory: on a CPU they are reduced in rows. Rows are reduced in single precision and added in double precision (relative
error of a norm 7e-7 at most), and again in double precision where that is not enough. An accelerator reduces in double
precision at once: reading the memory takes longer than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Callable, Optional

import torch

from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.scratch import Scratch
from nnmonitor.watching.numerics.tensors import flat, rows_by_size
from nnmonitor.watching.numerics.transfer import Transfer

# Up to this size, tensors of one size are reduced together. The sum of a longer row is off by more than 2e-5 norms.
SMALL = 16_384
_ROW = 4_096
# Values held until they are reduced: 16 MiB in single precision.
_MOST_HELD = 4_194_304
# Between these magnitudes, squares of a row neither overflow nor lose digits to underflow in single precision.
_SAFE_LOW, _SAFE_HIGH = 1e-16, 1e17
# The variance is the difference of two sums. Above this ratio of squared mean to variance it loses too many digits.
_MOST_CANCELLATION = 100.0


class Reducer:
    """Adds up the moments of tensors by key. The results are complete after `finish` and the transfer's `run`.

    Args:
        transfer: copies the numbers of tensors on an accelerator to the host.
        scratch: buffers to use again; None for own ones.
        absolute: also add up magnitudes.
        at_once: read results of CPU tensors at once. False treats a CPU as an accelerator, for tests.
    """

    def __init__(
        self, transfer: Transfer, scratch: Optional[Scratch] = None, absolute: bool = False, at_once: bool = True
    ) -> None:
        self.moments: dict[Hashable, Moments] = {}
        self._transfer = transfer
        self.scratch = scratch or Scratch()
        self._absolute = absolute
        self._at_once = at_once
        self._held: dict[torch.device, list[tuple[Hashable, torch.Tensor]]] = {}
        self._held_values = 0

    def add(self, key: Hashable, tensor: torch.Tensor, changes: bool = False) -> None:
        """Adds a strided tensor of a measured dtype.

        Args:
            changes: whether the tensor may be changed before `finish`: a small one is then copied.
        """
        count = tensor.numel()
        if count == 0:
            return
        values = flat(tensor.detach())
        if count > SMALL:
            self._reduce([key], values.unsqueeze(0))
            return
        self._held.setdefault(values.device, []).append((key, values.clone() if changes else values))
        self._held_values += count
        if self._held_values > _MOST_HELD:
            self.finish()

    def take(self, kind: str, indices: Iterable[int]) -> dict[int, Moments]:
        """Removes and returns the moments with the keys (kind, index), by index."""
        found = {index: self.moments.pop((kind, index), None) for index in indices}
        return {index: moments for index, moments in found.items() if moments is not None}

    def add_moments(self, key: Hashable, moments: Moments) -> None:
        """Adds moments that are already known."""
        known = self.moments.get(key)
        if known is not None:
            known.merge(moments)
        elif moments.count:
            self.moments[key] = moments

    def finish(self) -> None:
        """Reduces the held tensors. Numbers of an accelerator arrive with the transfer."""
        held, self._held, self._held_values = self._held, {}, 0
        for items in held.values():
            items.sort(key=lambda item: item[1].numel())
            values = self.scratch.join("reduction", [item[1] for item in items])
            for keys, block in rows_by_size(items, values):
                self._reduce(keys, block)

    def _reduce(self, keys: list[Hashable], block: torch.Tensor) -> None:
        """Reduces each row of a block (rows, values)."""
        if self._at_once and block.device.type == "cpu":
            self._reduce_on_cpu(keys, block)
            return
        size = block.shape[1]
        columns = _columns_in_double(block, self._absolute)

        def receive(numbers: list[float]) -> None:
            width = len(columns)
            for row, key in enumerate(keys):
                self.add_moments(key, _moments(size, numbers[row * width:(row + 1) * width]))

        self._transfer.add(torch.stack(columns, dim=1), receive)

    def _reduce_on_cpu(self, keys: list[Hashable], block: torch.Tensor) -> None:
        size = block.shape[1]
        inexact = list(range(len(keys)))
        if block.dtype != torch.float64:
            # Extremes first: on values whose squares are denormal numbers, single precision is also slow.
            lows, highs = _extremes(block)
            fit = [_fits_single(low, high) for low, high in zip(lows, highs)]
            rows = [row for row in inexact if fit[row]]
            part = block if len(rows) == len(keys) else block[rows]
            numbers = torch.stack(_sums_in_single(part, self._absolute), dim=1).tolist() if rows else []
            inexact = [row for row in inexact if not fit[row]]
            for row, (total, norm, *absolute) in zip(rows, numbers):
                squares, mean = norm * norm, total / size
                if mean * mean > _MOST_CANCELLATION * (squares / size - mean * mean):
                    inexact.append(row)
                    continue
                more = absolute[0] if absolute else 0.0
                self.add_moments(keys[row], Moments(size, total, squares, lows[row], highs[row], 0, more))
        if inexact:
            inexact.sort()  # Their order becomes that of the block's rows.
            part = block if len(inexact) == len(keys) else block[inexact]
            numbers = torch.stack(_columns_in_double(part, self._absolute), dim=1).tolist()
            for row, found in zip(inexact, numbers):
                self.add_moments(keys[row], _moments(size, found))


def norm_in_double(values: torch.Tensor) -> torch.Tensor:
    """The L2 norm of a flat tensor, 0-d, in double precision; fast on a CPU for single precision."""
    norm: torch.Tensor
    if values.device.type == "cpu" and values.dtype != torch.float64:
        norm = _norms_in_rows(values.unsqueeze(0), 2)[0]
        magnitude = float(norm)
        if magnitude > _SAFE_LOW * math.sqrt(values.numel()) and magnitude < _SAFE_HIGH:
            return norm
    norm = torch.linalg.vector_norm(values, dtype=torch.float64)
    return norm


def _moments(size: int, numbers: list[float]) -> Moments:
    """From sum, norm, smallest, largest and count of finite values, and the sum of magnitudes if requested."""
    total, norm, low, high, finite, *absolute = numbers
    return Moments(size, total, norm * norm, low, high, size - int(finite), absolute[0] if absolute else 0.0)


def _fits_single(low: float, high: float) -> bool:
    """Whether squares of the values can be added in single precision."""
    largest = max(abs(low), abs(high))
    return low == high == 0.0 or (_SAFE_LOW < largest < _SAFE_HIGH and low == low and high == high)


def _extremes(block: torch.Tensor) -> tuple[list[float], list[float]]:
    """The smallest and the largest value of each row."""
    low, high = _by_pieces(block, torch.amin), _by_pieces(block, torch.amax)
    extremes: list[list[float]] = torch.stack([low, high]).tolist()
    return extremes[0], extremes[1]


def _by_pieces(block: torch.Tensor, reduce: Callable[..., torch.Tensor]) -> torch.Tensor:
    """A minimum or maximum of each row. `aminmax` takes longer than both."""
    count, size = block.shape
    if size <= SMALL:
        return reduce(block, 1)
    whole = size // _ROW * _ROW
    pieces = reduce(block[:, :whole].view(count, -1, _ROW), 2)
    rest = [block[:, whole:]] if whole < size else []
    return reduce(torch.cat([pieces, *rest], dim=1), 1)


def _sums_in_single(block: torch.Tensor, absolute: bool) -> list[torch.Tensor]:
    """Sum, L2 norm, and L1 norm if requested, of each row."""
    count, size = block.shape
    single, double = torch.float32, torch.float64
    if size <= SMALL:
        columns = [block.sum(1, dtype=single), torch.linalg.vector_norm(block, dim=1, dtype=single)]
        return columns + ([torch.linalg.vector_norm(block, 1, dim=1, dtype=single)] if absolute else [])
    whole = size // _ROW * _ROW
    total = block[:, :whole].view(count, -1, _ROW).sum(2, dtype=single).sum(1, dtype=double)
    if whole < size:
        total = total + block[:, whole:].sum(1, dtype=double)
    return [total, _norms_in_rows(block, 2)] + ([_norms_in_rows(block, 1)] if absolute else [])


def _columns_in_double(block: torch.Tensor, absolute: bool) -> list[torch.Tensor]:
    double = torch.float64
    columns = [
        block.sum(1, dtype=double), torch.linalg.vector_norm(block, dim=1, dtype=double), block.amin(1).to(double),
        block.amax(1).to(double), block.isfinite().sum(1).to(double)]
    if absolute:
        columns.append(torch.linalg.vector_norm(block, 1, dim=1, dtype=double))
    return columns


def _norms_in_rows(block: torch.Tensor, order: int) -> torch.Tensor:
    """The L1 or L2 norm of each row: of pieces in single precision, then of the pieces' norms in double precision."""
    count, size = block.shape
    whole = size // _ROW * _ROW
    pieces = block[:, :whole].view(count, -1, _ROW)
    parts = [torch.linalg.vector_norm(pieces, order, dim=2, dtype=torch.float32)] if whole else []
    if whole < size:
        parts.append(torch.linalg.vector_norm(block[:, whole:], order, dim=1, dtype=torch.float32).unsqueeze(1))
    norms: torch.Tensor = torch.linalg.vector_norm(torch.cat(parts, dim=1), order, dim=1, dtype=torch.float64)
    return norms
