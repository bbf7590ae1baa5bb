"""The norm of the change of an optimizer step: a copy before the step, and the difference after it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Optional

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
        self._small: list[Item] = []
        self._large: list[Item] = []
        self._buffers: list[torch.Tensor] = []
        self._joined: Optional[torch.Tensor] = None
        self._scratch = Scratch()

    def begin(self) -> None:
        """Begins a report."""
        self._small, self._large, self._joined = [], [], None

    def keep(self, key: Hashable, weight: torch.Tensor) -> None:
        """Copies a local tensor of a measured dtype, a large one at once and a small one in `complete`."""
        if weight.numel() <= SMALL:
            self._small.append((key, weight))
            return
        values = flat(weight.detach())
        position = len(self._large)
        wanted = (values.numel(), values.device, _kept_dtype(values))
        known = self._buffers[position] if position < len(self._buffers) else None
        if known is None or wanted != (known.numel(), known.device, known.dtype):
            known = torch.empty(wanted[0], dtype=wanted[2], device=wanted[1])
            self._buffers[position:position + 1] = [known]
        known.copy_(values)
        self._large.append((key, weight))

    def complete(self) -> None:
        """Copies the small tensors."""
        self._small.sort(key=lambda item: item[1].numel())
        del self._buffers[len(self._large):]
        if self._small:
            joined = self._join()
            self._joined = self._scratch.get("kept", joined.numel(), _kept_dtype(joined), joined.device)
            self._joined.copy_(joined)

    def measure(self, transfer: Transfer) -> dict[Hashable, Moments]:
        """The changes since `keep`: moments with squares and count alone, complete after `transfer.run`."""
        results: dict[Hashable, Moments] = {key: Moments() for key, _ in self._small + self._large}
        if self._joined is not None:
            difference = self._joined.sub_(self._join())
            for keys, block in rows_by_size(self._small, difference):
                transfer.add(_norms_of_rows(block), _receiver(results, keys, block.shape[1]))
        for (key, weight), buffer in zip(self._large, self._buffers):
            torch.sub(buffer, flat(weight.detach()).to(buffer.dtype), out=buffer)
            transfer.add(norm_in_double(buffer), _receiver(results, [key], buffer.numel()))
        self.begin()
        return results

    def _join(self) -> torch.Tensor:
        """The small weights as they are now, valid until the next call."""
        parts = [flat(weight.detach()) for _, weight in self._small]
        if len({part.device for part in parts}) > 1:
            parts = [part.to(parts[0].device) for part in parts]
        return self._scratch.join("updates", parts)


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
