"""Configurations as JSON, from any object that a program uses for its hyperparameters."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import os
from argparse import Namespace
from collections.abc import Mapping, Sequence, Set
from types import SimpleNamespace
from typing import Any

from ..spooling.values import spelled, within_double

_LONGEST_TEXT = 16_000
_LONGEST_ARRAY = 1_000
_DEEPEST = 16


def plain(value: Any, depth: int = 0) -> Any:
    """A configuration as JSON: mappings, namespaces, dataclasses, OmegaConf, paths, enums, dtypes and others.

    A value without a JSON form becomes its text, at most 16 000 characters long. Never raises.
    """
    try:
        return _plain(value, depth)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _plain(value: Any, depth: int) -> Any:
    if value is None or (isinstance(value, (bool, str)) and not isinstance(value, enum.Enum)):
        return _text(value) if isinstance(value, str) else value
    if isinstance(value, enum.Enum):
        return plain(value.value, depth) if isinstance(value.value, (bool, int, float, str)) else value.name
    if isinstance(value, int):
        return spelled(within_double(int(value)))
    if isinstance(value, float):
        return spelled(float(value))
    if depth >= _DEEPEST:
        return "<nested too deeply>"
    pairs = _pairs(value)
    if pairs is not None:
        return {_text(_name(key)): plain(item, depth + 1) for key, item in pairs}
    if isinstance(value, (Sequence, Set)) and not isinstance(value, (bytes, bytearray, memoryview)):
        items = sorted(value, key=repr) if isinstance(value, Set) else value
        return [plain(item, depth + 1) for item in items]
    if isinstance(value, os.PathLike):
        return _text(os.fsdecode(os.fspath(value)))
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if hasattr(value, "tolist") and hasattr(value, "shape"):
        return _array(value, depth)
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return _text(f"{value.__module__}.{value.__qualname__}")
    return _text(str(value))


def _pairs(value: Any) -> Any:
    """The key-value pairs of anything that is a mapping in spirit, or None."""
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, (Namespace, SimpleNamespace)):
        return vars(value).items()
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    # Named tuples, pydantic 2 and 1, transformers' PretrainedConfig and ml_collections' ConfigDict.
    for name in ("_asdict", "model_dump", "to_dict"):
        method = getattr(value, name, None)
        if callable(method):
            made = method()
            if isinstance(made, Mapping):
                return made.items()
    return None


def _array(value: Any, depth: int) -> Any:
    size = 1
    for length in value.shape:
        size *= int(length)
    if size > _LONGEST_ARRAY:
        return f"<{type(value).__name__} of shape {list(value.shape)}>"
    return plain(value.tolist(), depth + 1)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else str(key)


def _text(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "..."
