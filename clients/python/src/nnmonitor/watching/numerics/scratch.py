"""Buffers that are kept between reports: a new allocation costs more than filling it."""

from __future__ import annotations

import torch


class Scratch:
    """Keeps one buffer per purpose, device and dtype, which grows to the largest requested size."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, torch.device, torch.dtype], torch.Tensor] = {}

    def get(self, purpose: str, count: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """A flat tensor with any content, valid until the next request for the same purpose."""
        key = (purpose, device, dtype)
        buffer = self._buffers.get(key)
        if buffer is None or buffer.numel() < count:
            buffer = torch.empty(count, dtype=dtype, device=device)
            self._buffers[key] = buffer
        return buffer[:count]

    def join(self, purpose: str, parts: list[torch.Tensor]) -> torch.Tensor:
        """Flat tensors of one device as one. Half precision becomes single if dtypes differ, single double."""
        dtypes = {part.dtype for part in parts}
        if len(dtypes) > 1:
            common = torch.float64 if torch.float64 in dtypes else torch.float32
            parts = [part.to(common) for part in parts]
        total = sum(part.numel() for part in parts)
        joined = self.get(purpose, total, parts[0].dtype, parts[0].device)
        torch.cat(parts, out=joined)
        return joined
