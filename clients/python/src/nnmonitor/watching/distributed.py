"""Ranks and shards: which process reports, and how sums over shards become sums over tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Optional

import torch
import torch.distributed as dist

from nnmonitor.watching.numerics.moments import Moments

# Numbers of one `Moments` in the packed vector.
_WIDTH = 7
_PLAIN = (torch.nn.Parameter, torch.Tensor)


def initialized() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    return dist.get_rank() if initialized() else 0


def is_sharded(tensor: Any) -> bool:
    """Whether it is a `DTensor`, as FSDP2 and tensor parallelism make."""
    return type(tensor) not in _PLAIN and hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def local_part(tensor: Any) -> Optional[torch.Tensor]:
    """The values that this rank contributes: its shard, the whole tensor where it is not sharded, or None where
    another rank contributes the same replica."""
    if not is_sharded(tensor):
        return tensor if isinstance(tensor, torch.Tensor) else None
    coordinate = tensor.device_mesh.get_coordinate()
    for dimension, placement in enumerate(tensor.placements):
        if placement.is_partial():
            raise ValueError("its values are partial sums on each rank")
        if placement.is_replicate() and coordinate is not None and coordinate[dimension] != 0:
            return None
    local: torch.Tensor = tensor.to_local()
    return local


def merge_over_ranks(
    tables: Sequence[list[Optional[Moments]]], maxima: Sequence[float], device: torch.device
) -> list[float]:
    """Adds up the moments of all ranks, in place, with one collective. All ranks call it at the same step.

    Args:
        tables: lists of moments, of the same lengths on all ranks; None for an absent one.
        maxima: numbers whose maximum over ranks is wanted.
        device: where the collective runs.

    Returns:
        The maxima.
    """
    packed: list[float] = list(maxima)
    for table in tables:
        for moments in table:
            packed.extend(_pack(moments))
    own = torch.tensor(packed, dtype=torch.float64, device=device)
    gathered = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(gathered, own)
    ranks = [part.tolist() for part in gathered]
    place = len(maxima)
    for table in tables:
        for index in range(len(table)):
            merged = Moments()
            for numbers in ranks:
                merged.merge(_unpack(numbers[place:place + _WIDTH]))
            table[index] = merged if merged.count else None
            place += _WIDTH
    return [max(numbers[index] for numbers in ranks) for index in range(len(maxima))]


def collective_device() -> torch.device:
    """Where collectives of the default group run: NCCL needs the accelerator."""
    if dist.get_backend() == "nccl":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def _pack(moments: Optional[Moments]) -> list[float]:
    if moments is None:
        return [0.0, 0.0, 0.0, math.inf, -math.inf, 0.0, 0.0]
    return [
        float(moments.count), moments.total, moments.squares, moments.low, moments.high, float(moments.nonfinite),
        moments.absolute]


def _unpack(numbers: Sequence[float]) -> Moments:
    count, total, squares, low, high, nonfinite, absolute = numbers
    return Moments(int(count), total, squares, low, high, int(nonfinite), absolute)
