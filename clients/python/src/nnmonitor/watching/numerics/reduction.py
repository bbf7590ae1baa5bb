"""Reduces tensors to `Moments` at little cost.

Small tensors are bound by the number of operations: they are joined and reduced together. Large tensors are bound by
memory: they are reduced in the call that adds them, while others that read the same tensor find it in the processor's
cache. A CPU reduces rows in single precision and adds rows in double precision (relative error of a norm 7e-7 at most),
and reduces a tensor again in double precision where that is not enough. An accelerator reduces in double precision at
once: reading the memory takes longer than the arithmetic.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable
from typing import NamedTuple

import torch

from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.pieces import LEAST_SQUARE, LONGEST_ROW, MOST_SQUARES, Pieces, row_length
from nnmonitor.watching.numerics.scratch import Scratch
from nnmonitor.watching.numerics.tensors import flat, rows_by_size
from nnmonitor.watching.numerics.transfer import Transfer

# Tensors of at most this many values are reduced together.
SMALL = LONGEST_ROW
# Values held until they are reduced: 16 MiB in single precision.
_MOST_HELD = 4_194_304
# The variance is the difference of two sums. Above this ratio of squared mean to variance it loses too many digits.
_MOST_CANCELLATION = 100.0
_NONE = torch.empty(0)


class _Item(NamedTuple):
    """A flat tensor to reduce. Sorted, tensors of one row length are together, and among them those of one size.

    Attributes:
        order: unequal for two items, so that no comparison reaches what follows.
        values: empty where they are not needed any more: a reference would keep the memory of an output.
    """

    absolute: bool
    row: int
    size: int
    order: int
    key: Hashable
    values: torch.Tensor


class Reducer:
    """Adds up the moments of tensors by key. The results are complete after `finish` and the transfer's `run`.

    Args:
        transfer: copies the numbers of tensors on an accelerator to the host.
        at_once: read results of CPU tensors at once. False treats a CPU as an accelerator, for tests.
    """

    def __init__(self, transfer: Transfer, at_once: bool = True) -> None:
        self._scratch = Scratch()
        self._pieces = Pieces()
        self._at_once = at_once
        # Keys of tensors that single precision was not enough for. It is also slow where squares are denormal numbers.
        self._inexact: set[Hashable] = set()
        self.begin(transfer)

    def begin(self, transfer: Transfer) -> None:
        """Begins a report, without moments. Buffers are kept."""
        self.moments: dict[Hashable, Moments] = {}
        self._transfer = transfer
        # Tensors to join, and tensors whose rows the pieces have.
        self._held: list[_Item] = []
        self._reduced: list[_Item] = []
        self._in_double: dict[torch.device, list[_Item]] = {}
        self._held_values = 0
        self._order = 0
        self._pieces.clear()

    def add(self, key: Hashable, tensor: torch.Tensor, changes: bool = False, absolute: bool = False) -> None:
        """Adds a strided tensor of a measured dtype, which is part of no graph.

        Args:
            changes: whether the tensor may be changed before `finish`: a small one is then copied.
            absolute: also add up magnitudes.
        """
        count = tensor.numel()
        if count == 0:
            return
        row = row_length(count)
        small = count <= SMALL
        values = flat(tensor.clone() if changes and small else tensor)
        self._order += 1
        if not self._at_once or tensor.dtype == torch.float64 or not tensor.is_cpu or key in self._inexact:
            item = _Item(absolute, row, count, self._order, key, values)
            if small:
                self._hold(self._in_double.setdefault(tensor.device, []), item)
            else:
                self._reduce_in_double([item])
        elif small:
            self._hold(self._held, _Item(absolute, row, count, self._order, key, values))
        elif count % row == 0:
            self._reduce_large(_Item(absolute, row, count, self._order, key, values), changes)
        else:
            whole = count // row * row
            self.add(key, values[:whole], changes, absolute)
            self.add(key, values[whole:], changes, absolute)

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
        if self._held:
            self._reduce_together()
        if self._reduced:
            self._add_up()
        in_double, self._in_double, self._held_values = self._in_double, {}, 0
        for items in in_double.values():
            self._reduce_in_double(items)

    def _hold(self, items: list[_Item], item: _Item) -> None:
        items.append(item)
        self._held_values += item.size
        if self._held_values > _MOST_HELD:
            self.finish()

    def _reduce_large(self, item: _Item, changes: bool) -> None:
        columns = self._pieces.reduce(item.values.view(-1, item.row), item.absolute)
        if not changes:
            self._reduced.append(item)
        elif _is_exact(item.size, float(columns.total.sum()), float(torch.dot(columns.norm, columns.norm))) or (
                float(columns.low.amin()) == float(columns.high.amax()) == 0.0):
            self._reduced.append(item._replace(values=_NONE))
        else:
            self._pieces.drop(item.size // item.row)
            self._reduce_in_double([item])

    def _reduce_together(self) -> None:
        """Joins the held tensors, in order of row length, and reduces their rows."""
        held, self._held = self._held, []
        held.sort()
        joined = self._scratch.join("reduction", [item.values for item in held], torch.float32)
        begin = 0
        for (absolute, row), group in itertools.groupby(held, key=lambda item: item[:2]):
            items = list(group)
            end = begin + sum([item.size for item in items])
            self._pieces.reduce(joined[begin:end].view(-1, row), absolute)
            self._reduced += items
            begin = end

    def _add_up(self) -> None:
        """Adds up the rows of each reduced tensor. Those that need it are reduced again in double precision."""
        reduced, self._reduced = self._reduced, []
        numbers = self._pieces.collect([item.size // item.row for item in reduced])
        for item, (low, high, total, squares, absolute) in zip(reduced, numbers):
            if item.values is _NONE or low == high == 0.0 or _is_exact(item.size, total, squares):
                moments = Moments(item.size, total, squares, low, high, 0, absolute if item.absolute else 0.0)
                self.add_moments(item.key, moments)
            else:
                self._in_double.setdefault(item.values.device, []).append(item)

    def _reduce_in_double(self, items: list[_Item]) -> None:
        """Reduces tensors of one device; small ones of one size together."""
        small = sorted([item for item in items if item.size <= SMALL], key=lambda item: item.size)
        blocks = [([item], item.values.unsqueeze(0)) for item in items if item.size > SMALL]
        if small:
            joined = self._scratch.join("double", [item.values for item in small])
            blocks += rows_by_size([(item, item.values) for item in small], joined)
        for block_items, block in blocks:
            absolute = any(item.absolute for item in block_items)
            self._receive_columns(block_items, torch.stack(_columns_in_double(block, absolute), dim=1))

    def _receive_columns(self, items: list[_Item], columns: torch.Tensor) -> None:
        def receive(numbers: list[float]) -> None:
            width = columns.shape[1]
            for row, item in enumerate(items):
                moments = _moments(item.size, numbers[row * width:(row + 1) * width])
                self.add_moments(item.key, moments)
                if moments.low == moments.high == 0.0 or _is_exact(item.size, moments.total, moments.squares):
                    self._inexact.discard(item.key)
                else:
                    self._inexact.add(item.key)

        if self._at_once and columns.is_cpu:
            receive(columns.view(-1).tolist())
        else:
            self._transfer.add(columns, receive)


def _moments(size: int, numbers: list[float]) -> Moments:
    """From sum, norm, smallest, largest and count of finite values, and the sum of magnitudes if requested."""
    total, norm, low, high, finite, *absolute = numbers
    return Moments(size, total, norm * norm, low, high, size - int(finite), absolute[0] if absolute else 0.0)


def _is_exact(count: int, total: float, squares: float) -> bool:
    """Whether sums in single precision are exact enough: False for values whose squares overflow or underflow, and
    where the variance is the difference of two nearly equal numbers. Also False for NaN and for zeros."""
    mean, square = total / count, squares / count
    return square > LEAST_SQUARE and squares < MOST_SQUARES and mean * mean <= _MOST_CANCELLATION * (
        square - mean * mean)


def _columns_in_double(block: torch.Tensor, absolute: bool) -> list[torch.Tensor]:
    double = torch.float64
    columns = [
        block.sum(1, dtype=double), torch.linalg.vector_norm(block, dim=1, dtype=double), block.amin(1).to(double),
        block.amax(1).to(double), block.isfinite().sum(1).to(double)]
    if absolute:
        columns.append(torch.linalg.vector_norm(block, 1, dim=1, dtype=double))
    return columns
