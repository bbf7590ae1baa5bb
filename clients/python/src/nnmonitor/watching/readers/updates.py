"""The norm of the change of an optimizer step: a copy before the step, and the difference after it."""

from __future__ import annotations

from collections.abc import Hashable

import torch

from nnmonitor.watching.numerics.moments import Moments
from nnmonitor.watching.numerics.reduction import SMALL, norm_in_double
from nnmonitor.watching.numerics.scratch import Scratch
from nnmonitor.watching.numerics.tensors import flat, rows_by_size
from nnmonitor.watching.numerics.transfer import Receiver, Transfer

# Norms of at most 16 384 values that single precision computes to its full precision.
_LEAST, _MOST = 1e-14, 1e17

Item = tuple[Hashable, torch.Tensor]


class Updates:
    """Keeps copies of weights over one optimizer step. The buffers, as large as the weights, are kept for
    the next report.

    Small weights are joined, in order of size, so that a few operations serve all of them.
    """

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._buffers: list[torch.Tensor] = []
        self._scratch = Scratch()

    def keep(self, items: list[Item]) -> None:
        """Copies local tensors of measured dtypes."""
        self._items = sorted(items, key=lambda item: item[1].numel())
        parts = self._parts()
        wanted = [(part.numel(), part.device, _kept_dtype(part)) for part in parts]
        if wanted != [(buffer.numel(), buffer.device, buffer.dtype) for buffer in self._buffers]:
            self._buffers = [torch.empty(count, dtype=dtype, device=device) for count, device, dtype in wanted]
        if parts:
            torch._foreach_copy_(self._buffers, parts)

    def measure(self, transfer: Transfer) -> dict[Hashable, Moments]:
        """The changes since `keep`: moments with squares and count alone, complete after `transfer.run`."""
        results: dict[Hashable, Moments] = {key: Moments() for key, _ in self._items}
        small = [item for item in self._items if item[1].numel() <= SMALL]
        large = [item for item in self._items if item[1].numel() > SMALL]
        parts = self._parts()
        for buffer, part in zip(self._buffers, parts):
            torch.sub(buffer, part.to(buffer.dtype), out=buffer)
        if small:
            for keys, block in rows_by_size(small, self._buffers[0]):
                transfer.add(_norms_of_rows(block), _receiver(results, keys, block.shape[1]))
        for (key, _), buffer in zip(large, self._buffers[1 if small else 0:]):
            transfer.add(norm_in_double(buffer), _receiver(results, [key], buffer.numel()))
        self._items = []
        return results

    def _parts(self) -> list[torch.Tensor]:
        values = [flat(weight.detach()) for _, weight in self._items]
        small = [part for part in values if part.numel() <= SMALL]
        if len({part.device for part in small}) > 1:
            small = [part.to(small[0].device) for part in small]
        joined = [self._scratch.join("updates", small)] if small else []
        return joined + [part for part in values if part.numel() > SMALL]


def _kept_dtype(part: torch.Tensor) -> torch.dtype:
    """The difference of two half-precision numbers is taken in single precision."""
    return torch.float64 if part.dtype == torch.float64 else torch.float32


def _norms_of_rows(block: torch.Tensor) -> torch.Tensor:
    norms: torch.Tensor
    if block.device.type == "cpu" and block.dtype == torch.float32:
        norms = torch.linalg.vector_norm(block, dim=1)
        # Squares below 1e-38 or above 3e38 are lost in single precision.
        if bool(((norms > _LEAST) & (norms < _MOST)).all()):
            return norms
    norms = torch.linalg.vector_norm(block, dim=1, dtype=torch.float64)
    return norms


def _receiver(results: dict[Hashable, Moments], keys: list[Hashable], count: int) -> Receiver:
    def receive(norms: list[float]) -> None:
        for key, norm in zip(keys, norms):
            moments = results[key]
            moments.count += count
            moments.squares += norm * norm
            moments.low = moments.high = 0.0

    return receive
