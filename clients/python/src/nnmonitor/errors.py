"""Errors of the client. None of them reaches a training loop unless `init(strict=True)`."""

from __future__ import annotations


class NNMonitorError(Exception):
    """An error of the client. The message contains the cause and the remedy."""


class SettingError(NNMonitorError):
    """An argument, an environment variable or a file of the client's settings is not usable."""


class DeliveryError(NNMonitorError):
    """The server rejected records, or not all were delivered in time. Raised only with `strict=True`."""
