"""A run: the verbs, the step counter, and the records that they write to the spool.

This file is long because a run has all verbs, and each of them must keep errors out of training.
"""

from __future__ import annotations

import functools
import importlib
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union, cast

from ..errors import DeliveryError, NNMonitorError
from ..notices import LOGGER, Notices
from ..settings import Settings
from ..spooling.records import Fields, merge_fields
from ..spooling.values import shortened
from . import process
from .configuration import Config, Summary, as_mapping
from .counting import StepCounter
from .outlet import Outlet
from .scalars import Scalars

_LEVELS = {"INFO": "info", "WARN": "warning", "WARNING": "warning", "ERROR": "critical", "CRITICAL": "critical"}

Verb = TypeVar("Verb", bound=Callable[..., Any])


def _harmless(verb: Verb) -> Verb:
    """Keeps errors of the client out of training, unless the run is strict. In a forked child the verb does nothing."""

    @functools.wraps(verb)
    def guarded(self: Run, *arguments: Any, **named: Any) -> Any:
        if os.getpid() != self._pid:
            return None
        try:
            result = verb(self, *arguments, **named)
        except Exception as error:
            if self._strict:
                raise
            self._notices.once(
                f"{verb.__name__.strip('_')}() failed ({type(error).__name__}: {error}); training continues",
                key=f"verb {verb.__name__} {type(error).__name__}",
            )
            LOGGER.debug("%s", verb.__name__, exc_info=True)
            return None
        finally:
            process.verb_ended()
        if self._strict and self._outlet is not None and self._outlet.failure is not None:
            raise DeliveryError(self._outlet.failure)
        return result

    process.verb_code(cast(Any, guarded).__code__)  # The same for all verbs.
    return cast(Verb, guarded)


class Run:
    """One training run. Made by `nnmonitor.init`; usable as a context manager, which finishes it.

    Attributes:
        id: the run id, the same on the server.
        name, project: as given to `init`.
        config: a mapping with attributes; changes are sent.
        summary: the last value of each scalar; local and read-only.
    """

    def __init__(
        self, run_id: str, settings: Settings, fields: Fields, *, step: int = 0, strict: bool = False,
        notices: Optional[Notices] = None, config: Any = None, rank: Optional[int] = None,
    ) -> None:
        self.id = run_id
        self.name: Optional[str] = fields.get("name")
        self.project: Optional[str] = fields.get("project")
        self._pid = os.getpid()
        self._settings = settings
        self._strict = strict
        #: Set if another rank reports. `watch` still measures, because with FSDP every rank must participate.
        self._rank = rank
        self._notices = notices or Notices()
        self._lock = threading.RLock()
        self._steps = StepCounter(step)
        #: Watcher and model by number.
        self._watchers: dict[int, tuple[Any, Any]] = {}
        self._next_watcher = 0
        self._scalars = Scalars(self._notices, strict)
        self._fields: Fields = {}
        self._closed = False
        self._outlet: Optional[Outlet] = None
        self._last: dict[str, Any] = {}
        self.summary = Summary(self._last, self._notices)
        self.config = Config(self._send_config, self._notices)
        first = {**fields, "state": "running"}
        if config is not None:
            self.config._items.update(_config_mapping(config, self._notices))
            first["config"] = self.config.sendable(self.config)
        self._fields = merge_fields({}, first)
        if settings.mode != "disabled":
            self._outlet = Outlet(run_id, settings, first, self._notices, strict)
        process.begin(self)

    # Verbs

    @_harmless
    def log(self, data: Mapping[str, Any], step: Optional[int] = None, commit: Optional[bool] = None) -> None:
        """Logs scalars at a step. They are safe against the death of this process when this returns.

        Args:
            data: name to number: Python, numpy or torch; nested mappings give `outer/inner`. Non-finite numbers are
                kept as they are.
            step: an integer >= 0, not below an earlier one. Without it: the count of optimizer steps where `watch` is
                used, otherwise the count of calls.
            commit: with `False`, the next call without `step` logs at the same step, as in W&B.
        """
        if self._closed:
            self._notices.once(f"log() after finish() does nothing: run {self.id} has ended")
            return
        process.still_alive()
        scalars = self._scalars.flat(data)
        with self._lock:
            place = self._steps.log(step, not self._watchers and commit is not False)
            if place is None:
                self._notices.once(
                    f"a record has a lower step than {self._steps.highest}: records of a lower step are dropped. "
                    "Log with increasing steps, or without step=",
                    key="lower step",
                )
                return
            at, claimed = place
            record: dict[str, Any] = {"kind": "step", "step": at, "time": time.time(), "scalars": scalars}
            if claimed:
                record["claims"] = claimed
            self._append(record)
            self._last.update(scalars)

    @_harmless
    def watch(
        self, model: Any, optimizer: Any = None, log: str = "all", every: Union[int, str] = "auto", layers: Any = None,
        histograms: bool = False, functions: Any = None, log_freq: Optional[int] = None, **ignored: Any,
    ) -> Any:
        """Reports statistics of the model's layers. Needs PyTorch; docs/CLIENT.md has the list of metrics.

        Args:
            model: a `torch.nn.Module`.
            optimizer: the one that trains it, or a list of them; without it, the watcher finds it.
            log: `"all"`, `"gradients"`, `"parameters"` or `"activations"`.
            every: a report every so many optimizer steps; `"auto"` chooses an interval that costs at most 1 %.
            layers: patterns of module paths to include or exclude.
            histograms: also exponent histograms.
            functions: statistics of the user's own.
            log_freq: W&B's name of `every`.

        Returns:
            The watcher, which `unwatch` also accepts; None if it could not be created.
        """
        if self._closed or (self._settings.mode == "disabled" and self._rank is None):
            return None
        if ignored:
            self._notices.once(f"watch() ignores unknown arguments: {', '.join(sorted(ignored))}")
        several = optimizer if isinstance(optimizer, (list, tuple)) else [optimizer]
        if optimizer is not None and not all(hasattr(one, "param_groups") for one in several):
            self._notices.once("watch() ignores its second argument: it is not an optimizer (W&B: the criterion)")
            optimizer = None
        try:
            make = importlib.import_module("nnmonitor.watching").Watcher
        except ImportError as error:
            raise NNMonitorError(f"no layers are watched: {error}") from error
        number = self._next_watcher
        self._next_watcher += 1
        watcher = make(
            model, optimizer, log=log, every=every if log_freq is None else log_freq, layers=layers,
            histograms=histograms, functions=functions, sink=functools.partial(self._report, number),
            on_optimizer_step=functools.partial(self._optimizer_stepped, number), warn=self._notices.once,
            strict=self._strict,
        )
        with self._lock:
            self._watchers[number] = (watcher, model)
        return watcher

    @_harmless
    def unwatch(self, model: Any = None) -> None:
        """Removes the hooks of a model (or a watcher), or of all that are watched."""
        self._unwatch(model)

    def _unwatch(self, model: Any = None) -> None:
        for number, (watcher, watched) in list(self._watchers.items()):
            if model is None or model is watcher or model is watched:
                with self._lock:
                    del self._watchers[number]
                try:
                    watcher.close()
                except Exception as error:  # The run must be delivered even if the hooks fail.
                    self._notices.once(f"the hooks of a model could not be removed ({type(error).__name__}: {error})")

    @_harmless
    def alert(self, title: str, text: str = "", level: Any = "info", wait_duration: Any = None) -> None:
        """Shows an alert on the dashboard, and forwards it where the server is set up to.

        Args:
            title, text: what happened.
            level: `info`, `warning` or `critical`; W&B's `INFO`, `WARN`, `ERROR` too.
            wait_duration: accepted for programs written for W&B.
        """
        if self._closed:
            return
        spelling = str(getattr(level, "value", level)).upper()
        name = shortened(str(title), 1_024) or "alert"
        body = {"level": _LEVELS.get(spelling, "info"), "title": name, "step": self._steps.value}
        if text:
            body["text"] = shortened(str(text), 16_000)
        self._append({"kind": "alert", "alert": body})

    @_harmless
    def finish(
        self, exit_code: Optional[int] = None, reason: Optional[str] = None, quiet: Optional[bool] = None
    ) -> None:
        """Sends what is left, for at most `exit_timeout` seconds, and closes the run.

        Args:
            exit_code: None or 0 gives the state `finished`, anything else `failed`.
            reason: shown beside the state.
            quiet: accepted for programs written for W&B.

        Raises:
            DeliveryError: in strict mode, where not everything was delivered. The spool keeps it.
        """
        if self._closed:
            return
        self._closed = True
        self._unwatch()
        put: Fields = {"state": "failed" if exit_code else "finished", "exit_code": exit_code or 0}
        if reason:
            put["reason"] = shortened(reason, 1_000)
        self._put(put)
        process.done(self)
        if self._outlet is None:
            return
        delivered = self._outlet.close()
        self._log_outcome(delivered)
        if not delivered and self._strict and self._settings.mode == "online":
            raise DeliveryError(
                f"run {self.id}: not everything was delivered; `nnmonitor sync {self.directory}` sends it"
            )

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if kind is None:
            self.finish()
            return
        code = 130 if issubclass(kind, KeyboardInterrupt) else 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else 1 if error.code else 0
        try:
            self.finish(exit_code=code, reason=f"{kind.__name__}: {error}"[:500] if code else None)
        except DeliveryError as problem:
            self._notices.once(str(problem))  # The program's own exception matters more.

    def __deepcopy__(self, memo: Any) -> Run:
        return self  # It owns a thread and a file; a copied model that holds it keeps the same run.

    def __reduce__(self) -> Any:
        return _elsewhere, (self.id,)

    def __repr__(self) -> str:
        return f"Run(id={self.id!r})"

    @property
    def directory(self) -> Optional[Path]:
        """Of the spool; None if there is none."""
        return self._outlet.directory if self._outlet is not None else None

    @property
    def step(self) -> int:
        """The step of the next `log` without `step=`."""
        return self._steps.value

    @property
    def url(self) -> str:
        """The server's address."""
        return self._settings.url

    # The end of the process

    def end(self, exit_code: int, reason: Optional[str]) -> None:
        """The process ends: see `process`."""
        try:
            self.finish(exit_code=exit_code, reason=reason)
        except Exception as error:
            self._notices.once(str(error))

    def abandon(self) -> None:
        """In a forked child: the run stays the parent's."""
        if self._outlet is not None:
            self._outlet.abandon()

    # Reports

    @_harmless
    def _report(self, watcher: int, report: Any) -> None:
        """A report of `watch`, within the optimizer's step; see `joining` for the step that it gets."""
        if self._gone():
            return
        with self._lock:
            counter = self._steps.report(watcher, self._counts(watcher))
            record: dict[str, Any] = {
                "kind": "report", "watcher": watcher, "counter": counter, "time": time.time(), "layers": report.layers,
                "metrics": report.metrics,
            }
            if report.vectors:
                record["vectors"] = report.vectors
            if report.scalars:
                record["scalars"] = report.scalars
            self._append(record)

    @_harmless
    def _optimizer_stepped(self, watcher: int) -> None:
        """After every optimizer step."""
        if self._gone():
            return
        with self._lock:
            step = self._steps.stepped(watcher, self._counts(watcher))
            if step is not None:
                self._append({"kind": "claim", "watcher": watcher, "step": step})

    def _counts(self, watcher: int) -> bool:
        """Of several optimizers (two of a GAN), the first that is watched counts the steps."""
        return watcher == min(self._watchers, default=watcher)

    def _gone(self) -> bool:
        return self._closed or self._outlet is None or os.getpid() != self._pid

    # Records

    def _append(self, record: dict[str, Any]) -> None:
        if self._outlet is None:
            return
        # A new segment begins with all fields of the run, and must not part a report from its `log`.
        self._outlet.append(record, None if self._steps.waiting else self._fields)

    def _put(self, put: Fields) -> None:
        with self._lock:
            self._fields = merge_fields(self._fields, put)
            self._append({"kind": "put", "put": put})

    @_harmless
    def _send_config(self, values: dict[str, Any]) -> None:
        if self._gone() or not values:
            return
        self._put({"config": values})

    def _log_outcome(self, delivered: bool) -> None:
        """The last line about the run."""
        courier = self._outlet.courier if self._outlet is not None else None
        counts = (
            (courier.refused if courier else 0, "rejected by the server"),
            (self._steps.dropped, "dropped because their step was lower than an earlier one"),
            (courier.thinned if courier else 0, "dropped to keep the spool within its bound"),
        )
        notes = [f"{count} {what}" for count, what in counts if count]
        extra = f" ({', '.join(notes)})" if notes else ""
        if delivered:
            self._notices.info(f"run {self.id}: {courier.delivered if courier else 0} steps delivered{extra}")
        elif courier is None:
            self._notices.info(f"run {self.id} is kept{extra}; `nnmonitor sync {self.directory}` sends it")
        else:
            self._notices.info(
                f"run {self.id}: not everything was delivered{extra}; `nnmonitor sync {self.directory}` sends the rest"
            )


def _elsewhere(run_id: str) -> Run:
    """What a run is after pickling, in another process or a checkpoint: its verbs do nothing."""
    run = Run.__new__(Run)
    run.id, run.name, run.project = run_id, None, None
    run._pid = -1
    run.summary = Summary({}, Notices())
    return run


def _config_mapping(config: Any, notices: Notices) -> dict[str, Any]:
    try:
        return as_mapping(config)
    except (TypeError, ValueError) as error:
        notices.once(f"config= is not used: {error}")
        return {}
