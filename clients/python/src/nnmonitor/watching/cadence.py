"""At which steps to report."""

from __future__ import annotations

import statistics
from collections import deque
from typing import Union

# Largest share of training time that reports may take.
_BUDGET = 0.01
_INTERVALS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
# Reports before the interval is chosen. The first of them is not typical: it allocates buffers.
_TRIALS = 3


class Cadence:
    """Reports every N steps, or with `"auto"` every smallest N that keeps the cost of reports at most 1 %.

    Raises:
        ValueError: `every` is neither `"auto"` nor a positive integer.
    """

    def __init__(self, every: Union[int, str]) -> None:
        self.automatic = every == "auto"
        if not self.automatic and (isinstance(every, (str, bool)) or every != int(every) or int(every) < 1):
            raise ValueError(f'every must be "auto" or an integer of at least 1, not {every!r}')
        self.interval = 1 if self.automatic else int(every)
        self._next = 0
        self._reports = 0
        self._costs: deque[float] = deque(maxlen=5)
        self._steps: deque[float] = deque(maxlen=25)

    def due(self, step: int) -> bool:
        return step >= self._next

    def stepped(self, seconds: float) -> None:
        """Takes the duration of a step without the cost of its report."""
        self._steps.append(seconds)

    def reported(self, step: int) -> None:
        """The report of this step is complete; the next is due one interval later."""
        self._reports += 1
        self._next = step + self.interval

    def cost(self, seconds: float) -> None:
        """Takes the cost of a report."""
        if self._reports > 1:
            self._costs.append(seconds)

    def measured(self) -> tuple[float, float]:
        """Typical cost of a report and duration of a step, in seconds; 0 where not known yet."""
        return (
            statistics.median(self._costs) if self._costs else 0.0,
            statistics.median(self._steps) if self._steps else 0.0)

    def choose(self, cost: float, step: float) -> None:
        """Chooses the interval from a report's cost and a step's duration."""
        if not self.automatic or self._reports < _TRIALS or cost <= 0.0 or step <= 0.0:
            return
        last = self._next - self.interval
        self.interval = next(
            (interval for interval in _INTERVALS if cost <= _BUDGET * interval * step), _INTERVALS[-1])
        self._next = last + self.interval
