"""Which tensors can be measured, and how their values are read as one flat list without a copy."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Optional, TypeVar

import torch

_Key = TypeVar("_Key")
MEASURED = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
# Under vmap and functional transforms, a tensor is a wrapper around values that cannot be read.
_is_functorch = getattr(torch._C._functorch, "is_functorch_wrapped_tensor", lambda _tensor: False)


def unusable(tensor: torch.Tensor) -> Optional[str]:
    """Why the tensor cannot be measured, or None if it can."""
    if tensor.dtype is torch.float32 and tensor.layout is torch.strided and tensor.is_cpu and not tensor.is_nested:
        return None
    if tensor.dtype not in MEASURED:
        return f"its dtype is {str(tensor.dtype).replace('torch.', '')}"
    if tensor.device.type == "meta":
        return "it has no values (device meta)"
    if tensor.is_quantized or getattr(tensor, "is_nested", False):
        return "it is quantized or nested"
    if tensor.layout not in (torch.strided, torch.sparse_coo):
        return f"its layout is {str(tensor.layout).replace('torch.', '')}"
    return None


def transformed(tensor: torch.Tensor) -> bool:
    """Whether the tensor belongs to vmap, grad or another functional transform."""
    return bool(_is_functorch(tensor))


def flat(tensor: torch.Tensor) -> torch.Tensor:
    """All values as one dimension: a view where the memory is dense in any order of dimensions (channels_last)."""
    if tensor.is_contiguous():
        return tensor if tensor.dim() == 1 else tensor.view(-1)
    strides: tuple[int, ...] = tensor.stride()
    order = sorted(range(tensor.dim()), key=lambda dimension: -strides[dimension])
    return tensor.permute(order).reshape(-1)


def rows_by_size(
    items: list[tuple[_Key, torch.Tensor]], values: torch.Tensor
) -> Iterator[tuple[list[_Key], torch.Tensor]]:
    """Splits joined tensors into blocks of tensors of equal size.

    Args:
        items: keys and tensors, ordered by size.
        values: the values of these tensors, joined in the same order.

    Yields:
        The keys of the tensors of one size, and their values (tensors, size).
    """
    begin = 0
    for size, group in itertools.groupby(items, key=lambda item: item[1].numel()):
        keys = [key for key, _ in group]
        end = begin + len(keys) * size
        yield keys, values[begin:end].view(len(keys), size)
        begin = end


def first_tensor(output: Any, depth: int = 0) -> Optional[torch.Tensor]:
    """The first floating-point tensor in a module's output: a tensor, tuple, list, mapping or dataclass."""
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() or output.is_complex() else None
    if depth > 4:
        return None
    if isinstance(output, Mapping):
        parts: Any = output.values()
    elif isinstance(output, (tuple, list)):
        parts = output
    elif dataclasses.is_dataclass(output):
        parts = [getattr(output, field.name, None) for field in dataclasses.fields(output)]
    else:
        return None
    for part in parts:
        found = first_tensor(part, depth + 1)
        if found is not None:
            return found
    return None
