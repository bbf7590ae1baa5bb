"""Which optimizer steps belong together: with several optimizers (a GAN), one step of each is a round."""

from __future__ import annotations

from typing import Optional


class Rounds:
    """Groups optimizer steps. A round ends when each optimizer of the round before has stepped, or one steps again.

    The set of optimizers is learned from the first round, in which every step may be the last: `leave` returns True
    for each.
    """

    def __init__(self) -> None:
        self._stepped: set[int] = set()
        self._expected: Optional[set[int]] = None
        self._open = False
        self._counted = False
        self._ended = False

    def enter(self, optimizer: int) -> bool:
        """An optimizer begins a step. Returns whether a new round begins with it."""
        if self._open and optimizer not in self._stepped:
            self._stepped.add(optimizer)
            return False
        if self._open:
            self._expected = self._stepped
        self._stepped = {optimizer}
        self._open = True
        self._counted = self._ended = False
        return True

    def unfinished(self, optimizer: int) -> bool:
        """Whether `enter` with this optimizer would end a round that `leave` has not ended."""
        return self._open and not self._ended and optimizer in self._stepped

    def leave(self) -> bool:
        """An optimizer ended its step. Returns whether the round's report is complete."""
        if self._expected is None:
            self._ended = True
            return True
        if self._expected <= self._stepped:
            self._expected = self._stepped
            self._open = False
            self._ended = True
            return True
        return False

    def count(self) -> bool:
        """True once per round."""
        counted, self._counted = self._counted, True
        return not counted

    @property
    def first_in_round(self) -> bool:
        return len(self._stepped) == 1
