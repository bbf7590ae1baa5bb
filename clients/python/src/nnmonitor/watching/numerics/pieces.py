"""Extremes and sums of rows in single precision, and of tensors that consist of such rows in double precision.

Each row costs one number per statistic. Those of all tensors lie in one table, so that a few operations add them up.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple, Optional

import torch

# The sum of a longer row is off by more than 2e-5 norms.
LONGEST_ROW = 16_384
_ROWS_OF_SMALL = (1_024, 128, 32)
_ROWS_OF_LARGE = (8_192, 4_096, 2_048, 1_024)
_ROWS_OF_ODD = range(8_191, 511, -1)
_STATISTICS = 5
# Places in the table that are kept between reports: a view costs as much as the reduction of a small row.
_MOST_PLACES = 4_096
# From this mean of squares on, underflow of single squares loses no digits; up to this sum, none overflows.
LEAST_SQUARE, MOST_SQUARES = 1e-32, 1e34


class _Columns(NamedTuple):
    """The places of a block of rows in the table."""

    low: torch.Tensor
    high: torch.Tensor
    total: torch.Tensor
    norm: torch.Tensor
    absolute: torch.Tensor


@functools.lru_cache(maxsize=4_096)
def row_length(count: int) -> int:
    """Into rows of what length to divide `count` values: where it can be, a length that other counts share, so that
    one operation reduces tensors of several sizes. A count above `LONGEST_ROW` that has no good divisor leaves a
    rest."""
    if count <= LONGEST_ROW:
        return next((row for row in _ROWS_OF_SMALL if count % row == 0), count)
    return next((row for row in (*_ROWS_OF_LARGE, *_ROWS_OF_ODD) if count % row == 0), _ROWS_OF_LARGE[0])


def norm_of(values: torch.Tensor) -> torch.Tensor:
    """The L2 norm of a flat tensor, 0-d, in double precision."""
    norm: torch.Tensor
    count = values.numel()
    row = row_length(count)
    if values.is_cpu and values.dtype == torch.float32 and count and count % row == 0:
        norms = torch.linalg.vector_norm(values.view(-1, row), dim=1)
        norm = torch.linalg.vector_norm(norms, dtype=torch.float64)
        if LEAST_SQUARE * count < norm.item() ** 2 < MOST_SQUARES:
            return norm
    norm = torch.linalg.vector_norm(values, dtype=torch.float64)
    return norm


class Pieces:
    """The table. Its buffer is kept between reports; `collect` and `collect_squares` empty it."""

    def __init__(self) -> None:
        self._table = torch.empty(_STATISTICS, 1_024)
        self._columns: dict[tuple[int, int], _Columns] = {}
        self._used = 0

    def reduce(self, rows: torch.Tensor, absolute: bool = False) -> _Columns:
        """Reduces the rows of a block (rows, values) on a CPU, not of double precision.

        Args:
            absolute: also add up magnitudes.
        """
        columns = self._append(rows.shape[0])
        if rows.dtype == torch.float32:
            # `aminmax` takes longer than both.
            torch.amin(rows, 1, out=columns.low)
            torch.amax(rows, 1, out=columns.high)
        else:
            columns.low.copy_(rows.amin(1))
            columns.high.copy_(rows.amax(1))
        torch.sum(rows, 1, dtype=torch.float32, out=columns.total)
        torch.linalg.vector_norm(rows, 2, 1, dtype=torch.float32, out=columns.norm)
        if absolute:
            torch.linalg.vector_norm(rows, 1, 1, dtype=torch.float32, out=columns.absolute)
        return columns

    def reduce_norms(self, rows: torch.Tensor) -> None:
        """Only the L2 norms."""
        torch.linalg.vector_norm(rows, 2, 1, dtype=torch.float32, out=self._append(rows.shape[0]).norm)

    def clear(self) -> None:
        """Begins anew."""
        self._used = 0
        # Outputs of ever other sizes have ever other places.
        if len(self._columns) > _MOST_PLACES:
            self._columns.clear()

    def drop(self, rows: int) -> None:
        """Takes back the rows that were reduced last."""
        self._used -= rows

    def collect(self, lengths: Sequence[int]) -> list[list[float]]:
        """The smallest and largest value, sum, sum of squares, and sum of magnitudes of each tensor.

        Args:
            lengths: how many rows each tensor has, in the order in which they were reduced.
        """
        counts = torch.tensor(lengths)
        low, high, total, norm, absolute = self._table[:, :self._used].to(torch.float64)
        numbers = torch.stack([
            torch.segment_reduce(values, reduction, lengths=counts, unsafe=True)
            for values, reduction in (
                (low, "min"), (high, "max"), (total, "sum"), (norm.square_(), "sum"), (absolute, "sum"))])
        self._used = 0
        found: list[list[float]] = numbers.t().tolist()
        return found

    def collect_squares(self, lengths: Sequence[int]) -> list[float]:
        """The sums of squares alone."""
        norms = self._table[3, :self._used].to(torch.float64)
        squares = torch.segment_reduce(norms.square_(), "sum", lengths=torch.tensor(lengths), unsafe=True)
        self._used = 0
        found: list[float] = squares.tolist()
        return found

    def _append(self, rows: int) -> _Columns:
        begin, end = self._used, self._used + rows
        self._used = end
        known: Optional[_Columns] = self._columns.get((begin, end))
        if known is None:
            if end > self._table.shape[1]:
                grown = torch.empty(_STATISTICS, 2 * end)
                grown[:, :begin] = self._table[:, :begin]
                self._table = grown
                self._columns.clear()
            known = self._columns[(begin, end)] = _Columns(*self._table[:, begin:end])
        return known
