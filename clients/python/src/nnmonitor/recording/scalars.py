"""The arguments of `log`: names and numbers. Other values are left out, with one warning per name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..notices import Notices
from ..spooling.values import Number, number

_LONGEST_NAME = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Scalars:
    """Turns the argument of `log` into flat scalars. Remembers names, so that a name costs one look-up."""

    def __init__(self, notices: Notices, strict: bool) -> None:
        self._notices = notices
        self._strict = strict
        self._names: dict[str, str] = {}

    def flat(self, data: Mapping[str, Any], prefix: str = "") -> dict[str, Number]:
        """Scalars by name; nested mappings give `outer/inner`, None is left out.

        Raises:
            TypeError: in strict mode, for a value that is not a number or a name that the server would reject.
        """
        scalars: dict[str, Number] = {}
        for key, value in data.items():
            if value is None:
                continue
            name = f"{prefix}{key}"
            if isinstance(value, Mapping):
                scalars.update(self.flat(value, f"{name}/"))
                continue
            try:
                name = self._names.get(name) or self._name(name)
                scalars[name] = number(value)
            except TypeError as error:
                text = f"log() leaves out {name!r}: {error}, and log() accepts only single numbers"
                if self._strict:
                    raise TypeError(text) from error
                self._notices.once(text, key=f"log {name}")
        return scalars

    def _name(self, name: str) -> str:
        size = len(name.encode("utf-8", "surrogatepass"))
        if not 1 <= size <= _LONGEST_NAME or _CONTROL.search(name) or not _is_text(name):
            raise TypeError(f"the name has {size} bytes; 1 to {_LONGEST_NAME} without control characters are allowed")
        if len(self._names) < 20_000:
            self._names[name] = name
        return name


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
