"""The tests of `watch` need PyTorch 2.1 or newer; without it they are not collected, and the header says why."""

from __future__ import annotations

from importlib import metadata


def _torch() -> str | None:
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None


_found = _torch()
_is_enough = _found is not None and tuple(int(part) for part in _found.split("+")[0].split(".")[:2]) >= (2, 1)
if not _is_enough:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header() -> str:
    return f"watch: PyTorch {_found}" if _is_enough else f"watch: not tested, PyTorch 2.1 is needed; found {_found}"
