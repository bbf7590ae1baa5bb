"""The watcher of one model, created by `nnmonitor.watch(model)`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional, Union

import torch
from torch import nn

from nnmonitor.watching import distributed
from nnmonitor.watching.builder import ReportBuilder
from nnmonitor.watching.cadence import Cadence
from nnmonitor.watching.guard import Guard
from nnmonitor.watching.hooks import is_compiling
from nnmonitor.watching.measurement import Measurement, Selection
from nnmonitor.watching.optimizers import Optimizers
from nnmonitor.watching.readers.activations import Activations
from nnmonitor.watching.readers.compiled import CompiledActivations, is_compiled
from nnmonitor.watching.report import LayerReport
from nnmonitor.watching.rounds import Rounds
from nnmonitor.watching.structure import Layer, LayerFunction, LayerParameters, Parameters, find_layers

_LOGS = ("all", "gradients", "parameters", "activations")


class Watcher:
    """Measures a model's layers at some of its optimizer steps, and hands each report to `sink`.

    Args:
        model: the module to watch; wrappers (`DistributedDataParallel`, `torch.compile`) may be around it.
        optimizer: the optimizer, or a list of them, whose steps count. None: every optimizer that holds a parameter of
            the model.
        log: `"all"`, `"gradients"`, `"parameters"` or `"activations"`, or several of them.
        every: report every so many optimizer steps; `"auto"` chooses the smallest of 1, 2, 5, 10, ... that keeps the
            cost of reports at most 1 % of training.
        layers: patterns of layer ids, as in `fnmatch`; one that begins with `!` excludes. None: all layers.
        histograms: also post percentiles and exponent histograms, from a sample of at most 4 096 values a tensor.
        functions: pattern of layer ids to `f(module, inputs, output)`, which returns a mapping of metric names to
            numbers, 0-d tensors, or 1-d tensors (vectors). Called after the module's forward at reported steps.
        sink: called with each `LayerReport`, on the training thread, after the optimizer's step and before
            `on_optimizer_step`.
        on_optimizer_step: called once after each optimizer step, reported or not. Several optimizers that take turns
            (a GAN) count as one step a round.
        warn: called with a sentence, once per text.
        strict: raise errors of measuring instead of passing them to `warn`.

    Raises:
        ValueError: an argument has a value that is not listed above.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Any = None,
        *,
        log: Union[str, Sequence[str]] = "all",
        every: Union[int, str] = "auto",
        layers: Union[str, Sequence[str], None] = None,
        histograms: bool = False,
        functions: Optional[Mapping[str, LayerFunction]] = None,
        sink: Callable[[LayerReport], None],
        on_optimizer_step: Callable[[], None],
        warn: Callable[[str], None],
        strict: bool = False,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise ValueError(f"model must be a torch.nn.Module, not a {type(model).__name__}")
        logs = {log} if isinstance(log, str) else set(log)
        if not logs or not logs.issubset(_LOGS):
            raise ValueError(f"log must be one of {', '.join(_LOGS)}, not {log!r}")
        gradients, parameters, activations = ("all" in logs or kind in logs for kind in _LOGS[1:])
        wanted = Selection(gradients, parameters, activations, histograms)
        self._cadence = Cadence(every)
        self._guard = Guard(warn, strict)
        self._sink = sink
        self._on_optimizer_step = on_optimizer_step
        self._layers = find_layers(model, layers, functions)
        self._parameters = Parameters(self._layers)
        if not self._layers:
            self._guard.warn("watch: no layer to watch: the model has no parameters, or `layers` excludes all of them")
        self._measurement = Measurement(wanted, self._guard)
        self._builder = ReportBuilder(self._layers)
        self._compiled = is_compiled(model)
        self._activations: Union[Activations, CompiledActivations, None] = None
        if wanted.activations:
            kind = CompiledActivations if self._compiled else Activations
            self._activations = self._guard.run("activations", "*", kind, model, self._layers, self._guard)
        self._rounds = Rounds()
        self._round = -1
        # Whether the coming round is to be reported, and whether the running optimizer step is being measured.
        self._started = False
        self._measuring = False
        # Other ranks of data-parallel training have the same weights and gradients. Known from the first report on.
        self._passive = False
        self._blind_reports = 0
        self._cost = 0.0
        self._last_end: Optional[float] = None
        self._optimizers = Optimizers(model, optimizer, self._before_step, self._after_step)
        self._start_if_due()

    @property
    def interval(self) -> int:
        """The number of optimizer steps between reports: `every`, or the current choice of `"auto"`."""
        return self._cadence.interval

    def close(self) -> None:
        """Removes all hooks, after sending a pending report. Training continues unwatched."""
        if not self._builder.empty:
            self._guard.run("report", "*", self._finish_round)
        self._optimizers.close()
        self._measurement.clipping.disarm()
        if self._activations is not None:
            self._activations.stop()
            self._activations.remove()

    def __deepcopy__(self, _memo: Any) -> Watcher:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return object, ()

    def _before_step(
        self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Optional[tuple[tuple[Any, ...], dict[str, Any]]]:
        """Pre-step hook. Reads gradients, or, where there is a closure, replaces it by one that reads after it."""
        if is_compiling():
            return None
        begin = time.perf_counter()
        try:
            if not self._optimizers.trains_model(optimizer):
                return None
            if self._rounds.unfinished(id(optimizer)):
                self._finish_round()
            if self._rounds.enter(id(optimizer)):
                self._round += 1
            self._measuring = False
            if not self._started or not self._cadence.due(self._round):
                return None
            position = next((index for index, value in enumerate(args) if index > 0 and callable(value)), None)
            closure = kwargs.get("closure") if position is None else args[position]
            if closure is None:
                self._measure_before(optimizer)
                return None
            wrapped = self._reading_closure(optimizer, closure)
            if position is None:
                return args, {**kwargs, "closure": wrapped}
            return (*args[:position], wrapped, *args[position + 1:]), kwargs
        except Exception as error:  # An error in a hook would end training.
            self._guard.failed("report", "*", error)
            return None
        finally:
            self._cost += time.perf_counter() - begin

    def _reading_closure(self, optimizer: Any, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure, after whose first call gradients are read: before it they are those of the last step."""
        pending = [True]

        def wrapped() -> Any:
            result = closure()
            if pending:
                pending.clear()
                begin = time.perf_counter()
                try:
                    self._measure_before(optimizer)
                except Exception as error:
                    self._guard.failed("report", "*", error)
                self._cost += time.perf_counter() - begin
            return result

        return wrapped

    def _measure_before(self, optimizer: Any) -> None:
        parameters = self._parameters.resolve()
        if distributed.rank() != 0:
            listed = [parameter for found in parameters.values() for parameter in found.all]
            self._passive = not any(distributed.is_sharded(parameter) for parameter in listed)
            if self._passive:
                return
        owned = self._optimizers.owned(optimizer)
        layers = self._layers_of(optimizer, parameters, owned)
        with torch.no_grad():
            self._measurement.before(optimizer, layers, parameters, owned, self._activations)
        self._builder.describe(parameters)
        self._measuring = True

    def _layers_of(
        self, optimizer: Any, parameters: dict[int, LayerParameters], owned: set[int]
    ) -> list[Layer]:
        """The layers that the optimizer trains; with the first one of a round also those that no optimizer trains."""
        others = self._optimizers.owned_by_others(optimizer)
        first = self._rounds.first_in_round
        chosen = []
        for layer in self._layers:
            ids = parameters[layer.index].ids
            if not ids.isdisjoint(owned) or (first and ids.isdisjoint(others)):
                chosen.append(layer)
        return chosen

    def _after_step(self, optimizer: Any, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
        """Post-step hook."""
        if is_compiling():
            return
        begin = time.perf_counter()
        try:
            if not self._optimizers.trains_model(optimizer):
                return
            if self._measuring:
                self._measuring = False
                with torch.no_grad():
                    self._builder.add(self._measurement.after(self._cadence.measured()))
                self._warn_if_blind()
            if self._rounds.leave():
                self._finish_round(begin)
        except Exception as error:  # An error in a hook would end training.
            self._guard.failed("report", "*", error)

    def _finish_round(self, begin: Optional[float] = None) -> None:
        """Passes on the measurements of the round, counts the step, and prepares the next round.

        Args:
            begin: when the hook began whose time counts as cost; None if the next round has begun already.
        """
        reported = not self._builder.empty
        merged = None
        if reported:
            report, merged = self._builder.build()
            self._cadence.reported(self._round)
            if distributed.rank() == 0:
                self._sink(report)
        if self._rounds.count():
            self._on_optimizer_step()
        if begin is None:
            self._started = False
            return
        now = time.perf_counter()
        cost = self._cost + now - begin
        if self._activations is not None:
            cost += self._activations.seconds
            self._activations.seconds = 0.0
        self._cost = 0.0
        if reported:
            self._cadence.cost(cost)
        if self._last_end is not None:
            self._cadence.stepped(now - self._last_end - cost)
        self._last_end = now
        if reported:
            self._cadence.choose(*(merged or self._cadence.measured()))
        self._start_if_due()

    def _start_if_due(self) -> None:
        """Installs the hooks of a reported step, or removes them."""
        self._started = self._cadence.due(self._round + 1) and not self._passive
        activations = self._activations
        if not self._started:
            self._measurement.clipping.disarm()
            if activations is not None:
                activations.stop()
            return
        self._measurement.start(self._optimizers.parameter_groups())
        if activations is not None:
            self._guard.run(
                "activations", "*", activations.start, self._measurement.reducer, self._measurement.sampler)

    def _warn_if_blind(self) -> None:
        """Warns where no output was seen at two reports."""
        if self._activations is None or self._activations.calls:
            self._blind_reports = 0
            return
        self._blind_reports += 1
        if self._compiled:
            self._guard.warn(
                "watch: no activations: the compiled model was called before watch. Call watch(model) before the "
                "first call of the model; gradients and weights are reported.")
        elif getattr(self._activations, "traced", False):
            self._guard.warn(
                "watch: no activations: the model was compiled after watch. Call watch(model) with the compiled "
                "model; gradients and weights are reported.")
        elif self._blind_reports == 2:
            self._guard.warn(
                "watch: no activations: no layer was called in training mode with gradients enabled. Gradients and "
                "weights are reported.")
