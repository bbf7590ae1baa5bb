"""Count, sums and extremes of a tensor's values: they add up over parts, calls and ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Moments:
    """Sums over values, in double precision.

    Attributes:
        count: number of values.
        total: their sum.
        squares: the sum of their squares.
        low, high: the smallest and largest value; NaN where one is NaN.
        nonfinite: how many are NaN or infinite.
        absolute: the sum of their magnitudes, if requested.
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    nonfinite: int = 0
    absolute: float = 0.0

    def merge(self, other: Moments) -> None:
        """Adds the values of `other`."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.low = _extreme(self.low, other.low, min)
        self.high = _extreme(self.high, other.high, max)
        self.nonfinite += other.nonfinite
        self.absolute += other.absolute

    def scaled(self, factor: float) -> Moments:
        """The moments of the values times `factor`, which is not negative."""
        if factor == 1.0:
            return self
        return Moments(
            self.count, self.total * factor, self.squares * factor * factor, self.low * factor, self.high * factor,
            self.nonfinite, self.absolute * factor)

    @property
    def norm(self) -> float:
        """L2 norm: the square root of the sum of squares."""
        return math.sqrt(self.squares)

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def rms(self) -> float:
        return math.sqrt(self.squares / self.count)

    @property
    def max_abs(self) -> float:
        return _extreme(abs(self.low), abs(self.high), max)

    @property
    def std(self) -> float:
        """Population standard deviation. NaN where a value is not finite."""
        if self.low == self.high and math.isfinite(self.low):
            return 0.0
        mean = self.mean
        variance = self.squares / self.count - mean * mean
        # NaN passes the comparison; `max(0.0, nan)` would return 0.
        return 0.0 if variance < 0.0 else math.sqrt(variance) if variance < math.inf else math.nan


def zeros(count: int) -> Moments:
    """The moments of `count` zeros, which a sparse tensor does not store."""
    return Moments(count, 0.0, 0.0, 0.0, 0.0) if count else Moments()


def _extreme(one: float, other: float, choose: object) -> float:
    if math.isnan(one) or math.isnan(other):
        return math.nan
    return choose(one, other)  # type: ignore[operator,no-any-return]
