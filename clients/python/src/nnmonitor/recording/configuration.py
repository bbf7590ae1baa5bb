"""`run.config` and `run.summary`, as in W&B: a mapping with attributes, and the last scalars."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Callable

from ..notices import Notices
from .plain import plain

#: The server's limit of one run's configuration, as JSON.
LIMIT = 256 * 1024


class Config(MutableMapping[str, Any]):
    """The run's configuration. Assigning a key or an attribute sends it; values keep their type here.

    `None` deletes a key on the server.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None], notices: Notices) -> None:
        object.__setattr__(self, "_items", {})
        object.__setattr__(self, "_send", send)
        object.__setattr__(self, "_notices", notices)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        del self._items[key]
        self._send({key: None})

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_items"][name]
        except KeyError:
            raise AttributeError(f"the configuration has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __repr__(self) -> str:
        return f"Config({self._items!r})"

    def update(self, values: Any = (), /, allow_val_change: bool = True, **more: Any) -> None:
        """Adds the values of a mapping, a namespace, a dataclass or keywords, and sends them.

        Args:
            values: of any kind that `init(config=)` accepts.
            allow_val_change: accepted for programs written for W&B; values may always change.
        """
        try:
            merged = {**as_mapping(values), **more}
        except (TypeError, ValueError) as error:
            self._notices.once(f"config.update() is ignored: {error}")
            return
        self._items.update(merged)
        self._send(self.sendable(merged))

    def as_dict(self) -> dict[str, Any]:
        """A copy as a plain dictionary."""
        return dict(self._items)

    def setdefaults(self, values: Any) -> None:
        """Sets the keys that are not set yet."""
        self.update({key: value for key, value in as_mapping(values).items() if key not in self._items})

    def sendable(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as JSON; keys that would pass the server's limit are left out, the largest first."""
        made = {str(key): plain(value) for key, value in values.items()}
        sizes = {key: len(json.dumps({key: value})) for key, value in made.items()}
        while sum(sizes.values()) > LIMIT:
            largest = max(sizes, key=lambda key: sizes[key])
            self._notices.once(
                f"config[{largest!r}] is left out: with it the configuration would exceed {LIMIT // 1024} KiB"
            )
            del sizes[largest], made[largest]
        return made


def as_mapping(values: Any) -> dict[str, Any]:
    """The keys and values of a program's configuration object."""
    if values is None or values == ():
        return {}
    if isinstance(values, Mapping):
        return {str(key): value for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return {str(key): value for key, value in values}
    made = plain(values)
    if isinstance(made, dict):
        return made
    raise TypeError(f"config= must be a mapping, a namespace or a dataclass, not a {type(values).__name__}")


class Summary(Mapping[str, Any]):
    """The last value of each scalar that was logged. Local and read-only: an assignment is ignored with a warning."""

    def __init__(self, items: dict[str, Any], notices: Notices) -> None:
        self._items = items
        self._notices = notices

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def update(self, values: Any) -> None:
        """Ignores the values with a warning: a program written for W&B calls it and must not fail."""
        names = ", ".join(repr(str(name)) for name in values)
        self._notices.once(
            f"summary is read-only, {names} is ignored: log the final value with log(), or put it into config"
        )

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Summary({self._items!r})"
