"""Rules of a payload that JSON Schema cannot express, for schemathesis. openapi.json describes them in its texts."""

import schemathesis


@schemathesis.hook
def map_body(context, body):
    """Layers come in the order of their depth; lengths of names are counted in bytes."""
    if not isinstance(body, dict):
        return body
    layers = body.get("layer_statistics")
    if isinstance(layers, list) and all(isinstance(layer, dict) for layer in layers):
        depths = [layer.get("depth_index") for layer in layers]
        if all(isinstance(depth, (int, float)) and not isinstance(depth, bool) for depth in depths):
            layers.sort(key=lambda layer: layer["depth_index"])
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("run_id"), str) and len(metadata["run_id"]) <= 512:
        metadata["run_id"] = metadata["run_id"].encode("utf-8", "surrogatepass")[:512].decode("utf-8", "ignore")
    return body
