"""Opens runs of many steps and layers in Chromium and measures what the page needs for it.

As a program, `big_runs.py BINARY [STEPSxLAYERS...]` starts a server, posts the runs and prints a table:
.build/venv/bin/python Tests/Browser/big_runs.py .build/release/NNMonitor
"""

import json
import os
import random
import ssl
import sys
import tempfile
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from Support.servers.server import Server  # noqa: E402

METRICS = ("activation_std", "activation_mean", "gradient_l2_norm", "gradient_max_abs", "weight_std",
                "weight_spectral_norm")
# So many that compression does not find their numbers again.
DIFFERENT_STEPS = 127
SIZES = ("1000x50", "1000x1000", "10000x200")

# Notes when the page shows its first step, and the length of each task of more than 50 ms.
OBSERVE = """
window.measured = { first: null, longest: 0 };
new PerformanceObserver((list) => {
    for (const task of list.getEntries()) measured.longest = Math.max(measured.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
const look = () => {
    if (document.querySelector("#layers-rows [data-value]:not([data-value=''])")) measured.first = performance.now();
    else requestAnimationFrame(look);
};
look();
"""


class BigRun:
    """A run of steps 0, 1, ... whose numbers repeat every `DIFFERENT_STEPS` steps."""

    def __init__(self, name: str, steps: int, layers: int):
        self.name, self.steps = name, steps
        rng = random.Random(layers)
        self.columns = [{metric: [rng.lognormvariate(0, 1) for _ in range(layers)] for metric in METRICS}
                        for _ in range(DIFFERENT_STEPS)]
        self.layers = [{"id": f"block{layer // 10}/linear{layer}", "type": "Linear", "depth": layer, "shape": [32, 64]}
                       for layer in range(layers)]

    def post(self, url: str, context: ssl.SSLContext | None = None):
        texts = [json.dumps({"step": 0, "time": 1_770_000_000.5, "batch_size": 32, "scalars": {"loss": 1.0},
                             "layers": self.layers, "metrics": columns}) for columns in self.columns]
        batch = max(1, min(1000, 30_000_000 // len(texts[0])))
        for start in range(0, self.steps, batch):
            end = min(self.steps, start + batch)
            lines = (texts[step % DIFFERENT_STEPS].replace('"step": 0', f'"step": {step}', 1)
                     for step in range(start, end))
            request = urllib.request.Request(f"{url}/api/v2/runs/{self.name}/steps", data="\n".join(lines).encode(),
                                             headers={"Content-Type": "application/x-ndjson"})
            with urllib.request.urlopen(request, context=context, timeout=300) as answer:
                assert json.load(answer)["accepted"] == end - start

    def values(self, step: int) -> dict:
        """The numbers of a step, as `Dashboard.shown_values` gives them."""
        columns = self.columns[step % DIFFERENT_STEPS]
        return {layer["id"]: {metric: columns[metric][index] for metric in METRICS}
                for index, layer in enumerate(self.layers)}


class Traffic:
    """What a page receives: bytes on the wire over HTTP, bytes of WebSocket messages, and the addresses it reads."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        self.http = self.messages = 0
        self.addresses = []
        self.session.send("Network.enable")
        self.session.on("Network.loadingFinished", self._finished)
        self.session.on("Network.webSocketFrameReceived", self._received)
        page.on("request", lambda request: self.addresses.append(request.url))

    def _finished(self, event):
        self.http += event["encodedDataLength"]

    def _received(self, event):
        self.messages += len(event["response"]["payloadData"].encode())

    @property
    def bytes(self) -> int:
        return round(self.http) + self.messages

    def heap(self) -> int:
        """Bytes of the page's JavaScript heap that are in use after a collection."""
        self.session.send("HeapProfiler.collectGarbage")
        return self.session.send("Runtime.getHeapUsage")["usedSize"]


def open_and_measure(chromium, url: str, run: BigRun, picture: str | None = None) -> dict:
    """Opens the run in a new window, until the page is at rest. Returns the figures and the addresses of its reads."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(OBSERVE)
    page = context.new_page()
    traffic = Traffic(page)
    page.goto(f"{url}/#run={run.name}")
    page.locator("#layers-rows [data-value]:not([data-value=''])").first.wait_for(timeout=120_000)
    page.wait_for_load_state("networkidle")
    # The curves follow the first picture: at rest when two looks see the same number of reads.
    reads = -1
    while reads != len(traffic.addresses):
        reads = len(traffic.addresses)
        page.wait_for_timeout(1000)
    measured = page.evaluate("measured")
    if picture:
        page.screenshot(path=picture)
    result = {"first": measured["first"], "longest": measured["longest"],
              "bytes": traffic.bytes, "heap": traffic.heap(), "addresses": traffic.addresses}
    context.close()
    return result


def main():
    os.environ["NN_MONITOR_BINARY"] = str(Path(sys.argv[1]).resolve())
    sizes = sys.argv[2:] or SIZES
    print("| steps x layers | first picture | bytes | longest task | heap |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        limits = ["--max-steps-per-run", "1000000", "--max-memory", str(2 << 30), "--max-request-size", "10000000"]
        with Server(limits, None, Path(folder)) as server:
            for size in sizes:
                steps, layers = map(int, size.split("x"))
                run = BigRun(f"run-{size}", steps, layers)
                run.post(server.url)
                picture = os.environ.get("PICTURES")
                figures = open_and_measure(browser, server.url, run, picture and f"{picture}/{size}.png")
                print(f"| {steps:,} x {layers:,} | {figures['first']:.0f} ms "
                      f"| {figures['bytes'] / 1e6:.2f} MB | {figures['longest']:.0f} ms "
                      f"| {figures['heap'] / 1e6:.1f} MB |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
