"""How much gradients were clipped between the backward pass and the optimizer's step.

Three parameters are sampled. The factor is the ratio of a parameter's gradient norm that the optimizer gets to its norm
at the end of the backward pass, if all three ratios agree.
"""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any, Callable, Optional

import torch

from nnmonitor.watching.distributed import is_sharded
from nnmonitor.watching.numerics.pieces import norm_of
from nnmonitor.watching.numerics.tensors import flat, unusable
from nnmonitor.watching.numerics.transfer import Transfer

_COUNT = 3
_LARGEST = 65_536
_LOOKED_AT = 8
# Two factors within this relative difference are one.
_TOLERANCE = 1e-4


class ClipDetector:
    """Keeps the gradient norms of the sampled parameters. Hooks exist only while a reported step runs."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        self._watched: list[torch.Tensor] = []
        self._norms: dict[int, torch.Tensor] = {}
        self._queued = False

    def arm(self, groups: list[list[torch.Tensor]], on_error: Callable[[Exception], None]) -> None:
        """Samples each list of parameters."""
        self.disarm()
        self._on_error = on_error
        self._watched = [parameter for group in groups for parameter in _choose(group)]
        self._handles = [
            _untyped(parameter).register_post_accumulate_grad_hook(self._accumulated) for parameter in self._watched]

    def disarm(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles, self._watched, self._norms, self._queued = [], [], {}, False

    def compare(self, owned: Any, transfer: Transfer) -> Callable[[], Optional[float]]:
        """A function that gives the factor after `transfer.run`: norm at the optimizer over norm after backward; None
        where it is not known.

        Args:
            owned: ids of the optimizer's parameters.
        """
        pairs: list[list[float]] = []
        for parameter in self._watched:
            before = self._norms.get(id(parameter))
            gradient = parameter.grad
            if before is None or gradient is None or id(parameter) not in owned:
                continue
            pair = torch.stack([before, norm_of(flat(gradient.detach()))])
            transfer.add(pair, pairs.append)

        def factor() -> Optional[float]:
            ratios = [after / before for before, after in pairs if before > 0.0 and math.isfinite(before)]
            if not ratios or not all(math.isfinite(ratio) for ratio in ratios):
                return None
            ratios.sort()
            middle = ratios[len(ratios) // 2]
            return middle if ratios[-1] - ratios[0] <= _TOLERANCE * middle else None

        return factor

    def _accumulated(self, _parameter: torch.Tensor) -> None:
        if not self._queued:
            self._queued = True
            try:
                _queue_after_backward(self._backward_ended)
            except Exception as error:
                self._on_error(error)

    def _backward_ended(self) -> None:
        # DistributedDataParallel queues its own callback, which completes the sums over ranks, maybe after this one.
        _queue_after_backward(self._keep_norms)

    def _keep_norms(self) -> None:
        self._queued = False
        try:
            with torch.no_grad():
                for parameter in self._watched:
                    if parameter.grad is not None and parameter.grad.layout is torch.strided:
                        self._norms[id(parameter)] = norm_of(flat(parameter.grad))
        except Exception as error:
            self._on_error(error)


def _untyped(value: Any) -> Any:
    return value


def _queue_after_backward(function: Callable[[], None]) -> None:
    """Calls the function at the end of the running backward pass, after the functions queued before it."""
    _untyped(torch.autograd.Variable)._execution_engine.queue_callback(function)


def _choose(parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    """Three parameters spread over the list, of at most 65 536 values where there are such near by."""
    chosen: list[torch.Tensor] = []
    third = max(1, -(-len(parameters) // _COUNT))
    for begin in range(0, len(parameters), third):
        usable = [parameter for parameter in parameters[begin:begin + min(third, _LOOKED_AT)] if _is_usable(parameter)]
        small = [parameter for parameter in usable if 16 <= parameter.numel() <= _LARGEST]
        chosen += (small or usable)[:1]
    return chosen


def _is_usable(parameter: torch.Tensor) -> bool:
    if torch.nn.parameter.is_lazy(parameter):
        return False
    return bool(
        parameter.requires_grad and not is_sharded(parameter) and parameter.numel() and unusable(parameter) is None)


class LossScale:
    """The loss scale that gradients carry or carried: `torch.amp.GradScaler`.

    A fused optimizer gets scaled gradients, with the scale in its attributes. For any other one the scaler has divided
    them already, and only the norms kept by `ClipDetector` still contain the scale.
    """

    def __init__(self) -> None:
        self._scalers: dict[int, Any] = {}

    @staticmethod
    def carried(optimizer: Any) -> Optional[torch.Tensor]:
        """The scale that the gradients carry at the optimizer's step, or None."""
        scale = getattr(optimizer, "grad_scale", None)
        return scale if isinstance(scale, torch.Tensor) else None

    @staticmethod
    def found_inf(optimizer: Any) -> Optional[torch.Tensor]:
        """Above 0 where the fused optimizer skips this step; None without a scaler."""
        found = getattr(optimizer, "found_inf", None)
        return found if isinstance(found, torch.Tensor) else None

    def removed(self, optimizer: Any) -> Optional[float]:
        """The scale that a scaler has divided the gradients by before this step, or None if there is no scaler.

        PyTorch links optimizers to scalers only from the scaler's side, so it is searched for, once per optimizer.
        """
        if id(optimizer) not in self._scalers:
            scaler = _find_scaler(optimizer)
            self._scalers[id(optimizer)] = weakref.ref(scaler) if scaler is not None else None
        reference = self._scalers[id(optimizer)]
        scaler = reference() if reference is not None else None
        scale = getattr(scaler, "_scale", None)
        return float(scale) if isinstance(scale, torch.Tensor) else None


def _find_scaler(optimizer: Any) -> Optional[Any]:
    scaler_type: Any = getattr(getattr(torch, "amp", None), "GradScaler", None)
    if not isinstance(scaler_type, type):
        scaler_type = torch.cuda.amp.GradScaler
    scaler_type = next(base for base in reversed(scaler_type.__mro__) if base is not object)
    for candidate in gc.get_objects():
        # `type`, not `isinstance`: proxies in other libraries may do work when `__class__` is read.
        if issubclass(type(candidate), scaler_type) and id(optimizer) in candidate._per_optimizer_states:
            return candidate
    return None
