"""Numbers and configurations, as the wire takes them.

Non-finite numbers travel as the strings `NaN`, `Infinity`, `-Infinity`: JSON has no number for them, and orjson would
write `null`. Floats are rounded to six significant digits on request: a float32 has seven, and printed as a double it
takes seventeen.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
import os
from argparse import Namespace
from collections.abc import Mapping, Sequence, Set
from types import SimpleNamespace
from typing import Any, Callable, Optional, Union

#: The largest integer up to which every integer is exact in a double.
EXACT_INTEGER = 2**53

Number = Union[int, float]
#: A number, or the spelling of a number that is not finite.
WireNumber = Union[int, float, str]

_orjson: Any
try:
    import orjson as _orjson
except ImportError:
    _orjson = None


def number(value: Any) -> Number:
    """A Python number from anything that is one: bool, int, float, a numpy or torch scalar, an array of one element.

    Reading a torch tensor on a GPU waits for the device, as `.item()` does.

    Raises:
        TypeError: where it is no single real number.
    """
    kind = type(value)
    if kind is float:
        return float(value)
    if kind is int or kind is bool:
        return _integer(int(value))
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError("it is text")
    item = getattr(value, "item", None)
    if callable(item):
        try:
            value = item()
        except (ValueError, RuntimeError, TypeError) as error:
            raise TypeError(f"it is not a single number ({_shape(value)})") from error
    if isinstance(value, int):
        return _integer(int(value))
    if isinstance(value, float):
        return float(value)
    if isinstance(value, complex) or not hasattr(value, "__float__"):
        raise TypeError(f"it is a {type(value).__name__}")
    return float(value)


def _integer(value: int) -> Number:
    if -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _shape(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {list(shape)}" if shape is not None else "")


def spelled(value: Number) -> WireNumber:
    """The number, or its spelling where it is not finite."""
    if isinstance(value, int) or math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def rounding(digits: Optional[int]) -> Callable[[Any], Any]:
    """A function that rounds a number to so many significant digits (`None`: not at all) and spells it.

    `None` and text pass unchanged: a column may hold nulls, and numbers that are spelled already.
    """
    if digits is None:

        def keep(value: Any) -> Any:
            return spelled(value) if type(value) is float else value

        return keep
    form = f"%.{digits}g"

    def rounded(value: Any) -> Any:
        if type(value) is not float:
            return value
        text = form % value
        try:
            near = float(text)
        except ValueError:  # pragma: no cover - '%g' of a float is always a float
            return value
        # Rounding up can leave the doubles: 1.7976931e308 to six digits is 1.79769e308, but with fewer digits 1.8e308.
        return near if math.isfinite(near) else spelled(value) if not math.isfinite(value) else value

    return rounded


def encode(value: Any) -> bytes:
    """Compact JSON, UTF-8. The value's non-finite numbers have been spelled."""
    if _orjson is not None:
        try:
            return bytes(_orjson.dumps(value))
        except (TypeError, ValueError):
            pass  # Integers beyond 64 bits, lone surrogates: the standard library writes both.
    return json.dumps(value, separators=(",", ":")).encode()


def encode_raw(value: Any) -> bytes:
    """JSON for the spool, on the caller's thread: non-finite numbers as bare tokens, read back by `decode_raw`."""
    return json.dumps(value, separators=(",", ":")).encode()


def decode_raw(line: bytes) -> Any:
    """Reads what `encode_raw` wrote.

    Raises:
        ValueError: where the line is no JSON.
    """
    if _orjson is not None:
        try:
            return _orjson.loads(line)
        except ValueError:
            pass  # Bare NaN and Infinity, or integers beyond 64 bits.
    return json.loads(line)


# Configurations

_LONGEST_TEXT = 16_000
_LONGEST_ARRAY = 1_000
_DEEPEST = 16


def plain(value: Any, depth: int = 0) -> Any:
    """A configuration as JSON: mappings, namespaces, dataclasses, OmegaConf, paths, enums, dtypes, whatever is found.

    What has no JSON form becomes its text, at most 16 000 characters long. Never raises.
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
        return spelled(_integer(int(value)))
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
