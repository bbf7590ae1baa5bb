"""Statistics of outputs inside graphs of torch.compile.

A hook is compiled into the graph only if it is installed before the first call, and must not read a number on the
host. So the hooks are permanent, and add sums and extremes to a buffer of each layer, which is read at reported steps.
"""

from __future__ import annotations

import math
from typing import Any, Optional

import torch
from torch import nn

from nnmonitor.watching.guard import Guard
from nnmonitor.watching.hooks import ModuleHook
from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.reduction import Reducer
from nnmonitor.watching.numerics.samples import Sampler
from nnmonitor.watching.numerics.tensors import MEASURED, first_tensor
from nnmonitor.watching.numerics.transfer import Receiver, Transfer
from nnmonitor.watching.readers.extras import Extras
from nnmonitor.watching.structure import Layer

# Count, sum, sum of squares, count of finite values, smallest, largest.
_EMPTY = [0.0, 0.0, 0.0, 0.0, math.inf, -math.inf]


def is_compiled(model: nn.Module) -> bool:
    """Whether the model or a module in it is compiled: by `torch.compile(module)` or `module.compile()`."""
    return any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        for module in model.modules())


class CompiledActivations:
    """The counterpart of `Activations` for a compiled model. Install before the model's first call."""

    def __init__(self, _model: nn.Module, layers: list[Layer], _guard: Guard) -> None:
        self.seconds = 0.0
        self.calls = 0
        self._layers = [layer for layer in layers if layer.has_parameters]
        self._buffers: dict[int, torch.Tensor] = {}
        self._handles: list[Any] = []
        for layer in self._layers:
            parameter = next((p for p in layer.module.parameters() if p.device.type != "meta"), None)
            if parameter is None:
                continue
            buffer = torch.tensor(_EMPTY, dtype=torch.float64, device=parameter.device)
            # CUDA graphs replay on fixed addresses, and refuse graphs that change other inputs.
            torch._dynamo.mark_static_address(buffer)
            self._buffers[layer.index] = buffer
            hook = ModuleHook(_accumulate, buffer)
            self._handles.append(layer.module.register_forward_hook(hook))

    def start(self, reducer: Reducer, _sampler: Optional[Sampler]) -> None:
        """Forgets what earlier steps added."""
        self._reducer = reducer
        for buffer in self._buffers.values():
            buffer.copy_(torch.tensor(_EMPTY, dtype=torch.float64))

    def take(self, layers: list[Layer], transfer: Transfer) -> Extras:
        """Requests what the layers' outputs were since `start`: moments in the reducer, complete after
        `transfer.run`."""
        wanted: set[int] = {layer.index for layer in layers}
        for index, buffer in self._buffers.items():
            if index in wanted:
                transfer.add(buffer.clone(), self._receiver(index))
        return Extras()

    def _receiver(self, index: int) -> Receiver:
        def receive(numbers: list[float]) -> None:
            count, total, squares, finite, low, high = numbers
            if count:
                self.calls += 1
                moments = Moments(int(count), total, squares, low, high, int(count - finite))
                self._reducer.add_moments(("activation", index), moments)

        return receive

    def stop(self) -> None:
        """Nothing: the hooks are part of the compiled graphs."""

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []


def _accumulate(buffer: torch.Tensor, module: nn.Module, _inputs: Any, output: Any) -> None:
    if not (module.training and torch.is_grad_enabled()):
        return
    tensor = first_tensor(output)
    if tensor is None or tensor.dtype not in MEASURED or tensor.numel() == 0 or tensor.device != buffer.device:
        return
    with torch.no_grad():
        values = tensor.detach().to(torch.float64)
        buffer.copy_(torch.stack([
            buffer[0] + values.numel(), buffer[1] + values.sum(), buffer[2] + values.square().sum(),
            buffer[3] + values.isfinite().sum(), torch.minimum(buffer[4], values.amin()),
            torch.maximum(buffer[5], values.amax())]))
