"""A step of v1 in the open wire, with the same numbers."""

METRICS = {
    ("weight", "std"): "weight_std", ("weight", "mean"): "weight_mean", ("weight", "spectral_norm"): "weight_spectral_norm",
    ("weight", "frobenius_norm"): "weight_frobenius_norm", ("bias", "std"): "bias_std", ("bias", "mean_abs"): "bias_mean_abs",
}


def open_form(payload: dict, described: bool = True) -> dict:
    """`described`: the layers are objects with their type, depth and shape; otherwise only their ids."""
    metadata, cross = payload["metadata"], payload["cross_layer_analysis"]
    layers = payload["layer_statistics"]
    metrics: dict[str, list] = {}
    for layer in layers:
        numbers = {**layer["intermediate_features"], **layer["gradient_flow"]}
        del numbers["activation_shape"]
        for part, values in layer["parameter_statistics"].items():
            numbers.update({METRICS[part, key]: value for key, value in values.items()})
        for name, value in numbers.items():
            metrics.setdefault(name, []).append(value)
    return {
        "step": metadata["global_step"], "time": metadata["timestamp"], "batch_size": metadata["batch_size"],
        # In the order in which the server lists them.
        "scalars": {**{f"gradient_norm_ratio/{key}": value for key, value in cross["gradient_norm_ratio"].items()},
                    "feature_std_gradient": cross["feature_std_gradient"]},
        "layers": [
            {"id": layer["layer_id"], "type": layer["layer_type"], "depth": layer["depth_index"],
             "shape": layer["intermediate_features"]["activation_shape"]} if described else layer["layer_id"]
            for layer in layers],
        "metrics": metrics}
