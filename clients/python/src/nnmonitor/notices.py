"""Messages to the person who trains: one logger, each warning once.

The logger is `nnmonitor` of Python's `logging`. Where the program configured no logging, its lines go to standard
error, so that the run id and a refusal are seen without any setup.
"""

from __future__ import annotations

import logging
import sys

LOGGER = logging.getLogger("nnmonitor")


#: How the keys of warnings about delivery begin. Any number of warnings about single values must not keep them away.
_ALWAYS = ("unreachable", "refusal", "disk", "lower step", "sender")


class _Fallback(logging.Handler):
    """Writes to standard error unless the program's own logging receives the record."""

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers or len(LOGGER.handlers) > 1:
            return
        try:
            print(f"nnmonitor: {record.getMessage()}", file=sys.stderr, flush=True)
        except Exception:
            pass  # A closed standard error must not reach training.


if not LOGGER.handlers:
    LOGGER.addHandler(_Fallback())
    if LOGGER.level == logging.NOTSET:
        LOGGER.setLevel(logging.INFO)


class Notices:
    """Warnings of one run; each distinct key is logged once.

    At most `limit` keys are remembered, those of delivery apart, so that a warning with a changing text cannot fill
    memory or the log.
    """

    def __init__(self, limit: int = 200) -> None:
        self._seen: set[str] = set()
        self._limit = limit

    def info(self, text: str) -> None:
        """Logs a line at level INFO."""
        LOGGER.info("%s", text)

    def once(self, text: str, key: str | None = None) -> bool:
        """Logs a warning unless its key (default: the text) was logged before. Returns whether it was logged."""
        key = text if key is None else key
        # Without a lock, which a signal handler could find taken: at worst a line is logged twice.
        if key in self._seen or (len(self._seen) >= self._limit and not key.startswith(_ALWAYS)):
            return False
        self._seen.add(key)
        LOGGER.warning("%s", text)
        return True

    def forget(self, key: str) -> bool:
        """Lets warnings be logged again whose key begins with this one: the condition ended and may come back.

        Returns whether one had been logged.
        """
        known = {seen for seen in set(self._seen) if seen.startswith(key)}
        self._seen -= known
        return bool(known)
