"""Which optimizers train the watched model, and their hooks."""

from __future__ import annotations

import weakref
from typing import Any, Callable, Optional

import torch
from torch import nn
from torch.optim import optimizer as optimizer_module

# Optimizers that hold no parameter of the model are looked at again this often: sharding may replace parameters.
_MOST_LOOKS = 3

PreHook = Callable[[Any, tuple[Any, ...], dict[str, Any]], Optional[tuple[Any, Any]]]
PostHook = Callable[[Any, tuple[Any, ...], dict[str, Any]], None]


class Optimizers:
    """Installs the step hooks: on the optimizers that the user passed, or for all optimizers.

    Raises:
        ValueError: if the argument neither is nor wraps an optimizer.
    """

    def __init__(self, model: nn.Module, passed: Any, before: PreHook, after: PostHook) -> None:
        self._model = model
        self._passed = [] if passed is None else [_unwrap(one) for one in _as_list(passed)]
        self._known: dict[int, tuple[Any, set[int]]] = {}
        self._foreign: dict[int, int] = {}
        self._handles: list[Any] = []
        for optimizer in self._passed:
            self._handles.append(optimizer.register_step_pre_hook(before))
            self._handles.append(optimizer.register_step_post_hook(after))
        if passed is None:
            self._handles.append(optimizer_module.register_optimizer_step_pre_hook(before))
            self._handles.append(optimizer_module.register_optimizer_step_post_hook(after))

    def trains_model(self, optimizer: Any) -> bool:
        """Whether the optimizer is one of the passed, or holds a parameter of the model."""
        key = id(optimizer)
        known = self._known.get(key)
        if known is not None and known[0]() is optimizer:
            return True
        if not self._passed:
            if self._foreign.get(key, 0) >= _MOST_LOOKS:
                return False
            if _parameter_ids(optimizer).isdisjoint(id(parameter) for parameter in self._model.parameters()):
                self._foreign[key] = self._foreign.get(key, 0) + 1
                return False
        self._known[key] = (weakref.ref(optimizer), _parameter_ids(optimizer))
        return True

    def owned(self, optimizer: Any) -> set[int]:
        """Ids of the optimizer's present parameters."""
        ids = _parameter_ids(optimizer)
        self._known[id(optimizer)] = (weakref.ref(optimizer), ids)
        return ids

    def owned_by_others(self, optimizer: Any) -> set[int]:
        """Ids of the parameters of all other optimizers that have stepped."""
        known = self._known.items()
        return set().union(*(ids for key, (one, ids) in known if key != id(optimizer) and one() is not None))

    def parameter_groups(self) -> list[list[torch.Tensor]]:
        """The parameters of each known optimizer, or of the model while none is known."""
        known = [reference() for reference, _ in self._known.values()] or list(self._passed)
        lists = [
            [parameter for group in optimizer.param_groups for parameter in group["params"]]
            for optimizer in known if optimizer is not None]
        return lists or [list(self._model.parameters())]

    def close(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []


def _parameter_ids(optimizer: Any) -> set[int]:
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def _as_list(passed: Any) -> list[Any]:
    return list(passed) if isinstance(passed, (list, tuple)) else [passed]


def _unwrap(optimizer: Any) -> Any:
    """The PyTorch optimizer inside the wrappers of Lightning, Accelerate and others."""
    inner = optimizer
    while not isinstance(inner, torch.optim.Optimizer):
        inner = getattr(inner, "optimizer", None)
        if inner is None:
            raise ValueError(f"optimizer must be a torch.optim.Optimizer, not a {type(optimizer).__name__}")
    return inner
