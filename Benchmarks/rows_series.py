"""Rows `series` and `matrix`: a run in buckets of steps."""

import json
import random
import struct
from urllib.parse import urlencode

from harness import alternate, ours, run

MATRIX = "application/vnd.nnmonitor.matrix"
COLUMNS = ["activation_std", "activation_mean", "cross_layer_std_ratio", "gradient_l2_norm", "gradient_std",
           "gradient_max_abs", "weight_std", "weight_mean", "weight_spectral_norm", "weight_frobenius_norm", "bias_std",
           "bias_mean_abs"]


def post_run(server, client, name: str, steps: int, layers: int, metrics: list[str], batch: int):
    """Posts steps 0, 1, ... in batches, with 16 sets of numbers in turn."""
    rng = random.Random(7)
    texts = [json.dumps({
        "step": 0, "layers": [{"id": f"layer{layer}", "depth": layer} for layer in range(layers)],
        "metrics": {metric: [rng.gauss(0, 1) for _ in range(layers)] for metric in metrics}}) for _ in range(16)]
    for start in range(0, steps, batch):
        lines = (texts[step % 16].replace('"step": 0', f'"step": {step}', 1) for step in range(start, start + batch))
        answer = client.post(f"{server.url}/api/v2/runs/{name}/steps", data="\n".join(lines).encode(),
                             headers={"Content-Type": "application/x-ndjson"})
        assert (answer.status_code, answer.json()["accepted"]) == (202, batch), answer.text[:500]


def reading(server, client, path: str, query: dict, times: int, accept: str = "application/json"):
    """A measure: the server's CPU per request in microseconds, and the size of the answer."""
    url = f"{server.url}/api/v2/runs/{path}?{urlencode(query)}"
    headers = {"Accept": accept, "Accept-Encoding": "identity"}

    def measure() -> tuple[float, float]:
        used = server.cpu()
        for _ in range(times):
            answer = client.get(url, headers=headers)
            assert answer.status_code == 200
        return (server.cpu() - used) / times * 1e6, len(answer.content)
    return measure


def series(report):
    """Series of 10 layers in 500 points, of a run of 1 000 000 steps of 20 layers"""
    query = {"metric": "activation_std", "layers": ",".join(f"layer{layer}" for layer in range(10)), "points": 500}
    with ours("--max-steps-per-run", 1_000_000, "--max-memory", 4 << 30) as server, server.session() as client:
        for name, steps in (("short", 10_000), ("long", 1_000_000)):
            post_run(server, client, name, steps, 20, COLUMNS[:1], 10_000)
            answer = client.get(f"{server.url}/api/v2/runs/{name}/series?{urlencode(query)}").json()
            assert answer["last_steps"][-1] == steps - 1 and len(answer["layers"]) == 10
            assert 250 < len(answer["steps"]) <= 500
        short, long = alternate(5, *(reading(server, client, f"{name}/series", query, 100) for name in ("short", "long")))
    report.figure("CPU for 10 000 steps", short[0], "us", f"{short[1] / 1e6:.2f} MB")
    report.figure("CPU for 1 000 000 steps", long[0], "us", f"{long[1] / 1e6:.2f} MB")
    report.ratio("1 000 000 steps to 10 000", long[0] / short[0], at_most=1.5)


def matrix(report):
    """Matrix of 1000 layers in 500 points, as floats, of a run of 1000 steps"""
    query = {"metric": "gradient_l2_norm", "points": 500}
    with ours("--max-request-size", 8_000_000) as server, server.session() as client:
        post_run(server, client, "wide", 1000, 1000, COLUMNS, 50)
        body = client.get(f"{server.url}/api/v2/runs/wide/matrix?{urlencode(query)}", headers={"Accept": MATRIX}).content
        length, = struct.unpack_from("<I", body)
        assert json.loads(body[4:4 + length])["shape"] == [1, 1000, 500]
        mine, text, filled = alternate(
            5, reading(server, client, "wide/matrix", query, 100, MATRIX),
            reading(server, client, "wide/matrix", query, 10), lambda: run("matrix_floor", 1000, 1000, 500, 1)[0])
    report.figure("C loop that fills the array", filled, "us")
    report.figure("NNMonitor over HTTPS, CPU", mine[0], "us")
    report.figure("as JSON, CPU", text[0], "us", f"{text[1] / 1e6:.1f} MB")
    report.ratio("to the C loop", mine[0] / filled, at_most=3)
    report.bound("size", mine[1] / 1e6, "MB", at_most=2.1)
