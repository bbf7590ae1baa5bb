"""`nnmonitor health`: the open findings about a run's layers, with an exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ..delivery.transport import Transport
from .reading import ReadFailed, find_run, get, printable, quoted

#: Exit codes by status. Before any rule could judge, the status is `waiting`.
_CODES = {"ok": 0, "waiting": 0, "warning": 1, "critical": 2}
#: The exit code where the health is not known.
UNKNOWN = 3
_MOST_LAYERS = 5
_INDENT = " " * 10


def health(
    transport: Transport, run: Optional[str], as_json: bool, closed: bool, write_line: Callable[[str], None]
) -> int:
    """Prints the status of a run, its episodes, and the rules that lack inputs.

    Args:
        run: None for the run that was updated last.
        as_json: print the server's answer instead.
        closed: also the episodes that are over.

    Returns:
        0 for `ok` and `waiting`, 1 for `warning`, 2 for `critical`, 3 for a status that is not known.

    Raises:
        ReadFailed
    """
    name = run if run is not None else str(find_run(transport, None)["run_id"])
    try:
        found = get(transport, f"/api/v2/runs/{quoted(name)}/health?state={'all' if closed else 'open'}&layers=false")
    except ReadFailed as error:
        if error.status != 404:
            raise
        find_run(transport, name)
        raise ReadFailed(f"{transport.url} has runs, but no health of runs: update the server", 404) from error
    if as_json:
        write_line(json.dumps(found, ensure_ascii=False))
    else:
        _print(name, found, write_line)
    return _CODES.get(str(found.get("status")), UNKNOWN)


def _print(name: str, found: Mapping[str, Any], write_line: Callable[[str], None]) -> None:
    counts, as_of = found.get("open") or {}, found.get("as_of") or {}
    critical, warnings = counts.get("critical", 0), counts.get("warning", 0)
    place = "no step was judged yet" if as_of.get("step") is None else (
        f"as of step {as_of['step']}, {_count(as_of.get('reports', 0), 'report')}")
    write_line(
        f"{printable(name)}: {printable(found.get('status'))} ({place}); open: {critical} critical, "
        f"{_count(warnings, 'warning')}")
    for episode in found.get("episodes") or []:
        write_line("")
        _print_episode(episode, write_line)
    _print_missing(found.get("rules") or [], write_line)
    if found.get("forgotten"):
        write_line(f"\n{_count(found['forgotten'], 'older alert')} not kept")


def _print_episode(episode: Mapping[str, Any], write_line: Callable[[str], None]) -> None:
    is_open = episode.get("state") == "open"
    word = printable(episode.get("severity") if is_open else "closed")
    first, last = episode.get("first_step"), episode.get("closed_step")
    since = f"since step {first}"
    if not is_open and last is not None:
        since = f"step {first}" if first == last else f"steps {first} to {last}"
    write_line(f"{word:<{len(_INDENT)}}{printable(episode.get('title'))}, {since}")
    if episode.get("message"):
        write_line(_INDENT + printable(episode["message"]))
    if episode.get("advice"):
        write_line(f"{_INDENT}advice: {printable(episode['advice'])}")
    layers = [printable(layer) for layer in episode.get("layers") or []]
    more = episode.get("layer_count", len(layers)) - _MOST_LAYERS
    if len(layers) > 1:
        others = f" and {more} more" if more > 0 else ""
        write_line(f"{_INDENT}layers: {', '.join(layers[:_MOST_LAYERS])}{others}")


def _print_missing(rules: list[Mapping[str, Any]], write_line: Callable[[str], None]) -> None:
    missing = [rule for rule in rules if rule.get("state") == "inputs_missing"]
    if not missing:
        return
    write_line("\nrules whose inputs are missing:")
    width = max(len(str(rule.get("rule"))) for rule in missing)
    for rule in missing:
        names = ", ".join(str(name) for name in rule.get("inputs_missing") or [])
        write_line(f"  {printable(rule.get('rule')):<{width}}  {printable(rule.get('hint') or f'post {names}')}")


def _count(number: Any, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
