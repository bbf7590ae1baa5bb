"""Errors of the client. None of them reaches a training loop unless `init(strict=True)`."""

from __future__ import annotations


class NNMonitorError(Exception):
    """Something the client cannot do; the message says what is wrong and what to do."""


class SettingError(NNMonitorError):
    """An argument, an environment variable or a file of the client's settings is not usable."""


class DeliveryError(NNMonitorError):
    """The server refuses what the client sends, or not all of it was delivered in time. Raised with `strict=True`."""
