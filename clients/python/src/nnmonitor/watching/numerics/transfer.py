"""One copy from the device to the host for all numbers of a report."""

from __future__ import annotations

from typing import Callable

import torch

Receiver = Callable[[list[float]], None]


class Transfer:
    """Collects small tensors and copies them to the host together, so that a report waits for its device once."""

    def __init__(self) -> None:
        self._parts: dict[torch.device, list[tuple[torch.Tensor, Receiver]]] = {}

    def add(self, values: torch.Tensor, receive: Receiver) -> None:
        """Calls `receive` with the values, flattened, as doubles, in `run`."""
        flattened = values.detach().reshape(-1).to(torch.float64)
        self._parts.setdefault(flattened.device, []).append((flattened, receive))

    def run(self) -> None:
        """Copies everything added so far to the host and calls the receivers in the order of adding."""
        collected, self._parts = self._parts, {}
        for parts in collected.values():
            numbers: list[float] = torch.cat([part for part, _ in parts]).tolist()
            begin = 0
            for part, receive in parts:
                end = begin + part.numel()
                receive(numbers[begin:end])
                begin = end
