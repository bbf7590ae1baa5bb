"""Measures the layers of a PyTorch model while it trains.

`Watcher` is imported on first access, because it needs PyTorch 2.1 or newer and the rest of the package does not. The
subpackage cannot be called `watch`: its import would replace the function `nnmonitor.watch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnmonitor.watching.report import LayerReport

if TYPE_CHECKING:
    from nnmonitor.watching.watcher import Watcher

__all__ = ["LayerReport", "Watcher", "require_torch"]

OLDEST_TORCH = (2, 1)


def require_torch() -> None:
    """Raises `ImportError` that names the needed version where PyTorch is absent or too old for `watch`."""
    needed = ".".join(str(part) for part in OLDEST_TORCH)
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"watch needs PyTorch {needed} or newer: pip install 'torch>={needed}'") from error
    version = str(torch.__version__)
    parts = version.split("+")[0].split(".")
    if tuple(int(part) for part in parts[:2] if part.isdigit()) < OLDEST_TORCH:
        raise ImportError(f"watch needs PyTorch {needed} or newer, and this is {version}. `log` works without it.")


def __getattr__(name: str) -> Any:
    if name != "Watcher":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_torch()
    from nnmonitor.watching.watcher import Watcher

    return Watcher
