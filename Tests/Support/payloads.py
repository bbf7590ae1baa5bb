"""Ingest payloads for tests, and what the server must give back for them."""

import copy
import itertools
import json
import random
from pathlib import Path

_numbers = itertools.count(1)
_DESCRIPTION = json.loads((Path(__file__).resolve().parents[2] / "static/openapi.json").read_text())
_SCHEMAS = _DESCRIPTION["components"]["schemas"]
# The objects of a layer that contain metrics.
_BLOCKS = {
    ("intermediate_features",): "IntermediateFeatures", ("gradient_flow",): "GradientFlow",
    ("parameter_statistics", "weight"): "WeightStatistics", ("parameter_statistics", "bias"): "BiasStatistics",
}
#: The metrics of a layer as openapi.json has them: path, lower bound ("ge" is at least 0), and whether it is optional.
METRICS = [
    ((*block, key), "ge" if "minimum" in schema else None, key not in _SCHEMAS[name]["required"])
    for block, name in _BLOCKS.items() for key, schema in _SCHEMAS[name]["properties"].items()
    if "number" in schema["type"]
]


def run_id(prefix: str = "run") -> str:
    """A run id that no other test uses."""
    return f"{prefix}-{next(_numbers)}-{random.getrandbits(32):08x}"


def layer(layer_id: str = "fc1", depth: int = 0, rng: random.Random | None = None, bias: bool = True) -> dict:
    """One layer's statistics, with all digits that a double has."""
    rng = rng or random.Random(depth)
    statistics = {
        "weight": {
            "std": rng.random(), "mean": rng.gauss(0, 1), "spectral_norm": rng.random() * 10,
            "frobenius_norm": rng.random() * 100,
        }
    }
    if bias:
        statistics["bias"] = {"std": rng.random(), "mean_abs": rng.random()}
    return {
        "layer_id": layer_id,
        "layer_type": "Linear",
        "depth_index": depth,
        "intermediate_features": {
            "activation_std": rng.random(), "activation_mean": rng.gauss(0, 1), "activation_shape": [32, 64 + depth],
            "cross_layer_std_ratio": rng.random() * 2 if depth else None,
        },
        "gradient_flow": {
            "gradient_l2_norm": rng.random(), "gradient_std": rng.random() / 10, "gradient_max_abs": rng.random(),
        },
        "parameter_statistics": statistics,
    }


def payload(run: str, step: int = 0, layers: int = 2, seed: int | None = None) -> dict:
    """A valid payload."""
    rng = random.Random(step if seed is None else seed)
    return {
        "metadata": {"run_id": run, "timestamp": 1.7e9 + step + rng.random(), "global_step": step, "batch_size": 32},
        "layer_statistics": [layer(f"block{index}.fc", index, rng) for index in range(layers)],
        "cross_layer_analysis": {
            "feature_std_gradient": rng.gauss(0, 1), "gradient_norm_ratio": {"block1.fc/block0.fc": rng.random()},
        },
    }


def served(posted: dict) -> dict:
    """The STEP that a posted payload comes back as."""
    posted = copy.deepcopy(posted)
    metadata = posted["metadata"]
    layers = []
    for item in posted["layer_statistics"]:
        item["parameter_statistics"].setdefault("bias", None)
        for (*block, key), _, is_optional in METRICS:
            part = item
            for name in block:
                part = part[name]
            if is_optional and part is not None:
                part.setdefault(key, None)
        layers.append({**item, "layer_id": item["layer_id"].replace(".", "/")})
    groups = metadata.get("layer_groups") or None
    if groups:
        groups = {name: [member.replace(".", "/") for member in members] for name, members in groups.items()}
    cross = posted["cross_layer_analysis"]
    return {
        "step": metadata["global_step"], "timestamp": metadata["timestamp"], "batch_size": metadata["batch_size"],
        "layers": layers,
        "cross_layer": {
            "feature_std_gradient": cross["feature_std_gradient"],
            "gradient_norm_ratio": cross.get("gradient_norm_ratio", {}),
        },
        "layer_groups": groups,
    }
