"""Hooks that survive copying and saving of the model they are installed on."""

from __future__ import annotations

from typing import Any, Callable

import torch

is_compiling: Callable[[], bool] = getattr(torch.compiler, "is_compiling", None) or torch._dynamo.is_compiling


class ModuleHook:
    """Calls `function(layer, module, inputs, output)`, and returns None: any other result would replace the output.

    A model with this hook can be copied and saved: the copy has a hook that does nothing in its place.
    """

    def __init__(self, function: Callable[..., None], layer: Any) -> None:
        self._function = function
        self._layer = layer

    def __call__(self, *arguments: Any) -> None:
        self._function(self._layer, *arguments)

    def __deepcopy__(self, _memo: Any) -> Callable[..., None]:
        return _do_nothing

    def __reduce__(self) -> tuple[Any, ...]:
        return _do_nothing_hook, ()


def _do_nothing_hook() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(*_arguments: Any) -> None:
    return None
