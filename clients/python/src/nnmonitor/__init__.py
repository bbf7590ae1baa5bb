"""NNMonitor's Python client: losses, metrics and layer statistics of a training run, sent without harm to training.

    import nnmonitor as nnm

    run = nnm.init(project="gpt", name="r7", config={"lr": 3e-4})   # NN_MONITOR_URL, NN_MONITOR_TOKEN
    nnm.watch(model)                                                # layer statistics, needs PyTorch
    nnm.log({"train/loss": loss, "lr": lr}, step=step)

The verbs have the names and arguments of W&B and Trackio, so `import nnmonitor as wandb` works for them. No verb raises
into training unless `init(strict=True)`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from ._version import __version__
from .errors import DeliveryError, NNMonitorError, SettingError
from .notices import Notices
from .recording.run import Run
from .recording.starting import silent_rank, start
from .settings import Settings, run_id_from, settings_from, url_from

if TYPE_CHECKING:
    from .recording.configuration import Config, Summary

    #: The configuration of the active run.
    config: Config
    #: The last scalars of the active run.
    summary: Summary
    #: The active run.
    run: Optional[Run]

__all__ = [
    "DeliveryError", "NNMonitorError", "Run", "SettingError", "__version__", "alert", "config", "finish", "init", "log",
    "run", "summary", "unwatch", "watch",
]

_VERBS = "init, log, watch, unwatch, alert, finish, config, summary and run"
_current: Optional[Run] = None
_notices = Notices()


def init(
    project: Optional[str] = None, name: Optional[str] = None, *, id: Optional[str] = None, config: Any = None,
    tags: Optional[Sequence[str]] = None, notes: Optional[str] = None, group: Optional[str] = None,
    url: Optional[str] = None, token: Optional[str] = None, token_file: Optional[str] = None, ca: Optional[str] = None,
    fingerprint: Optional[str] = None, dir: Union[str, os.PathLike[str], None] = None,
    spool_bytes: Optional[int] = None, precision: Union[int, str, None] = None, step: int = 0,
    resume_from: Union[int, str, None] = None, mode: Optional[str] = None, strict: bool = False,
    exit_timeout: Optional[float] = None, all_ranks: bool = False, resume: Any = None, **ignored: Any,
) -> Run:
    """Begins a run, or continues the one with the same id; it becomes the one that the module's verbs use.

    Every argument that is not given is read from the environment variable in brackets.

    Args:
        project, name, tags, notes, group: shown on the dashboard.
        id: the run id [`NN_MONITOR_RUN_ID`]; without one, the name and 8 random characters, printed at start.
        config: hyperparameters: a mapping, a namespace, a dataclass, OmegaConf's or the like.
        url: the server's address [`NN_MONITOR_URL`]; `http://localhost:8000` by default.
        token: a token with scope `ingest` [`NN_MONITOR_TOKEN`].
        token_file: a file with the token, which only its owner can read [`NN_MONITOR_TOKEN_FILE`];
            `~/.config/nnmonitor/token` is read where it exists.
        ca: a PEM file of the authority to trust instead of the system's [`NN_MONITOR_CA`].
        fingerprint: SHA-256 of the server's certificate, from its banner [`NN_MONITOR_FINGERPRINT`]: exactly this
            certificate is trusted.
        dir: where spools are kept [`NN_MONITOR_DIR`]; `~/.local/state/nnmonitor` by default.
        spool_bytes: the bound of this run's spool [`NN_MONITOR_SPOOL_BYTES`], 500 MB by default.
        precision: significant digits of floats, 6 by default, or `"full"` [`NN_MONITOR_PRECISION`].
        step: where the step counter begins.
        resume_from: kept steps from this one on are dropped, and the counter begins here.
        mode: `online`, `offline` (spool only) or `disabled` [`NN_MONITOR_MODE`].
        strict: raise what is otherwise logged.
        exit_timeout: the longest wait at the end, in seconds, 5 by default [`NN_MONITOR_EXIT_TIMEOUT`].
        all_ranks: every rank of a distributed run reports, not only rank 0.
        resume: accepted for programs written for W&B; the same id always continues the run.

    Raises:
        SettingError: with `strict`, if a setting is not valid. Otherwise the run is kept in its spool only.
    """
    global _current
    if ignored:
        _notices.once(f"init() ignores unknown arguments: {', '.join(sorted(ignored))}")
    if _current is not None and not _current._closed and _current._pid == os.getpid():
        if id in (None, _current.id) and name is None:
            return _current
        _current.finish()
    notices = Notices()
    try:
        run_id = run_id_from(id, name)
    except SettingError as error:
        if strict:
            raise
        run_id = f"run-{os.urandom(4).hex()}"
        notices.once(f"{error}. The run's id is {run_id!r} instead")
    try:
        settings = settings_from(
            url, token, token_file, ca, fingerprint, dir, spool_bytes, precision, exit_timeout, mode
        )
    except (SettingError, OSError) as error:
        if strict:
            raise
        notices.once(f"{error}. The run is kept in its spool only; `nnmonitor sync` can send it")
        settings = _fallback(url, dir)
    rank = silent_rank(all_ranks)
    details: dict[str, Any] = {
        "config": config, "group": group, "tags": tags, "notes": notes, "step": step, "resume_from": resume_from,
        "strict": strict, "notices": notices, "rank": rank,
    }
    try:
        _current = start(project, name, run_id, settings, **details)
    except Exception as error:
        if strict:
            raise
        notices.once(f"the run cannot be recorded ({type(error).__name__}: {error}); training continues without it")
        settings.mode = "disabled"
        _current = Run(run_id, settings, {}, notices=notices)
    return _current


def _fallback(url: Optional[str], dir: Union[str, os.PathLike[str], None]) -> Settings:
    from pathlib import Path

    from .settings import DEFAULT_SPOOL_BYTES
    from .spooling.spool import default_root

    root = Path(dir) if dir else default_root()
    return Settings(url_from(url), None, None, None, root, DEFAULT_SPOOL_BYTES, 6, 5.0, "offline")


def _active(verb: str) -> Optional[Run]:
    if _current is None:
        _notices.once(f"{verb}() does nothing before init(): call nnmonitor.init() first")
    return _current


def log(data: Mapping[str, Any], step: Optional[int] = None, commit: Optional[bool] = None) -> None:
    """Logs scalars of the active run; see `Run.log`."""
    active = _active("log")
    if active is not None:
        active.log(data, step, commit)


def watch(
    model: Any, optimizer: Any = None, log: str = "all", every: Union[int, str] = "auto", layers: Any = None,
    histograms: bool = False, functions: Any = None, **more: Any,
) -> Any:
    """Reports statistics of a model's layers in the active run; see `Run.watch`."""
    active = _active("watch")
    return active and active.watch(model, optimizer, log, every, layers, histograms, functions, **more)


def unwatch(model: Any = None) -> None:
    """Removes the hooks of a model, or of all; see `Run.unwatch`."""
    active = _active("unwatch")
    if active is not None:
        active.unwatch(model)


def alert(title: str, text: str = "", level: Any = "info", wait_duration: Any = None) -> None:
    """Shows an alert on the dashboard; see `Run.alert`."""
    active = _active("alert")
    if active is not None:
        active.alert(title, text, level, wait_duration)


def finish(exit_code: Optional[int] = None, quiet: Optional[bool] = None) -> None:
    """Sends what is left and closes the active run; see `Run.finish`."""
    global _current
    if _current is not None:
        ending, _current = _current, None
        ending.finish(exit_code)


def __getattr__(name: str) -> Any:
    if name == "run":
        return _current
    if name in ("config", "summary"):
        if _current is None:
            raise AttributeError(f"nnmonitor.{name} exists only after init(): call nnmonitor.init() first")
        return getattr(_current, name)
    if name.startswith("__"):
        raise AttributeError(f"module 'nnmonitor' has no attribute {name!r}")
    raise AttributeError(
        f"nnmonitor has no {name!r}: it offers {_VERBS}. Remove this call, or log a number with log(); put other "
        "values into config or alert()"
    )
