"""Joins the measurements of one round's optimizers into one report."""

from __future__ import annotations

from typing import Any, Optional

from nnmonitor.watching.measurement import StepResult
from nnmonitor.watching.report import LayerReport
from nnmonitor.watching.structure import Layer, LayerParameters
from nnmonitor.watching.table import Row, add_cross_layer_ratios, row_of


class ReportBuilder:
    """Collects rows. Layers without parameters are listed from the first report on in which they had a metric."""

    def __init__(self, layers: list[Layer]) -> None:
        self._layers = layers
        self._rows: dict[int, Row] = {}
        self._vectors: dict[str, dict[int, list[float]]] = {}
        self._scalars: dict[str, float] = {}
        self._counts: dict[int, tuple[int, bool]] = {}
        self._listed = {layer.index for layer in layers if layer.has_parameters}
        self._merged: Optional[list[float]] = None

    @property
    def empty(self) -> bool:
        return not self._rows

    def describe(self, parameters: dict[int, LayerParameters]) -> None:
        """Takes counts of values, and whether any of them is trained."""
        for index, found in parameters.items():
            listed = found.all
            if listed:
                count = sum([parameter.numel() for parameter in listed])
                self._counts[index] = count, any(parameter.requires_grad for parameter in listed)

    def add(self, result: StepResult) -> None:
        """Takes one optimizer's step. Later values win."""
        for index, measured in result.layers.items():
            self._rows.setdefault(index, {}).update(row_of(measured))
        for name, by_layer in result.vectors.items():
            self._vectors.setdefault(name, {}).update(by_layer)
        self._scalars.update(result.scalars)
        self._merged = result.maxima

    def build(self) -> tuple[LayerReport, Optional[list[float]]]:
        """The report, and the maxima over ranks where there are any. The next round begins empty."""
        self._listed.update(index for index, row in self._rows.items() if row)
        self._listed.update(index for by_layer in self._vectors.values() for index in by_layer)
        layers = [layer for layer in self._layers if layer.index in self._listed]
        rows = [self._rows.get(layer.index, {}) for layer in layers]
        add_cross_layer_ratios(rows)
        names = sorted({name for row in rows for name in row})
        report = LayerReport(
            [self._describe(layer) for layer in layers], {name: [row.get(name) for row in rows] for name in names},
            {
                name: {self._layers[index].id: values for index, values in by_layer.items()}
                for name, by_layer in self._vectors.items()},
            self._scalars)
        merged = self._merged
        self._rows, self._vectors, self._scalars, self._merged = {}, {}, {}, None
        return report, merged

    def _describe(self, layer: Layer) -> dict[str, Any]:
        count, trainable = self._counts.get(layer.index, (0, False))
        described: dict[str, Any] = {"id": layer.id, "type": layer.type, "depth": layer.index}
        if layer.shape is not None:
            described["shape"] = layer.shape
        described["parameters"] = count
        # A layer without parameters keeps the wire's default.
        if layer.has_parameters:
            described["trainable"] = trainable
        if layer.group is not None:
            described["group"] = layer.group
        return described
