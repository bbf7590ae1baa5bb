"""The layers of a model: its parameters, grouped by the module that they belong to."""

from __future__ import annotations

import fnmatch
import functools
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

import torch
from torch import nn

from nnmonitor.watching.numerics.ranges import OutputRange, output_range

# Path components that wrappers add.
_WRAPPER_PARTS = {"_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"}
# Wrappers whose only child is `module`.
_MODULE_WRAPPERS = {"DistributedDataParallel", "DataParallel", "FullyShardedDataParallel", "DeepSpeedEngine"}
_MOST_ID_BYTES = 1_024
# Classes whose instances may expose attention weights or router logits, without parameters of their own.
_EXPOSING = re.compile("Attention|Router|Routing|MoE|Moe|Experts")
LayerFunction = Callable[[nn.Module, tuple[Any, ...], Any], Mapping[str, Any]]


@dataclass(frozen=True)
class ParameterReference:
    """A parameter by owner and name. Looked up anew for each report: sharding and lazy modules replace parameters."""

    owner: nn.Module
    name: str

    def current(self) -> Optional[torch.Tensor]:
        return self.owner._parameters.get(self.name)


@dataclass
class Layer:
    """One row of a report.

    Attributes:
        weights, biases: its parameters, as `named_parameters` has them. A parameter that several layers share belongs
            to the first.
        function: the user's function for this layer.
        shape: of its last output.
    """

    index: int
    id: str
    type: str
    group: Optional[str]
    module: nn.Module
    weights: list[ParameterReference] = field(default_factory=list)
    biases: list[ParameterReference] = field(default_factory=list)
    function: Optional[LayerFunction] = None
    shape: Optional[list[int]] = None
    transposed: bool = False
    half_output: bool = False

    @functools.cached_property
    def has_parameters(self) -> bool:
        return bool(self.weights or self.biases)

    @functools.cached_property
    def limits(self) -> Optional[OutputRange]:
        """The range of its outputs, if it is an activation function or recurrent layer."""
        return output_range(self.module)


@dataclass(frozen=True)
class LayerParameters:
    """A layer's present parameters; each parameter of the model is in one layer only."""

    weights: list[torch.Tensor]
    biases: list[torch.Tensor]

    @property
    def primary(self) -> list[torch.Tensor]:
        """Those that gradient and update statistics cover: the weights, or the biases where it has none."""
        return self.weights or self.biases

    @functools.cached_property
    def all(self) -> list[torch.Tensor]:
        return self.weights + self.biases

    @functools.cached_property
    def ids(self) -> set[int]:
        return {id(parameter) for parameter in self.all}


class Parameters:
    """Looks up the present parameters of layers."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = list(layers)
        self._references = [reference for layer in self._layers for reference in layer.weights + layer.biases]
        self._known: list[Optional[torch.Tensor]] = []
        self._lazy = True
        self._found: dict[int, LayerParameters] = {}

    def resolve(self) -> dict[int, LayerParameters]:
        """Layer index to present parameters. A tied parameter belongs to the first layer that has it."""
        known: list[Optional[torch.Tensor]] = [
            reference.owner._parameters.get(reference.name) for reference in self._references]
        if self._lazy or len(known) != len(self._known) or any(map(operator.is_not, known, self._known)):
            self._known = known
            # A lazy module has no values before its first call, which changes its parameter in place.
            self._lazy = any(parameter is not None and nn.parameter.is_lazy(parameter) for parameter in known)
            self._found = self._look_up()
        return self._found

    def _look_up(self) -> dict[int, LayerParameters]:
        seen: set[int] = set()

        def current(references: list[ParameterReference]) -> list[torch.Tensor]:
            found = []
            for reference in references:
                parameter = reference.current()
                if parameter is not None and not nn.parameter.is_lazy(parameter) and id(parameter) not in seen:
                    seen.add(id(parameter))
                    found.append(parameter)
            return found

        none = LayerParameters([], [])
        return {
            layer.index: LayerParameters(current(layer.weights), current(layer.biases))
            if layer.has_parameters else none for layer in self._layers}


def find_layers(
    model: nn.Module, patterns: Union[str, Sequence[str], None], functions: Optional[Mapping[str, LayerFunction]]
) -> list[Layer]:
    """The layers in the order of `named_modules`: modules with parameters of their own, activation functions with a
    known range, attention and routing modules, and modules that a function was passed for."""
    layers: list[Layer] = []
    by_path: dict[str, Layer] = {}
    taken: set[str] = set()
    for raw_path, module in model.named_modules():
        path = clean_path(raw_path, model)
        owner_path, parametrized, _ = path.partition(".parametrizations.")
        if path.startswith("parametrizations."):
            owner_path, parametrized = "", "."
        if parametrized:
            # torch.nn.utils.parametrize keeps the parameters of a module in modules below it.
            if owner_path in by_path:
                _add_parameters(by_path[owner_path], module, path)
            continue
        if _is_wrapper(module):
            continue
        identifier = path or _type_name(module)
        function = _matching(functions, identifier)
        own = any(parameter is not None for parameter in module._parameters.values())
        parametrized_own = isinstance(getattr(module, "parametrizations", None), nn.ModuleDict)
        special = output_range(module) is not None or _EXPOSING.search(_type_name(module)) is not None
        if not (own or parametrized_own or special or function) or not selected(identifier, patterns):
            continue
        while identifier in taken:
            identifier += "_"
        taken.add(identifier)
        layer = Layer(len(layers), identifier[:_MOST_ID_BYTES], _type_name(module), group_of(path), module)
        layer.function = function
        layer.transposed = isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
        _add_parameters(layer, module, "")
        layers.append(layer)
        by_path[path] = layer
    return layers


def clean_path(path: str, model: nn.Module) -> str:
    """A module's path without the components that wrappers add."""
    parts = [part for part in path.split(".") if part not in _WRAPPER_PARTS]
    outer: Any = model
    while parts and parts[0] == "module" and isinstance(outer, nn.Module):
        while hasattr(outer, "_orig_mod"):
            outer = outer._orig_mod
        if type(outer).__name__ not in _MODULE_WRAPPERS:
            break
        parts.pop(0)
        outer = outer.module
    return ".".join(parts)


def group_of(path: str) -> Optional[str]:
    """The block that a layer belongs to: its parent's path up to the first number. `h.0.attn.proj` is in `h.0`."""
    parts = path.split(".")[:-1]
    for position, part in enumerate(parts):
        if part.isdigit():
            return ".".join(parts[: position + 1])
    return parts[0] if parts else None


def selected(identifier: str, patterns: Union[str, Sequence[str], None]) -> bool:
    """Whether a layer id matches an including pattern (or there is none) and no excluding one (`!pattern`)."""
    if patterns is None:
        return True
    listed = [patterns] if isinstance(patterns, str) else list(patterns)
    including = [pattern for pattern in listed if not pattern.startswith("!")]
    excluding = [pattern[1:] for pattern in listed if pattern.startswith("!")]
    return (not including or _any_match(identifier, including)) and not _any_match(identifier, excluding)


def _any_match(identifier: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(identifier, pattern) for pattern in patterns)


def _matching(functions: Optional[Mapping[str, LayerFunction]], identifier: str) -> Optional[LayerFunction]:
    for pattern, function in (functions or {}).items():
        if fnmatch.fnmatchcase(identifier, pattern):
            return function
    return None


def _is_wrapper(module: nn.Module) -> bool:
    return hasattr(module, "_orig_mod") or type(module).__name__ in _MODULE_WRAPPERS


def _type_name(module: nn.Module) -> str:
    """The class name, without the prefix of a class that PyTorch created for parametrization or sharding."""
    name = type(module).__name__
    for base in type(module).__mro__[1:]:
        if re.fullmatch(f"(Parametrized|FSDP){re.escape(base.__name__)}", name):
            return base.__name__
    return name


def _add_parameters(layer: Layer, module: nn.Module, path: str) -> None:
    for name, parameter in module._parameters.items():
        if parameter is None:
            continue
        local = f"{path.rpartition('parametrizations.')[2]}.{name}"
        (layer.biases if "bias" in local else layer.weights).append(ParameterReference(module, name))
