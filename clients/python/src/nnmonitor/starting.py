"""The beginning of a run: the arguments of `init`, the ranks of a distributed run, the lines that are printed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Optional

from .notices import Notices
from .recording import Run
from .records import Fields
from .settings import Settings


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
