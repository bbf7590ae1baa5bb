"""Runs of many steps and layers, and what a page needs to open them in Chromium. script/bench page measures it."""

import json
import random
import ssl
import urllib.request

# So many that compression does not find their numbers again.
DIFFERENT_STEPS = 127

# Notes when the page shows its first picture, and the length of each task of more than 50 ms.
OBSERVE = """
window.measured = { first: null, longest: 0, bytes_until: 0 };
performance.setResourceTimingBufferSize(2000);
new PerformanceObserver((list) => {
    for (const task of list.getEntries()) measured.longest = Math.max(measured.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
const look = () => {
    if (!(PICTURE)) return requestAnimationFrame(look);
    // Counts the bytes received so far. A read of more detail may be under way.
    for (const type of ["navigation", "resource"]) {
        for (const { transferSize } of performance.getEntriesByType(type)) measured.bytes_until += transferSize;
    }
    measured.first = performance.now();
    console.debug("first picture");
};
look();
"""

#: Holds once the heatmap is painted.
PICTURE = "/columns/.test(document.getElementById('heatmap-readout')?.textContent)"


#: The metrics of a layer.
METRICS = ("activation_std", "activation_mean", "gradient_l2_norm", "gradient_max_abs", "weight_std",
           "weight_spectral_norm")


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
        self.messages = 0
        self.addresses = []
        # Bytes by request: those that came, and at its end all, with the head.
        self._http = {}
        self._sent = {}
        # `(address, bytes received with it and before)` of each answer, in the order of their ends.
        self.received = []
        self.session.send("Network.enable")
        self.session.on("Network.requestWillBeSent", self._begun)
        self.session.on("Network.dataReceived", self._data)
        self.session.on("Network.loadingFinished", self._finished)
        self.session.on("Network.webSocketFrameReceived", self._received)
        page.on("request", lambda request: self.addresses.append(request.url))

    def _begun(self, event):
        self._sent[event["requestId"]] = event["request"]["url"]

    def _data(self, event):
        self._http[event["requestId"]] = self._http.get(event["requestId"], 0) + max(0, event["encodedDataLength"])

    def _finished(self, event):
        self._http[event["requestId"]] = event["encodedDataLength"]
        self.received.append((self._sent.pop(event["requestId"], ""), self.bytes))

    def bytes_until(self, part: str) -> int:
        """Bytes until the first answer whose address has this part was received."""
        return next(count for address, count in self.received if part in address)

    def _received(self, event):
        self.messages += len(event["response"]["payloadData"].encode())

    @property
    def bytes(self) -> int:
        return round(sum(self._http.values())) + self.messages

    def heap(self) -> int:
        """Bytes of the page's JavaScript heap that are in use after a collection, typed arrays included."""
        self.session.send("HeapProfiler.collectGarbage")
        usage = self.session.send("Runtime.getHeapUsage")
        return usage["usedSize"] + usage.get("backingStorageSize", 0)


def new_page(chromium, first_picture: str):
    """A new window that notes when the page shows its first picture, for which the JavaScript `first_picture` holds."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(OBSERVE.replace("PICTURE", first_picture))
    return context.new_page()


def open_until_picture(page, address: str, deadline: float):
    """Opens a page. Raises `playwright.sync_api.TimeoutError` without a picture after `deadline` seconds."""
    # Not `wait_for_function`, which evaluates text in the page: its Content-Security-Policy refuses that. Nor
    # `evaluate`, which has no deadline while a page computes.
    with page.expect_console_message(lambda message: message.text == "first picture", timeout=deadline * 1000):
        page.goto(address, wait_until="commit")


def time_of_first_picture(chromium, address: str, first_picture: str = PICTURE, deadline: float = 300) -> float:
    """Milliseconds until the first picture, in a window where no traffic is counted: that takes a sixth longer."""
    page = new_page(chromium, first_picture)
    open_until_picture(page, address, deadline)
    first = page.evaluate("measured.first")
    page.context.close()
    return first


def open_and_measure(chromium, address: str, first_picture: str = PICTURE, picture: str | None = None,
                     deadline: float = 300) -> dict:
    """Opens a page in a new window, until it is at rest. Returns the figures and the addresses of its reads.

    `first_picture`: JavaScript that holds once the page shows what it is opened for, within `deadline` seconds;
    `picture`: a file for a screenshot.
    """
    page = new_page(chromium, first_picture)
    context = page.context
    traffic = Traffic(page)
    open_until_picture(page, address, deadline)
    messages_until = traffic.messages
    # Details follow the first picture: at rest when two looks see the same number of reads. A page that reads again and
    # again is left after ten seconds.
    reads = -1
    for _ in range(10):
        if reads == len(traffic.addresses):
            break
        reads = len(traffic.addresses)
        page.wait_for_timeout(1000)
    measured = page.evaluate("measured")
    if picture:
        page.screenshot(path=picture)
    result = {**measured, "bytes_until": measured["bytes_until"] + messages_until, "bytes": traffic.bytes,
              "heap": traffic.heap(), "addresses": traffic.addresses}
    context.close()
    return result
