#!/usr/bin/env python3
"""Posts simulated statistics to NNMonitor, for a first look without PyTorch. Standard library only.

    python examples/simulate.py --url http://localhost:8000 --steps 500 --interval 0.2 --layers 20
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


class Connection:
    """A keep-alive connection to the server, reopened after an error."""

    def __init__(self, url, token, ca):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            sys.exit(f"{url}: the URL must begin with http:// or https:// and contain a host")
        self._path = parts.path.rstrip("/") + "/api/v1/metrics/layerwise"
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            self._http = http.client.HTTPSConnection(parts.netloc, timeout=30, context=context)
        else:
            self._http = http.client.HTTPConnection(parts.netloc, timeout=30)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, body, compress):
        """Returns status and body of the response. Retries once if the server had closed the connection."""
        headers = dict(self._headers)
        if compress:
            body = gzip.compress(body, 6)
            headers["Content-Encoding"] = "gzip"
        for attempt in range(2):
            try:
                self._http.request("POST", self._path, body, headers)
                answer = self._http.getresponse()
                return answer.status, answer.read().decode()
            except (http.client.HTTPException, ConnectionError):
                self._http.close()
                if attempt:
                    raise


def positive(text):
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--run-id", default=time.strftime("simulated-%H%M%S"))
    parser.add_argument("--steps", type=positive, default=500)
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between two steps")
    parser.add_argument("--layers", type=positive, default=20)
    parser.add_argument("--token", default=os.environ.get("NN_MONITOR_TOKEN"), help="default: $NN_MONITOR_TOKEN")
    parser.add_argument("--ca", help="the certificate to trust, a PEM file")
    parser.add_argument("--gzip", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()

    rng = random.Random(options.seed)
    try:
        connection = Connection(options.url, options.token, options.ca)
    except OSError as error:
        sys.exit(f"{options.ca}: {error}")
    begin = time.monotonic()
    for step in range(options.steps):
        body = json.dumps(payload(options.run_id, step, options.layers, rng)).encode()
        try:
            status, text = connection.post(body, options.gzip)
        except (OSError, http.client.HTTPException) as error:
            sys.exit(f"{options.url}: {error}")
        if status != 202:
            sys.exit(f"step {step} was not accepted: {status} {text[:500]}")
        # Steps follow a fixed schedule, so a slow response does not delay later steps.
        time.sleep(max(0.0, begin + (step + 1) * options.interval - time.monotonic()))
    print(f"{options.steps} steps of run {options.run_id} posted")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
