"""Numbers in the form of the open wire.

Non-finite numbers travel as the strings `NaN`, `Infinity`, `-Infinity`: JSON has no number for them, and orjson would
write `null`. Floats are rounded to six significant digits on request: a float32 has seven, and printed as a double it
has seventeen.
"""

from __future__ import annotations

import json
import math
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
        TypeError: if it is no single real number.
    """
    kind = type(value)
    if kind is float:
        return float(value)
    if kind is int or kind is bool:
        return within_double(int(value))
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError("it is text")
    item = getattr(value, "item", None)
    if callable(item):
        try:
            value = item()
        except (ValueError, RuntimeError, TypeError) as error:
            raise TypeError(f"it is not a single number ({_shape(value)})") from error
    if isinstance(value, int):
        return within_double(int(value))
    if isinstance(value, float):
        return float(value)
    if isinstance(value, complex) or not hasattr(value, "__float__"):
        raise TypeError(f"it is a {type(value).__name__}")
    return float(value)


def within_double(value: int) -> Number:
    """The integer, or the double nearest to it where doubles no longer hold every integer."""
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
    """The number, or its spelling if it is not finite."""
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


def shortened(text: str, size: int) -> str:
    """The text as valid UTF-8 of at most so many bytes."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def rounded_step(step: dict[str, Any], near: Callable[[Any], Any]) -> dict[str, Any]:
    """The step with every scalar, metric and vector rounded and spelled by `near` (see `rounding`)."""
    made = dict(step)
    if "scalars" in made:
        made["scalars"] = {name: near(value) for name, value in made["scalars"].items()}
    if "metrics" in made:
        made["metrics"] = {name: [near(value) for value in column] for name, column in made["metrics"].items()}
    if "vectors" in made:
        made["vectors"] = {
            name: {layer: [near(value) for value in values] for layer, values in by_layer.items()}
            for name, by_layer in made["vectors"].items()
        }
    return made


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
    return json.dumps(value, separators=(",", ":"), default=number).encode()


def decode_raw(line: bytes) -> Any:
    """Reads what `encode_raw` wrote.

    Raises:
        ValueError: if the line is no JSON.
    """
    if _orjson is not None:
        try:
            return _orjson.loads(line)
        except ValueError:
            pass  # Bare NaN and Infinity, or integers beyond 64 bits.
    return json.loads(line)
