"""Hooks that survive copying and saving of the model they are installed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import nn

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


class ForwardHooks:
    """The forward hooks of many modules, which are installed for some steps only.

    A handle is made once for each: making and removing it costs as much as the hook's measurement of a small output.
    """

    def __init__(self, hooks: Sequence[tuple[nn.Module, ModuleHook]]) -> None:
        self._hooks = hooks
        self._handles: list[Any] = []
        self.installed = False

    def install(self) -> None:
        if self.installed:
            return
        self.installed = True
        if self._handles:
            for (module, hook), handle in zip(self._hooks, self._handles):
                module._forward_hooks[handle.id] = hook
        else:
            self._handles = [module.register_forward_hook(hook) for module, hook in self._hooks]

    def remove(self) -> None:
        if self.installed:
            self.installed = False
            for (module, _), handle in zip(self._hooks, self._handles):
                module._forward_hooks.pop(handle.id, None)


def _do_nothing_hook() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(*_arguments: Any) -> None:
    return None
