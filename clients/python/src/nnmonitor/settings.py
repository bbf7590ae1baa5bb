"""The client's settings: an argument wins over the environment, the environment over the default."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from .delivery.trust import fingerprint_from, token_from
from .errors import SettingError
from .spooling.spool import default_root

DEFAULT_URL = "http://localhost:8000"
DEFAULT_SPOOL_BYTES = 500_000_000
SMALLEST_SPOOL = 1_000_000
LONGEST_RUN_ID = 512

MODES = ("online", "offline", "disabled")


@dataclass
class Settings:
    """Where to send, how to trust, what to keep."""

    url: str
    token: Optional[str]
    ca: Optional[str]
    fingerprint: Optional[str]
    root: Path
    spool_bytes: int
    digits: Optional[int]
    exit_timeout: float
    mode: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"Settings(url={self.url!r}, root={str(self.root)!r}, mode={self.mode!r})"


def environment(name: str) -> Optional[str]:
    """`$NN_MONITOR_NAME`, or None if it is unset or empty."""
    return os.environ.get(f"NN_MONITOR_{name}") or None


def url_from(argument: Optional[str]) -> str:
    """The server's address."""
    return (argument or environment("URL") or DEFAULT_URL).strip().rstrip("/")


def digits_from(precision: Union[int, str, None]) -> Optional[int]:
    """Significant digits of floats: 6 by default, 1 to 16, or `"full"` for all (None)."""
    value = environment("PRECISION") or 6 if precision is None else precision
    if value == "full":
        return None
    try:
        digits = int(value)
    except (TypeError, ValueError):
        digits = 0
    if not 1 <= digits <= 17:
        raise SettingError(f'precision is {value!r}; it must be 1 to 17 significant digits, or "full"')
    return None if digits == 17 else digits


def bytes_from(argument: Optional[int]) -> int:
    """The bound of one run's spool."""
    text = environment("SPOOL_BYTES") if argument is None else argument
    try:
        size = DEFAULT_SPOOL_BYTES if text is None else int(text)
    except ValueError:
        size = 0
    if size < SMALLEST_SPOOL:
        raise SettingError(f"the spool's bound is {text!r}; it must be at least {SMALLEST_SPOOL} bytes")
    return size


def seconds_from(argument: Optional[float]) -> float:
    """The longest time that the end of the program waits for delivery."""
    text = environment("EXIT_TIMEOUT") if argument is None else argument
    try:
        seconds = 5.0 if text is None else float(text)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise SettingError(f"exit_timeout is {text!r}; it must be a number of seconds from 0 to 86400")
    return seconds


def mode_from(argument: Optional[str]) -> str:
    """`online` sends, `offline` only keeps the spool, `disabled` does nothing."""
    mode = argument or environment("MODE") or "online"
    if mode not in MODES:
        raise SettingError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")
    return mode


def run_id_from(argument: Optional[str], name: Optional[str]) -> str:
    """The run id: the argument, `NN_MONITOR_RUN_ID`, or the name and 8 random characters.

    Raises:
        SettingError: if the server would refuse it.
    """
    chosen = argument or environment("RUN_ID")
    if chosen is None:
        stem = re.sub(r"[\x00-\x1f\x7f-\x9f/]+", "-", name or "run").encode("utf-8", "replace")[:400]
        return f"{stem.decode('utf-8', 'ignore')}-{secrets.token_hex(4)}"
    try:
        size = len(chosen.encode())
    except UnicodeEncodeError:
        size = 0
    if not 1 <= size <= LONGEST_RUN_ID or re.search(r"[\x00-\x1f\x7f-\x9f]", chosen) or chosen in (".", ".."):
        raise SettingError(
            f"{chosen!r} is not a valid run id: use 1 to {LONGEST_RUN_ID} bytes of UTF-8 without control characters, "
            'not "." or ".." (id= or NN_MONITOR_RUN_ID)'
        )
    return chosen


def settings_from(
    url: Optional[str] = None, token: Optional[str] = None, token_file: Optional[str] = None, ca: Optional[str] = None,
    fingerprint: Optional[str] = None, dir: Union[str, os.PathLike[str], None] = None,
    spool_bytes: Optional[int] = None, precision: Union[int, str, None] = None, exit_timeout: Optional[float] = None,
    mode: Optional[str] = None,
) -> Settings:
    """Reads all settings.

    Raises:
        SettingError: for the first one that is not usable.
    """
    return Settings(
        url=url_from(url),
        token=token_from(token, token_file),
        ca=ca or environment("CA"),
        fingerprint=fingerprint_from(fingerprint or environment("FINGERPRINT")),
        root=Path(dir) if dir else default_root(),
        spool_bytes=bytes_from(spool_bytes),
        digits=digits_from(precision),
        exit_timeout=seconds_from(exit_timeout),
        mode=mode_from(mode),
    )
