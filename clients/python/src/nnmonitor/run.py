"""A run: the verbs, the step counter, and the records that they write to the spool."""

from __future__ import annotations

import functools
import importlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union, cast

from . import process, spool
from .config import Config, Summary, as_mapping
from .delivery import Courier
from .errors import DeliveryError, NNMonitorError, SettingError
from .notices import LOGGER, Notices
from .records import Fields, merge_fields
from .scalars import Scalars
from .sender import Sender, leftovers
from .settings import Settings
from .transport import Transport

_LEVELS = {"INFO": "info", "WARN": "warning", "WARNING": "warning", "ERROR": "critical", "CRITICAL": "critical"}
_SEGMENT_BYTES = 4_000_000

Verb = TypeVar("Verb", bound=Callable[..., Any])


def _harmless(verb: Verb) -> Verb:
    """Keeps errors of the client out of training, unless the run is strict. In a forked child the verb does nothing."""

    @functools.wraps(verb)
    def guarded(self: Run, *arguments: Any, **named: Any) -> Any:
        if os.getpid() != self._pid:
            return None
        try:
            with process.VERB:
                result = verb(self, *arguments, **named)
        except Exception as error:
            if self._strict:
                raise
            self._notices.once(
                f"{verb.__name__}() failed ({type(error).__name__}: {error}); training goes on",
                key=f"verb {verb.__name__} {type(error).__name__}",
            )
            LOGGER.debug("%s", verb.__name__, exc_info=True)
            return None
        if self._strict and self._sender is not None and self._sender.failure is not None:
            raise DeliveryError(self._sender.failure)
        return result

    return cast(Verb, guarded)


class Run:
    """One training run. Made by `nnmonitor.init`; usable as a context manager, which finishes it.

    Attributes:
        id: the run id, the same on the server.
        name, project: as given to `init`.
        config: a mapping with attributes; changes are sent.
        summary: the last value of each scalar; local and read-only.
        directory: of the spool; None where there is none.
    """

    def __init__(
        self, run_id: str, settings: Settings, fields: Fields, *, step: int = 0, strict: bool = False,
        notices: Optional[Notices] = None, config: Any = None, rank: Optional[int] = None,
    ) -> None:
        self.id = run_id
        self.directory: Optional[Path] = None
        self._pid = os.getpid()
        self._settings = settings
        self._strict = strict
        #: Set where another rank reports. `watch` still measures: with FSDP every rank must take part.
        self._rank = rank
        self._notices = notices or Notices()
        self._lock = threading.RLock()
        self._counter = step
        self._highest: Optional[int] = None
        self._dropped = 0
        self._watchers: dict[int, Any] = {}
        #: Per watcher: the counter of the report that waits for its step, and whether its optimizer step is under way.
        self._reports: dict[int, tuple[int, bool]] = {}
        self._next_watcher = 0
        self._scalars = Scalars(self._notices, strict)
        self._fields: Fields = {}
        self._closed = False
        self._writer: Optional[spool.SpoolWriter] = None
        self._sender: Optional[Sender] = None
        self._courier: Optional[Courier] = None
        self._spool_lock: Optional[spool.Lock] = None
        self._last: dict[str, Any] = {}
        self.summary = Summary(self._last)
        self.config = Config(self._send_config, self._notices)
        first = {**fields, "state": "running"}
        if config is not None:
            self.config._items.update(_config_mapping(config, self._notices))
            first["config"] = self.config.sendable(self.config)
        self._fields = merge_fields({}, first)
        if settings.mode != "disabled":
            self._open(first)
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
            commit: `False` lets the next call without `step` go to the same step. As in W&B.
        """
        if self._closed:
            self._notices.once(f"log() after finish() does nothing: run {self.id} has ended")
            return
        process.still_alive()
        scalars = self._scalars.flat(data)
        with self._lock:
            at = self._step(step)
            if at is None:
                return
            record: dict[str, Any] = {"kind": "step", "step": at, "time": time.time(), "scalars": scalars}
            if self._reports:
                record["claims"] = list(self._reports)
                self._reports.clear()
            self._highest = at
            self._counter = at
            if step is None and not self._watchers and commit is not False:
                self._counter += 1
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
            optimizer: the one that trains it; found by itself where it is not given.
            log: `"all"`, `"gradients"`, `"parameters"` or `"activations"`.
            every: a report every so many optimizer steps; `"auto"` measures and takes what costs at most 1 %.
            layers: patterns of module paths to include or exclude.
            histograms: also exponent histograms.
            functions: statistics of the user's own.
            log_freq: W&B's name of `every`.

        Returns:
            The watcher, which `unwatch` takes too; None where it could not be made.
        """
        if self._closed or (self._settings.mode == "disabled" and self._rank is None):
            return None
        if ignored:
            self._notices.once(f"watch() does not know {', '.join(sorted(ignored))}: ignored")
        if optimizer is not None and not hasattr(optimizer, "param_groups"):
            self._notices.once("watch() ignores its second argument: it is no optimizer (W&B takes a criterion there)")
            optimizer = None
        try:
            watching = importlib.import_module(".watching", __package__)
        except ImportError as error:
            raise NNMonitorError(f"watch() needs PyTorch, which cannot be imported ({error}); log() works") from error
        number = self._next_watcher
        self._next_watcher += 1
        watcher = watching.Watcher(
            model, optimizer, log=log, every=every if log_freq is None else log_freq, layers=layers,
            histograms=histograms, functions=functions, sink=functools.partial(self._report, number),
            on_optimizer_step=functools.partial(self._optimizer_stepped, number), warn=self._notices.once,
        )
        with self._lock:
            self._watchers[number] = watcher
        return watcher

    @_harmless
    def unwatch(self, model: Any = None) -> None:
        """Removes the hooks of a model (or a watcher), or of all that are watched."""
        for number, watcher in list(self._watchers.items()):
            if model is None or watcher is model or getattr(watcher, "model", None) is model:
                watcher.close()
                with self._lock:
                    del self._watchers[number]

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
        body = {"level": _LEVELS.get(spelling, "info"), "title": str(title)[:1000] or "alert", "step": self._counter}
        if text:
            body["text"] = str(text)[:16_000]
        self._append({"kind": "alert", "alert": body})

    @_harmless
    def finish(self, exit_code: Optional[int] = None, reason: Optional[str] = None) -> None:
        """Sends what is left, for at most `exit_timeout` seconds, and closes the run.

        Args:
            exit_code: None or 0 gives the state `finished`, anything else `failed`.
            reason: shown beside the state.

        Raises:
            DeliveryError: in strict mode, where not everything was delivered. The spool keeps it.
        """
        if self._closed:
            return
        self.unwatch()
        self._closed = True
        put: Fields = {"state": "failed" if exit_code else "finished", "exit_code": exit_code or 0}
        if reason:
            put["reason"] = reason
        self._put(put)
        process.done(self)
        delivered = self._sender is None or self._sender.close(self._settings.exit_timeout)
        self._close_spool(delivered)
        if not delivered and self._strict:
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

    def __repr__(self) -> str:
        return f"Run(id={self.id!r}, url={self._settings.url!r})"

    @property
    def step(self) -> int:
        """The step of the next `log` without `step=`."""
        return self._counter

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
        for opened in (self._spool_lock, self._writer):
            try:
                if isinstance(opened, spool.Lock):
                    opened.release()
                elif opened is not None:
                    opened.close()
            except OSError:
                pass

    # Steps

    def _step(self, step: Any) -> Optional[int]:
        """The step to log at; None where the record must be dropped."""
        if step is None:
            step = self._counter
        elif hasattr(step, "__index__"):
            step = step.__index__()
        elif isinstance(step, float) and step.is_integer():
            step = int(step)
        else:
            raise TypeError(f"step is {step!r}; it must be an integer")
        if not 0 <= step < 2**63:
            raise ValueError(f"step is {step}; it must be 0 or more and fit 64 bits")
        if self._highest is not None and step < self._highest:
            self._dropped += 1
            self._notices.once(
                f"step {step} came after step {self._highest}: records of a lower step are dropped. Log with growing "
                "steps, or leave step= out",
                key="lower step",
            )
            return None
        return int(step)

    def _report(self, watcher: int, report: Any) -> None:
        """A report of `watch`, within the optimizer's step; see `joining` for the step that it gets."""
        if self._gone():
            return
        with process.VERB, self._lock:
            self._settle(watcher)
            counter = self._counter + (1 if self._counts(watcher) else 0)
            record: dict[str, Any] = {
                "kind": "report", "watcher": watcher, "counter": counter, "time": time.time(), "layers": report.layers,
                "metrics": report.metrics,
            }
            if report.vectors:
                record["vectors"] = report.vectors
            if report.scalars:
                record["scalars"] = report.scalars
            self._reports[watcher] = (counter, True)
            self._append(record)

    def _optimizer_stepped(self, watcher: int) -> None:
        """After every optimizer step."""
        if self._gone():
            return
        with process.VERB, self._lock:
            waiting = self._reports.get(watcher)
            if waiting is not None and waiting[1]:
                self._reports[watcher] = (waiting[0], False)
            elif waiting is not None:
                self._settle(watcher)
                self._append({"kind": "claim", "watcher": watcher, "step": waiting[0]})
            if self._counts(watcher):
                self._counter += 1

    def _settle(self, watcher: int) -> None:
        """The watcher's report got no `log`: it takes its counter."""
        counter, _ = self._reports.pop(watcher, (None, False))
        if counter is not None:
            self._highest = counter if self._highest is None else max(self._highest, counter)

    def _counts(self, watcher: int) -> bool:
        """Of several optimizers (two of a GAN), the first that is watched counts the steps."""
        return watcher == min(self._watchers, default=watcher)

    def _gone(self) -> bool:
        return self._closed or self._writer is None or os.getpid() != self._pid

    # The spool

    def _open(self, first: Fields) -> None:
        settings = self._settings
        self.directory = spool.new_directory(settings.root, self.id)
        self._spool_lock = spool.Lock.take(self.directory)
        spool.write_meta(self.directory, self.id, settings.url, settings.digits)
        self._writer = spool.SpoolWriter(self.directory, min(_SEGMENT_BYTES, settings.spool_bytes // 16))
        self._append({"kind": "put", "put": first})
        if settings.mode != "online":
            return
        try:
            transport = Transport(settings.url, settings.token, settings.ca, settings.fingerprint)
        except SettingError as error:
            if self._strict:
                raise
            self._notices.once(f"{error}. Steps are kept in {self.directory}; `nnmonitor sync` can send them")
            return
        meta = spool.read_meta(self.directory)
        self._courier = Courier(
            self.directory, meta, transport, self._notices, self._writer, settings.spool_bytes
        )
        left = leftovers(settings.root, settings.url, self.directory)
        before = [one for one in left if one[2]["run"] == self.id]
        others = [one for one in left if one[2]["run"] != self.id]
        self._sender = Sender(
            self._courier, self._spool_lock, transport, self._notices, before, others,
            lambda directory, found: Courier(directory, found, transport, self._notices),
        )

    def _append(self, record: dict[str, Any]) -> None:
        if self._writer is None:
            return
        # A new segment begins with all fields of the run, and must not part a report from its `log`.
        base = None if self._reports else self._fields
        if not self._writer.append(record, base):
            self._notices.once(
                f"the spool {self.directory} cannot be written (is the disk full?): records wait in memory, and are "
                "lost if this process dies",
                key="disk",
            )

    def _put(self, put: Fields) -> None:
        with process.VERB, self._lock:
            self._fields = merge_fields(self._fields, put)
            self._append({"kind": "put", "put": put})

    def _send_config(self, values: dict[str, Any]) -> None:
        if self._gone() or not values:
            return
        self._put({"config": values})

    def _close_spool(self, delivered: bool) -> None:
        if self._writer is not None:
            self._writer.close()
        if self.directory is None:
            return
        courier = self._courier
        notes = [
            f"{count} {what}"
            for count, what in (
                (courier.refused if courier else 0, "refused by the server"),
                (self._dropped, "dropped because their step was lower than an earlier one"),
                (courier.thinned if courier else 0, "thinned out to keep the spool within its bound"),
            )
            if count
        ]
        extra = f" ({', '.join(notes)})" if notes else ""
        if delivered and self._sender is not None and courier is not None:
            self._notices.info(f"run {self.id}: {courier.delivered} steps delivered{extra}")
        else:
            self._notices.info(
                f"run {self.id}: not everything was delivered{extra}; `nnmonitor sync {self.directory}` sends the rest"
            )
        if self._spool_lock is not None and self._sender is None:
            self._spool_lock.release()


def _config_mapping(config: Any, notices: Notices) -> dict[str, Any]:
    try:
        return as_mapping(config)
    except (TypeError, ValueError) as error:
        notices.once(f"config= is not used: {error}")
        return {}


def silent_rank(all_ranks: bool) -> Optional[int]:
    """The rank of this process where another one reports for it: torchrun's `RANK` above 0."""
    rank, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    if all_ranks or not rank.isdigit() or not size.isdigit() or int(size) < 2:
        return None
    return int(rank) or None


def start(
    project: Optional[str], name: Optional[str], run_id: str, settings: Settings, *, config: Any, group: Optional[str],
    tags: Optional[Sequence[str]], notes: Optional[str], step: int, resume_from: Optional[int], strict: bool,
    notices: Notices, rank: Optional[int] = None,
) -> Run:
    """Makes a run from the arguments of `init`, and prints its id."""
    fields: Fields = {}
    for key, value in (("project", project), ("name", name), ("group", group), ("notes", notes)):
        if value is not None:
            fields[key] = str(value)
    if tags:
        fields["tags"] = [str(tag) for tag in ([tags] if isinstance(tags, str) else tags)]
    if resume_from is not None:
        fields["resume_from"] = int(resume_from)
        step = max(step, int(resume_from))
    if rank is not None:
        settings.mode = "disabled"
    run = Run(run_id, settings, fields, step=step, strict=strict, notices=notices, config=config, rank=rank)
    if rank is not None:
        notices.info(f"rank {rank} reports nothing: rank 0 does (init(all_ranks=True) changes that)")
    elif settings.mode == "online":
        notices.info(f"run {run_id} on {settings.url}; id={run_id!r} or NN_MONITOR_RUN_ID continues it")
    elif settings.mode == "offline":
        notices.info(f"run {run_id}, offline; `nnmonitor sync {run.directory}` sends it")
    return run
