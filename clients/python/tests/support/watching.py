"""A stand-in for `nnmonitor.watching`: the test says when the optimizer steps and what is reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class Report:
    layers: list = field(default_factory=list)
    metrics: dict = field(default_factory=dict)
    vectors: dict = field(default_factory=dict)
    scalars: dict = field(default_factory=dict)


class Watcher:
    made: ClassVar[list] = []

    def __init__(self, model, optimizer, *, sink, on_optimizer_step, warn, strict, **options):
        self.model, self.optimizer, self.options = model, optimizer, options
        self.sink, self.on_optimizer_step, self.warn, self.strict = sink, on_optimizer_step, warn, strict
        self.closed = False
        Watcher.made.append(self)

    def step(self, **report):
        """An optimizer step, reported where something is given."""
        if report:
            self.sink(Report(**report))
        self.on_optimizer_step()

    def close(self):
        self.closed = True
