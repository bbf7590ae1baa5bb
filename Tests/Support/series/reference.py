"""Series by brute force: what the server must answer, computed from the posted steps alone."""

import math
import random

METRICS = ["gradient_l2_norm", "mine"]
SCALARS = ["loss", "train/lr"]
LAYERS = ["h.0.attn", "h.0.mlp", "h.1.attn", "head"]


def random_value(rng: random.Random):
    """Of any size, whole, or not finite."""
    draw = rng.random()
    if draw < 0.08:
        return rng.choice(["NaN", "Infinity", "-Infinity"])
    if draw < 0.5:
        return rng.choice([1, -1]) * 10 ** rng.uniform(-12, 12)
    return rng.randint(-5, 5)


def random_steps(rng: random.Random, count: int, value=random_value) -> list[dict]:
    """Steps with gaps, out of order, some posted twice, with values that are absent and layers that come and go."""
    numbers = sorted(rng.sample(range(count * 4), count))
    order = numbers[:]
    for _ in range(count // 5):
        first, second = rng.randrange(count), rng.randrange(count)
        order[first], order[second] = order[second], order[first]
    steps = []
    for number in order + rng.sample(numbers, count // 6):
        layers = [{"id": layer, "depth": depth} for depth, layer in enumerate(LAYERS) if rng.random() > 0.1]
        rng.shuffle(layers)
        step = {"step": number, "scalars": {name: value(rng) for name in SCALARS if rng.random() > 0.2}}
        if layers:
            step["layers"] = layers
            step["metrics"] = {metric: [None if rng.random() < 0.2 else value(rng) for _ in layers]
                               for metric in METRICS if rng.random() > 0.1}
        steps.append(step)
    return steps


def served(layer: str) -> str:
    return layer.replace(".", "/")


def rows(steps: list[dict]) -> dict[int, dict]:
    """Step number to (layer or None, name) to value. The last post of a step counts."""
    found = {}
    for step in steps:
        values = {(None, name): value for name, value in step.get("scalars", {}).items() if value is not None}
        ids = [served(layer["id"] if isinstance(layer, dict) else layer) for layer in step.get("layers", [])]
        for name, column in step.get("metrics", {}).items():
            values.update({(layer, name): value for layer, value in zip(ids, column, strict=True) if value is not None})
        found[step["step"]] = values
    return dict(sorted(found.items()))


def inside(by_step: dict[int, dict], first=None, last=None) -> dict[int, dict]:
    return {step: values for step, values in by_step.items()
            if (first is None or step >= first) and (last is None or step <= last)}


def buckets(steps, points: int) -> list[list[int]]:
    """The steps of each bucket, with the least shift that gives at most `points` buckets."""
    shift = 0
    while len({step >> shift for step in steps}) > points:
        shift += 1
    found: dict[int, list[int]] = {}
    for step in sorted(steps):
        found.setdefault(step >> shift, []).append(step)
    return list(found.values())


def is_finite(value) -> bool:
    return not isinstance(value, str)


def series(by_step: dict[int, dict], groups: list[list[int]], key) -> dict[str, list]:
    answer = {"min": [], "max": [], "last": [], "nonfinite": []}
    for group in groups:
        values = [by_step[step][key] for step in group if key in by_step[step]]
        finite = [value for value in values if is_finite(value)]
        answer["min"].append(min(finite) if finite else None)
        answer["max"].append(max(finite) if finite else None)
        answer["last"].append(values[-1] if values else None)
        answer["nonfinite"].append(len(values) - len(finite))
    return answer


def answer(by_step: dict[int, dict], points: int, metrics=(), layers=(), scalars=()) -> dict:
    """The answer of `series` over some steps, without `resolution` and `last_seq`."""
    groups = buckets(by_step, points)
    posted = {key for values in by_step.values() for key in values}
    wanted = {served(layer): [metric for metric in metrics if (served(layer), metric) in posted] for layer in layers}
    return {
        "steps": [group[0] for group in groups], "last_steps": [group[-1] for group in groups],
        "scalars": {name: series(by_step, groups, (None, name)) for name in scalars if (None, name) in posted},
        "layers": {layer: {metric: series(by_step, groups, (layer, metric)) for metric in names}
                   for layer, names in wanted.items() if names},
    }


def without_empty_series(got: dict) -> dict:
    """An answer without the series that have no value in the range: the server may list those, too."""
    def has_values(one):
        return any(value is not None for value in one["last"])

    layers = {layer: {name: one for name, one in by_name.items() if has_values(one)}
              for layer, by_name in got["layers"].items()}
    return {**got, "scalars": {name: one for name, one in got["scalars"].items() if has_values(one)},
            "layers": {layer: by_name for layer, by_name in layers.items() if by_name}}


def number(value) -> float | None:
    """A value as a float; None where it is absent."""
    return None if value is None else float(value)


def spelled(value: float):
    """A float as it is served."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
