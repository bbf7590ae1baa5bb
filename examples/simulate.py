#!/usr/bin/env python3
"""Posts simulated statistics to NNMonitor, for a first look without PyTorch. Standard library only.

    python examples/simulate.py --url http://localhost:8000 --steps 500 --interval 0.2 --layers 20

With --api v2 it uses the open wire: a loss, layers without gradients or weights, the load of a router, now and then a NaN.
"""

import argparse
import gzip
import http.client
import json
import math
import os
import random
import ssl
import sys
import time
import urllib.parse

KINDS = [("conv1", "Conv2d"), ("norm1", "BatchNorm2d"), ("conv2", "Conv2d"), ("norm2", "BatchNorm2d")]


def layer_name(depth, layers):
    """Returns the name and type of a layer: blocks of four layers and a linear head."""
    if depth == layers - 1:
        return "head.fc", "Linear"
    part, kind = KINDS[depth % len(KINDS)]
    return f"block{depth // len(KINDS)}.{part}", kind


def layer(depth, layers, step, rng):
    """Returns one layer's statistics. They converge with noise; gradients are smaller in earlier layers."""
    name, kind = layer_name(depth, layers)

    def noise(scale):
        return math.exp(rng.gauss(0, scale))

    settled = 1 - math.exp(-step / 150)
    features = 32 * 2 ** min(4, depth // 8)
    count = features * features
    weight_std = (0.05 + 0.03 * settled) * noise(0.01)
    gradient = 0.8 * math.exp(-step / 400) * 0.97 ** (layers - depth) * noise(0.2) + 1e-4 * rng.random()
    frobenius = weight_std * features
    statistics = {
        "weight": {
            "std": weight_std, "mean": rng.gauss(0, 0.002),
            "spectral_norm": frobenius * (0.2 + 0.1 * settled) * noise(0.01), "frobenius_norm": frobenius,
        },
        "bias": {"std": 0.02 * settled * noise(0.05), "mean_abs": 0.015 * settled * noise(0.05)},
    }
    return {
        "layer_id": name, "layer_type": kind, "depth_index": depth,
        "intermediate_features": {
            "activation_std": (0.9 + 0.3 * math.sin(depth / 3 + step / 90)) * noise(0.03),
            "activation_mean": rng.gauss(0.1 * settled, 0.02),
            "activation_shape": [64, features, max(1, 32 >> depth // 16), max(1, 32 >> depth // 16)],
            "cross_layer_std_ratio": None,
        },
        "gradient_flow": {
            "gradient_l2_norm": gradient, "gradient_std": gradient / math.sqrt(count),
            "gradient_max_abs": gradient / math.sqrt(count) * (3 + rng.random()),
        },
        "parameter_statistics": statistics,
    }


def payload(run_id, step, layers, rng):
    """Returns the ingest payload of a step, with numbers in full double precision."""
    made = [layer(depth, layers, step, rng) for depth in range(layers)]
    norms = [item["gradient_flow"]["gradient_l2_norm"] for item in made]
    stds = [item["intermediate_features"]["activation_std"] for item in made]
    for before, std, item in zip(stds, stds[1:], made[1:]):
        item["intermediate_features"]["cross_layer_std_ratio"] = std / before
    return {
        "metadata": {"run_id": run_id, "timestamp": time.time(), "global_step": step, "batch_size": 64},
        "layer_statistics": made,
        "cross_layer_analysis": {
            "feature_std_gradient": (stds[-1] - stds[0]) / max(1, layers - 1),
            "gradient_norm_ratio": {"last/first": norms[-1] / norms[0]},
        },
    }


# The parts of a block of the network that --api v2 trains.
OPEN_KINDS = [("conv", "Conv2d"), ("norm", "BatchNorm2d"), ("relu", "ReLU"), ("moe", "MixtureOfExperts")]
# The first block is frozen, as it is in fine-tuning: it has weights, but no gradients.
FROZEN_LAYERS = 2
EXPERTS = 8
LEARNING_RATE = 3e-4
# In one step of so many a gradient overflows.
OVERFLOW_INTERVAL = 97
PREFIXES = {"weight": "weight_", "bias": "bias_"}


def open_layer(depth, layers, step, rng):
    """Returns the description of a layer for the open wire and its metrics by name: those that it has."""
    made = layer(depth, layers, step, rng)
    name, kind = "head.fc", "Linear"
    if depth < layers - 1:
        part, kind = OPEN_KINDS[depth % len(OPEN_KINDS)]
        name = f"block{depth // len(OPEN_KINDS)}.{part}"
    description = {"id": name, "type": kind, "depth": depth, "group": name.split(".")[0]}
    features = made["intermediate_features"]
    description["shape"] = features["activation_shape"]
    metrics = {"activation_std": features["activation_std"], "activation_mean": features["activation_mean"]}
    if kind == "ReLU":
        metrics["dead_fraction"] = min(1.0, 0.1 + 0.2 * (1 - math.exp(-step / 200)) * math.exp(rng.gauss(0, 0.1)))
        return description, metrics
    for part, statistics in made["parameter_statistics"].items():
        metrics.update({PREFIXES[part] + key: value for key, value in statistics.items()})
    description["trainable"] = depth >= FROZEN_LAYERS or depth == layers - 1
    if description["trainable"]:
        metrics.update(made["gradient_flow"])
        metrics["update_ratio"] = LEARNING_RATE * metrics["gradient_l2_norm"] / metrics["weight_frobenius_norm"]
    return description, metrics


def router_load(step, rng):
    """Returns the share of the tokens that each expert of a router gets. It becomes more even during the training."""
    weights = [math.exp(rng.gauss(0, 0.1 + 0.6 * math.exp(-step / 200))) for _ in range(EXPERTS)]
    return [weight / sum(weights) for weight in weights]


def open_step(step, layers, rng):
    """Returns a step of the open wire."""
    made = [open_layer(depth, layers, step, rng) for depth in range(layers)]
    names = list(dict.fromkeys(name for _, metrics in made for name in metrics))
    scalars = {
        "train/loss": 0.2 + 2.1 * math.exp(-step / 150) * math.exp(rng.gauss(0, 0.03)),
        "lr": LEARNING_RATE * min(1, (step + 1) / 20),
        "grad_norm": math.sqrt(sum(metrics.get("gradient_l2_norm", 0) ** 2 for _, metrics in made)),
    }
    if step % OVERFLOW_INTERVAL == OVERFLOW_INTERVAL - 1:
        # The loss scaler of a training in half precision finds an overflow and skips the step.
        scalars["grad_norm"] = made[-1][1]["gradient_l2_norm"] = math.nan
        scalars["optimizer_skipped"] = 1
    routers = [description["id"] for description, _ in made if description["type"] == "MixtureOfExperts"]
    return {
        "step": step, "time": time.time(), "batch_size": 64, "scalars": scalars,
        "layers": [description for description, _ in made],
        # A layer without a metric has null in its column.
        "metrics": {name: [metrics.get(name) for _, metrics in made] for name in names},
        "vectors": {"router_load": {router: router_load(step, rng) for router in routers}},
    }


class Connection:
    """A keep-alive connection to the server, reopened after an error."""

    def __init__(self, url, token, ca):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            sys.exit(f"{url}: the URL must begin with http:// or https:// and contain a host")
        self._base = parts.path.rstrip("/")
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            self._http = http.client.HTTPSConnection(parts.netloc, timeout=30, context=context)
        else:
            self._http = http.client.HTTPConnection(parts.netloc, timeout=30)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def send(self, method, path, body, compress=False):
        """Returns status and body of the response. Retries once if the server had closed the connection."""
        # Python writes a NaN as the token `NaN`, which the open wire reads.
        body = json.dumps(body).encode()
        headers = dict(self._headers)
        if compress:
            body = gzip.compress(body, 6)
            headers["Content-Encoding"] = "gzip"
        for attempt in range(2):
            try:
                self._http.request(method, self._base + path, body, headers)
                answer = self._http.getresponse()
                return answer.status, answer.read().decode()
            except (http.client.HTTPException, ConnectionError):
                self._http.close()
                if attempt:
                    raise


class Training:
    """A simulated training that is posted to the server."""

    def __init__(self, connection, options):
        self._connection, self._options = connection, options
        self._rng = random.Random(options.seed)
        self._run_path = "/api/v2/runs/" + urllib.parse.quote(options.run_id, safe="")

    def begin(self):
        """Describes the run. v1 has nothing to describe it with."""
        options = self._options
        self._update({
            "project": "simulated", "name": options.run_id, "tags": ["simulated"], "state": "running",
            "config": {"lr": LEARNING_RATE, "layers": options.layers, "experts": EXPERTS, "seed": options.seed}})

    def end(self, failure=None):
        """Notes that the run has finished or failed."""
        self._update({"state": "failed", "reason": failure} if failure else {"state": "finished"})

    def post(self, step):
        options = self._options
        if options.api == "v1":
            path, body = "/api/v1/metrics/layerwise", payload(options.run_id, step, options.layers, self._rng)
        else:
            path, body = self._run_path + "/steps", open_step(step, options.layers, self._rng)
        self._send("POST", path, body, f"step {step}", options.gzip)

    def _update(self, changes):
        if self._options.api == "v2":
            self._send("PUT", self._run_path, changes, f"run {self._options.run_id}")

    def _send(self, method, path, body, what, compress=False):
        try:
            status, text = self._connection.send(method, path, body, compress)
        except (OSError, http.client.HTTPException) as error:
            sys.exit(f"{self._options.url}: {error}")
        if status not in (200, 201, 202):
            sys.exit(f"{what} was not accepted: {status} {text[:500]}")


def positive(text):
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--api", choices=["v1", "v2"], default="v1", help="v2: the open wire; default: v1")
    parser.add_argument("--run-id", default=time.strftime("simulated-%H%M%S"))
    parser.add_argument("--steps", type=positive, default=500)
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between two steps")
    parser.add_argument("--layers", type=positive, default=20)
    parser.add_argument("--token", default=os.environ.get("NN_MONITOR_TOKEN"), help="default: $NN_MONITOR_TOKEN")
    parser.add_argument("--ca", help="the certificate to trust, a PEM file")
    parser.add_argument("--gzip", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()

    try:
        connection = Connection(options.url, options.token, options.ca)
    except OSError as error:
        sys.exit(f"{options.ca}: {error}")
    training = Training(connection, options)
    training.begin()
    begin = time.monotonic()
    try:
        for step in range(options.steps):
            training.post(step)
            # Steps follow a fixed schedule, so a slow response does not delay later steps.
            time.sleep(max(0.0, begin + (step + 1) * options.interval - time.monotonic()))
    except KeyboardInterrupt:
        training.end("interrupted")
        raise
    training.end()
    print(f"{options.steps} steps of run {options.run_id} posted")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
