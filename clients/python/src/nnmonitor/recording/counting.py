"""Step numbers of logs and reports.

The counter counts optimizer steps if `watch` is used, otherwise calls of `log`. `log(step=s)` sets it to s. A report of
`watch` gets the step of the first `log` between it and the watcher's next optimizer step, or the counter if there is
no such `log`.
"""

from __future__ import annotations

from typing import Any, Optional


class StepCounter:
    """Used under the run's lock."""

    def __init__(self, start: int = 0) -> None:
        #: The step of the next `log` without a step.
        self.value = start
        self.highest: Optional[int] = None
        #: Logs that came for a step below the highest.
        self.dropped = 0
        #: Watcher to the counter of the report that waits for its step, and whether its optimizer step is under way.
        self._reports: dict[int, tuple[int, bool]] = {}

    @property
    def waiting(self) -> bool:
        """Whether a report waits for its step."""
        return bool(self._reports)

    def log(self, step: Any, counts_calls: bool) -> Optional[tuple[int, list[int]]]:
        """A `log`, with its `step` argument.

        Args:
            step: None for the counter.
            counts_calls: the counter moves on after a log without a step.

        Returns:
            Its step and the watchers whose reports it claims; None if its step is below the highest.

        Raises:
            TypeError, ValueError: if the step is none.
        """
        at = self.value if step is None else _whole(step)
        if self.highest is not None and at < self.highest:
            self.dropped += 1
            return None
        claimed = list(self._reports)
        self._reports.clear()
        self.highest = at
        self.value = at + 1 if step is None and counts_calls else at
        return at, claimed

    def report(self, watcher: int, counts: bool) -> int:
        """A report, within the optimizer step that it measured; returns the counter after that step."""
        self._settle(watcher)
        counter = self.value + 1 if counts else self.value
        self._reports[watcher] = (counter, True)
        return counter

    def stepped(self, watcher: int, counts: bool) -> Optional[int]:
        """An optimizer step has ended. Returns the step of an earlier report for which no `log` came."""
        counter, fresh = self._reports.get(watcher, (None, False))
        if counts:
            self.value += 1
        if counter is None:
            return None
        if fresh:
            self._reports[watcher] = (counter, False)
            return None
        self._settle(watcher)
        return counter

    def _settle(self, watcher: int) -> None:
        counter, _ = self._reports.pop(watcher, (None, False))
        if counter is not None:
            self.highest = counter if self.highest is None else max(self.highest, counter)


def _whole(step: Any) -> int:
    if hasattr(step, "__index__"):
        value = int(step.__index__())
    elif isinstance(step, float) and step.is_integer():
        value = int(step)
    else:
        raise TypeError(f"step is {step!r}; it must be an integer")
    if not 0 <= value < 2**63:
        raise ValueError(f"step is {value}; it must be 0 or more and fit 64 bits")
    return value
