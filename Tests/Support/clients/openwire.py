"""Posts and reads steps of the open wire, /api/v2."""

import json
from urllib.parse import quote

import requests
from Support.clients.ingest import access, encode, session

LINES = "application/x-ndjson"
# A step with every field.
EXAMPLE = {
    "step": 1200, "time": 1795993300.81, "batch_size": 64,
    "scalars": {"train/loss": 0.31, "lr": 3e-4, "grad_norm": 1.7},
    "layers": [
        {"id": "h.0.attn", "type": "SelfAttention", "depth": 0, "shape": [64, 128, 768], "parameters": 2359296,
         "trainable": False, "group": "h.0"}, "h.0.mlp"],
    "metrics": {
        "gradient_l2_norm": [0.021, 0.043], "activation_std": [1.02, None], "update_ratio": [1.1e-3, "NaN"]},
    "vectors": {"router_load": {"h.0.mlp": [0.11, 0.14, 0.09]}},
}


def run_path(run: str) -> str:
    return "/api/v2/runs/" + quote(run, safe="")


def request(server, method: str, path: str, **arguments) -> requests.Response:
    """A request with what this server needs: token and certificate."""
    needed = access(server)
    needed["headers"] = {**needed.get("headers", {}), **arguments.pop("headers", {})}
    return session.request(method, server.url + path, **needed, **arguments)


def post_step(server, run: str, step, headers=None) -> requests.Response:
    """Posts one step: a dictionary, JSON text or bytes."""
    body = step if isinstance(step, (str, bytes)) else encode(step)
    return request(server, "POST", run_path(run) + "/steps", data=body.encode() if isinstance(body, str) else body,
                   headers={"Content-Type": "application/json", **(headers or {})})


def post_lines(server, run: str, lines, headers=None) -> requests.Response:
    """Posts a batch: steps, lines of text, or the whole body."""
    if not isinstance(lines, (str, bytes)):
        lines = "".join((line if isinstance(line, str) else encode(line)) + "\n" for line in lines)
    return post_step(server, run, lines, {"Content-Type": LINES, **(headers or {})})


def accept_steps(server, run: str, *steps) -> dict:
    """Posts steps that must be accepted; returns the last answer."""
    answer = {}
    for step in steps:
        response = post_step(server, run, step)
        assert response.status_code == 202, response.text[:2000]
        answer = response.json()
    return answer


def accept_lines(server, run: str, lines, headers=None) -> dict:
    """Posts a batch that must be answered 202."""
    response = post_lines(server, run, lines, headers)
    assert response.status_code == 202, response.text[:2000]
    return response.json()


def read_steps(server, run: str, **query) -> list[dict]:
    """The steps of a run, in order."""
    response = request(server, "GET", run_path(run) + "/steps", params=query)
    assert response.status_code == 200, response.text[:2000]
    # As bytes: `text` guesses the encoding, and its `splitlines` also splits at other characters than newlines.
    return [json.loads(line) for line in response.content.splitlines()]


def as_served(step: dict, seq: int) -> dict:
    """The step that a posted one comes back as. Numbers must be as JSON gives them."""
    served = {key: value for key, value in step.items() if value is not None and key not in ("layers", "vectors")}
    served["seq"] = seq
    if step.get("layers"):
        served["layers"] = [
            {**(layer if isinstance(layer, dict) else {}), "id": (layer["id"] if isinstance(layer, dict) else layer)
             .replace(".", "/")} for layer in step["layers"]]
    if step.get("vectors"):
        served["vectors"] = {
            name: {layer.replace(".", "/"): values for layer, values in layers.items()}
            for name, layers in step["vectors"].items()}
    return served


def exists(server, run: str) -> bool:
    status = request(server, "GET", run_path(run) + "/steps").status_code
    assert status in (200, 404)
    return status == 200
