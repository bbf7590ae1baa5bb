"""The beginning of a run: the arguments of `init`, the ranks of a distributed run, the lines that are printed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, Optional

from ..notices import Notices
from ..settings import Settings
from ..spooling.records import Fields
from .run import Run


def silent_rank(all_ranks: bool) -> Optional[int]:
    """The rank of this process where another one reports for it: torchrun's `RANK` above 0."""
    rank, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    if all_ranks or not rank.isdigit() or not size.isdigit() or int(size) < 2:
        return None
    return int(rank) or None


def _step_of(resume_from: Any, notices: Notices) -> Optional[int]:
    """The step to resume from: a number, or W&B's `ID?_step=N`."""
    if resume_from is None:
        return None
    found = re.fullmatch(r"(?:.*\?_step=)?(\d{1,18})", str(resume_from), re.DOTALL)
    if found is None:
        notices.once(f"resume_from={resume_from!r} is ignored: it must be a step, 0 or more")
        return None
    return int(found[1])


def start(
    project: Optional[str], name: Optional[str], run_id: str, settings: Settings, *, config: Any, group: Optional[str],
    tags: Optional[Sequence[str]], notes: Optional[str], step: int, resume_from: Any, strict: bool,
    notices: Notices, rank: Optional[int] = None,
) -> Run:
    """Makes a run from the arguments of `init`, and prints its id."""
    fields: Fields = {}
    for key, value in (("project", project), ("name", name), ("group", group), ("notes", notes)):
        if value is not None:
            fields[key] = str(value)
    if tags:
        fields["tags"] = [str(tag) for tag in ([tags] if isinstance(tags, str) else tags)]
    first = _step_of(resume_from, notices)
    if first is not None:
        fields["resume_from"] = first
        step = max(step, first)
    if rank is not None:
        settings.mode = "disabled"
    run = Run(run_id, settings, fields, step=step, strict=strict, notices=notices, config=config, rank=rank)
    if rank is not None:
        notices.info(f"rank {rank} reports nothing, only rank 0 does; init(all_ranks=True) makes all ranks report")
    elif settings.mode == "online":
        notices.info(f"run {run_id} on {settings.url}; id={run_id!r} or NN_MONITOR_RUN_ID continues it")
    elif settings.mode == "offline":
        notices.info(f"run {run_id}, offline; `nnmonitor sync {run.directory}` sends it")
    return run
