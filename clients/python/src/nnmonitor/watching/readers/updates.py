"""The norm of the change of an optimizer step: a copy before the step, and the difference after it."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import NamedTuple

import torch

from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.pieces import LEAST_SQUARE, MOST_SQUARES, Pieces, row_length
from nnmonitor.watching.numerics.reduction import SMALL
from nnmonitor.watching.numerics.scratch import Scratch
from nnmonitor.watching.numerics.tensors import flat
from nnmonitor.watching.numerics.transfer import Receiver, Transfer


class _Kept(NamedTuple):
    """A weight, flat, and its copy, which `measure` changes to the difference."""

    key: Hashable
    weight: torch.Tensor
    copy: torch.Tensor


class _Difference(NamedTuple):
    """A difference, whose norms in so many rows the pieces have."""

    key: Hashable
    values: torch.Tensor
    rows: int


class Updates:
    """Keeps copies of weights over one optimizer step. The buffers, as large as the weights, are kept for
    the next report.

    Small weights are joined, in order of row length, so that a few operations serve all of them.
    """

    def __init__(self) -> None:
        self._small: list[tuple[int, int, Hashable, torch.Tensor]] = []
        self._large: list[_Kept] = []
        self._buffers: list[torch.Tensor] = []
        self._joined: list[torch.Tensor] = []
        self._scratch = Scratch()
        self._pieces = Pieces()

    def begin(self) -> None:
        """Begins a report."""
        self._small, self._large, self._joined = [], [], []
        self._pieces.clear()

    def keep(self, key: Hashable, weight: torch.Tensor) -> None:
        """Copies a local tensor of a measured dtype that is part of no graph, a large one at once and a small one in
        `complete`."""
        values = flat(weight)
        count = values.numel()
        if count <= SMALL:
            self._small.append((row_length(count), count, key, values))
            return
        position = len(self._large)
        # The difference of two half-precision numbers is taken in single precision.
        dtype = torch.float64 if values.dtype == torch.float64 else torch.float32
        buffer = self._buffers[position] if position < len(self._buffers) else None
        if buffer is None or count != buffer.numel() or values.device != buffer.device or dtype != buffer.dtype:
            buffer = torch.empty(count, dtype=dtype, device=values.device)
            self._buffers[position:position + 1] = [buffer]
        buffer.copy_(values)
        self._large.append(_Kept(key, values, buffer))

    def complete(self) -> None:
        """Copies the small tensors."""
        self._small.sort(key=lambda item: item[:2])
        del self._buffers[len(self._large):]
        if self._small:
            self._joined = [self._join("kept")]

    def measure(self, transfer: Transfer) -> dict[Hashable, Moments]:
        """The changes since `keep`: moments with squares and count alone, complete after `transfer.run`."""
        results: dict[Hashable, Moments] = {}
        differences: list[_Difference] = []
        # The last ones first: the optimizer's step has left them in the processor's cache.
        for key, values, buffer in reversed(self._large):
            torch.sub(buffer, values, out=buffer)
            self._add(results, [key], buffer.unsqueeze(0), differences, transfer)
        for joined in self._joined:
            joined.sub_(self._join("now"))
            begin = 0
            for (_, count), group in itertools.groupby(self._small, key=lambda item: item[:2]):
                keys = [key for _, _, key, _ in group]
                end = begin + count * len(keys)
                self._add(results, keys, joined[begin:end].view(-1, count), differences, transfer)
                begin = end
        self._add_up(differences, results)
        self.begin()
        return results

    def _add(
        self, results: dict[Hashable, Moments], keys: list[Hashable], block: torch.Tensor,
        differences: list[_Difference], transfer: Transfer,
    ) -> None:
        """Measures differences of one size (tensors, values), on a CPU in rows that `_add_up` adds up."""
        count = block.shape[1]
        for key in keys:
            results.setdefault(key, Moments(low=0.0, high=0.0)).count += count
        row = row_length(count)
        if not block.is_cpu or block.dtype == torch.float64 or count % row != 0:
            transfer.add(_norms(block), _receiver(results, keys))
            return
        self._pieces.reduce_norms(block.view(-1, row))
        differences += [_Difference(key, values, count // row) for key, values in zip(keys, block.unbind(0))]

    def _add_up(self, differences: list[_Difference], results: dict[Hashable, Moments]) -> None:
        if not differences:
            return
        found = self._pieces.collect_squares([difference.rows for difference in differences])
        for (key, values, _), squares in zip(differences, found):
            if not LEAST_SQUARE * values.numel() < squares < MOST_SQUARES:
                squares = _norms(values.unsqueeze(0)).item() ** 2
            results[key].squares += squares

    def _join(self, purpose: str) -> torch.Tensor:
        """The small weights as they are now, valid until the next call with this purpose."""
        parts = [values for _, _, _, values in self._small]
        if len({part.device for part in parts}) > 1:
            parts = [part.to(parts[0].device) for part in parts]
        double = any(part.dtype == torch.float64 for part in parts)
        return self._scratch.join(purpose, parts, torch.float64 if double else torch.float32)


def _norms(block: torch.Tensor) -> torch.Tensor:
    norms: torch.Tensor = torch.linalg.vector_norm(block, dim=1, dtype=torch.float64)
    return norms


def _receiver(results: dict[Hashable, Moments], keys: list[Hashable]) -> Receiver:
    def receive(norms: list[float]) -> None:
        for key, norm in zip(keys, norms):
            results[key].squares += norm * norm

    return receive
