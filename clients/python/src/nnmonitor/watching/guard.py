"""Keeps errors of measuring out of training."""

from __future__ import annotations

from typing import Any, Callable, Optional


class Guard:
    """Runs measurements. An error disables that statistic of that layer, with one warning.

    Args:
        warn: called with a sentence.
        strict: raise instead.
    """

    def __init__(self, warn: Callable[[str], None], strict: bool) -> None:
        self._warn = warn
        self._strict = strict
        self._warned: set[str] = set()
        self._disabled: set[tuple[str, str]] = set()

    def warn(self, text: str) -> None:
        """Passes each text once."""
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)

    def enabled(self, statistic: str, layer: str) -> bool:
        return (statistic, layer) not in self._disabled

    def skip(self, statistic: str, layer: str, reason: str) -> None:
        """Disables a statistic that cannot be measured."""
        self._disabled.add((statistic, layer))
        self.warn(f"watch: no {statistic} of layer {layer!r}: {reason}")

    def failed(self, statistic: str, layer: str, error: Exception) -> None:
        """Call in an `except` block: disables the statistic, or raises if strict."""
        if self._strict:
            raise error
        self.skip(statistic, layer, f"{type(error).__name__}: {error}")

    def run(self, statistic: str, layer: str, function: Callable[..., Any], *arguments: Any) -> Optional[Any]:
        """The function's result, or None if it is disabled or fails."""
        if not self.enabled(statistic, layer):
            return None
        try:
            return function(*arguments)
        except Exception as error:  # A measurement must never end training.
            self.failed(statistic, layer, error)
            return None
