"""Buffers that are kept between reports: a new allocation costs more than filling it."""

from __future__ import annotations

from typing import Optional

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

    def join(self, purpose: str, parts: list[torch.Tensor], dtype: Optional[torch.dtype] = None) -> torch.Tensor:
        """Flat tensors of one device as one.

        Args:
            dtype: of the result; None for that of the parts, or where they differ, single precision for half precision
                and double for single.
        """
        if dtype is None:
            dtypes = {part.dtype for part in parts}
            dtype = parts[0].dtype if len(dtypes) == 1 else torch.float64 if torch.float64 in dtypes else torch.float32
        joined = self.get(purpose, sum([part.numel() for part in parts]), dtype, parts[0].device)
        torch.cat(parts, out=joined)
        return joined
