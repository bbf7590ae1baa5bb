"""The run's own fields: the body of `PUT /api/v2/runs/{run}`."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]

#: Fields that belong to one moment of a run and are never repeated.
_MOMENTARY = ("resume_from",)


def merge_fields(whole: Fields, put: Fields) -> Fields:
    """The fields after this put, as the server merges them: `config` by top-level keys, null deletes."""
    merged = dict(whole)
    for name, value in put.items():
        if name in _MOMENTARY:
            continue
        if name == "config" and isinstance(value, dict):
            config = {**merged.get("config", {}), **value}
            merged["config"] = {key: item for key, item in config.items() if item is not None}
        elif value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    if put.get("state") == "running":
        for name in ("exit_code", "reason"):
            merged.pop(name, None)
    return merged
