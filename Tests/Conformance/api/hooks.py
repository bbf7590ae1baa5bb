"""Rules of a payload that JSON Schema cannot express, for schemathesis. openapi.json describes them in its texts."""

import copy

import schemathesis


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """The length of a run id is counted in bytes."""
    run = (path_parameters or {}).get("run")
    if isinstance(run, str) and len(run) <= 512:
        path_parameters["run"] = run.encode("utf-8", "surrogatepass")[:512].decode("utf-8", "ignore")
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    """A request for series names some; the length of a run id is counted in bytes."""
    return fit_query(context.operation.path, query)


def fit_query(path: str, query):
    if path.endswith("/series") and not {"metric", "scalars"} & set(query or {}):
        return {**(query or {}), "scalars": "loss"}
    if path.endswith("/compare"):
        for name in ("a", "b"):
            run = (query or {}).get(name)
            if isinstance(run, str) and len(run) <= 512:
                query[name] = run.encode("utf-8", "surrogatepass")[:512].decode("utf-8", "ignore")
    return query


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
    if context.operation.path.endswith("/steps"):
        fit_columns(body)
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("run_id"), str) and len(metadata["run_id"]) <= 512:
        metadata["run_id"] = metadata["run_id"].encode("utf-8", "surrogatepass")[:512].decode("utf-8", "ignore")
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """The coverage phase sends bodies and queries that the hooks above have not seen; its cases share their values."""
    valid = case.meta is None or not case.meta.generation.mode.is_negative
    if valid:
        case.query = fit_query(case.operation.path, copy.copy(case.query))
    if valid and isinstance(case.body, dict) and case.operation.path.endswith("/steps"):
        case.body = copy.deepcopy(case.body)
        fit_columns(case.body)


def fit_columns(step: dict):
    """Ids of layers are unique as served; a metric has as many values as there are layers."""
    layers = step.get("layers")
    count = 0
    if isinstance(layers, list):
        ids = set()
        for layer in list(layers):
            name = layer.get("id") if isinstance(layer, dict) else layer
            served = name.replace(".", "/") if isinstance(name, str) else None
            if served is not None and served in ids:
                layers.remove(layer)
            ids.add(served)
        count = len(layers)
    metrics = step.get("metrics")
    for name, column in metrics.items() if isinstance(metrics, dict) else ():
        if isinstance(column, list):
            metrics[name] = column[:count] + [None] * (count - len(column))
