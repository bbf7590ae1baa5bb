"""Statistics of layers' outputs, by forward hooks that exist only while a reported step runs."""

from __future__ import annotations

import time
from typing import Any, Optional

import torch
from torch import nn

from nnmonitor.watching.guard import Guard
from nnmonitor.watching.hooks import ForwardHooks, ModuleHook, is_compiling
from nnmonitor.watching.numerics.reduction import Reducer
from nnmonitor.watching.numerics.samples import Sampler
from nnmonitor.watching.numerics.tensors import first_tensor, transformed, unusable
from nnmonitor.watching.numerics.transfer import Transfer
from nnmonitor.watching.readers.extras import Extras
from nnmonitor.watching.structure import Layer

_task = getattr(torch._C, "_current_graph_task_id", lambda: -1)


class Activations:
    """Installs the hooks, and reduces each output in the call that produced it, because a later operation may
    change it in place.

    Attributes:
        seconds: time spent in hooks since it was last reset.
        calls: hooks that measured since `start`.
        traced: whether torch.compile has traced a hook. The hooks then stay installed: removing them would recompile.
    """

    def __init__(self, model: nn.Module, layers: list[Layer], guard: Guard) -> None:
        self.seconds = 0.0
        self.calls = 0
        self.traced = False
        self._model = model
        self._guard = guard
        self._hooks = ForwardHooks([(layer.module, ModuleHook(self._observe, layer)) for layer in layers])
        self._root_hook = ModuleHook(self._enter_root, None)
        self._root_handle: Any = None
        # Learned from the first report: whether training calls the model itself, and not only modules of it.
        self._root_is_called = type(model).__name__ not in ("TransformerEncoderLayer", "TransformerEncoder")
        self._root_calls = 0
        self._closed: set[int] = set()
        self._outside_backward: set[int] = set()
        self._active = False

    def start(self, reducer: Reducer, sampler: Optional[Sampler]) -> None:
        """Begins to collect, moments in the reducer with the keys ("activation", layer index).

        Hooks are installed when the model is next called for training: a hook on a module ends the fast path of
        `nn.TransformerEncoderLayer` in evaluation, so an evaluation between two training steps must not find any.
        """
        self._reducer = reducer
        self._extras = Extras()
        self._sampler = sampler
        self._closed.clear()
        self._outside_backward.clear()
        self.calls = self._root_calls = 0
        self._active = True
        if not self._root_is_called:
            self._hooks.install()
            return
        if not self.traced:
            self._hooks.remove()
        if self._root_handle is None:
            self._root_handle = self._model.register_forward_pre_hook(self._root_hook)

    def take(self, layers: list[Layer], transfer: Transfer) -> Extras:
        """Ends the collection for the layers: moments are in the reducer, the rest in the result, complete after
        `transfer.run`."""
        self._closed.update(layer.index for layer in layers)
        if not self._root_calls and not self.traced:
            self._root_is_called = False
        self._extras.finish(transfer)
        return self._extras

    def stop(self) -> None:
        """Ends the collection and removes the hooks."""
        self._active = False
        if not self.traced:
            self.remove()

    def remove(self) -> None:
        self._hooks.remove()
        if self._root_handle is not None:
            self._root_handle.remove()
            self._root_handle = None

    def _enter_root(self, _layer: Any, module: nn.Module, _inputs: Any, _output: Any = None) -> None:
        if is_compiling():
            self.traced = True
            return
        self._root_calls += 1
        if self._active and module is self._model and module.training and torch.is_grad_enabled():
            self._hooks.install()

    def _observe(self, layer: Layer, module: nn.Module, inputs: Any, output: Any) -> None:
        if is_compiling():
            self.traced = True
            return
        if not (self._active and self._model.training and torch.is_grad_enabled() and module is layer.module):
            return
        if layer.index in self._closed or not self._guard.enabled("activations", layer.id):
            return
        begin = time.perf_counter()
        try:
            self._measure(layer, inputs, output)
        except Exception as error:  # An error in a hook would end training.
            self._guard.failed("activations", layer.id, error)
        finally:
            self.seconds += time.perf_counter() - begin

    def _measure(self, layer: Layer, inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is None or transformed(tensor):
            return
        produced = tensor
        # Operations on a detached tensor are not recorded, and cost less than a block without gradients.
        tensor = tensor.detach()
        # Checkpointing calls the module again in the backward pass; the outputs are those of the first call. Only
        # where the first call ran without gradients (reentrant checkpointing), the second one is counted.
        if _task() == -1:
            self._outside_backward.add(layer.index)
        elif layer.index in self._outside_backward:
            return
        reason = unusable(tensor) or ("it is sparse" if tensor.layout is not torch.strided else None)
        if reason is not None:
            self._guard.skip("activations", layer.id, reason)
            return
        self.calls += 1
        layer.shape = list(tensor.shape)[:32]
        layer.half_output = tensor.dtype == torch.float16
        if _autocast_enabled(tensor.device.type):
            with torch.autocast(tensor.device.type, enabled=False):
                self._reduce(layer, inputs, output, tensor, produced)
        else:
            self._reduce(layer, inputs, output, tensor, produced)

    def _reduce(
        self, layer: Layer, inputs: Any, output: Any, tensor: torch.Tensor, produced: torch.Tensor
    ) -> None:
        if tensor.numel() == 0:
            return
        if layer.has_parameters:
            self._reducer.add(("activation", layer.index), tensor, changes=True)
            if self._sampler is not None:
                self._sampler.add(("activation", layer.index), [tensor])
            self._extras.remember_producer(produced, layer)
        self._extras.observe(layer, inputs, output, tensor)


def _autocast_enabled(device_type: str) -> bool:
    try:
        return torch.is_autocast_enabled(device_type)
    except TypeError:  # PyTorch before 2.4
        return torch.is_autocast_cpu_enabled() if device_type == "cpu" else torch.is_autocast_enabled()
