"""The dashboard from the user's view, and a trainer that posts to it."""

import json
import ssl
import urllib.request
import uuid
from urllib.parse import quote, urlsplit

from playwright.sync_api import expect

# The metrics that the tests choose for the table of layers, with their paths in a payload.
TABLE_METRICS = {
    "activation_std": ("intermediate_features", "activation_std"),
    "activation_mean": ("intermediate_features", "activation_mean"),
    "gradient_l2_norm": ("gradient_flow", "gradient_l2_norm"),
    "gradient_max_abs": ("gradient_flow", "gradient_max_abs"),
    "weight_std": ("parameter_statistics", "weight", "std"),
    "weight_spectral_norm": ("parameter_statistics", "weight", "spectral_norm"),
    "bias_std": ("parameter_statistics", "bias", "std"),
    "bias_mean_abs": ("parameter_statistics", "bias", "mean_abs"),
}

# What Chromium logs of a read that is under way when its run is removed.
READ_OF_A_REMOVED_RUN = "status of 404"
# And of attempts to connect to a server that is gone.
UNREACHABLE = ("net::ERR_", "WebSocket connection to")

# Chooses these metrics before the page begins, as a person did earlier in this browser.
CHOOSE_METRICS = f"""
try {{
    const key = "nnmonitor.layers.metrics";
    if (localStorage.getItem(key) === null) localStorage.setItem(key, {json.dumps(json.dumps(list(TABLE_METRICS)))});
}} catch {{
    // A page without storage.
}}
"""

# The values of all rows, from above. Only rows in view exist; the others are there a frame after scrolling.
READ_TABLE = """async () => {
    const table = document.getElementById("layers-table");
    const read = new Map();
    const take = () => {
        const rows = [...table.querySelectorAll(".layer-row")].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
        for (const row of rows) {
            const cells = [...row.querySelectorAll("[data-kind=now]")];
            read.set(row.dataset.layer, cells.map((cell) => [cell.dataset.metric, cell.dataset.value]));
        }
    };
    take();
    const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const page = table.clientHeight - table.firstElementChild.offsetHeight;
    for (let top = page; read.size < table.ariaRowCount - 1; top += page) {
        if (top > table.scrollHeight) throw new Error(`the table has ${read.size} of ${table.ariaRowCount - 1} rows`);
        table.scrollTop = top;
        await frames();
        take();
    }
    if (table.scrollTop > 0) {
        table.scrollTop = 0;
        await frames();
    }
    return [...read];
}"""


def unique_run(name="run"):
    return f"{name}-{uuid.uuid4().hex[:8]}"


class Trainer:
    """Posts payloads as a training script does."""

    def __init__(self, server):
        self.url = server.url
        self.token = getattr(server, "token", None)
        is_secure = urlsplit(server.url).scheme == "https"
        self.context = ssl.create_default_context(cafile=server.ca) if is_secure else None

    def post(self, payload):
        self._ask(202, "/api/v1/metrics/layerwise", "POST", json.dumps(payload).encode())

    def post_steps(self, run, steps):
        """Posts steps of the open wire in one body."""
        lines = "\n".join(json.dumps(step) for step in steps)
        answer = self._ask(202, f"/api/v2/runs/{quote(run, safe='')}/steps", "POST", lines.encode(), "application/x-ndjson")
        assert json.loads(answer)["rejected"] == []

    def post_alert(self, run, alert):
        self._ask(202, f"/api/v2/runs/{run}/alerts", "POST", json.dumps(alert).encode())

    def describe(self, run, description):
        self._ask(200, f"/api/v2/runs/{run}", "PUT", json.dumps(description).encode())

    def begin(self, run):
        """Begins a run without steps."""
        self._ask(201, f"/api/v2/runs/{quote(run, safe='')}", "PUT", b"{}")

    def delete(self, run):
        self._ask(204, f"/api/v1/runs/{run}", "DELETE")

    def _ask(self, status, path, method, body=None, content_type="application/json"):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        if body is not None:
            request.add_header("Content-Type", content_type)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
            assert answer.status == status
            return answer.read()


def make_payload(run, step, layers=None, value=None):
    """A payload whose numbers depend on its step. The activation std is `value` if given."""
    value = value if value is not None else 0.1 + step / 7
    names = layers if layers is not None else ["conv.0", "conv.1", "head"]
    return {
        "metadata": {"run_id": run, "timestamp": 1_770_000_000.25 + step, "global_step": step, "batch_size": 32},
        "layer_statistics": [
            {
                "layer_id": name,
                "layer_type": "Linear",
                "depth_index": depth,
                "intermediate_features": {
                    "activation_std": value,
                    "activation_mean": -value / 3,
                    "activation_shape": [32, 16],
                },
                "gradient_flow": {
                    "gradient_l2_norm": value * 1e-7,
                    "gradient_std": value / 11,
                    "gradient_max_abs": value * 1e9,
                },
                "parameter_statistics": {
                    "weight": {"std": value / 13, "mean": 0.0, "spectral_norm": value, "frobenius_norm": value}
                },
            }
            for depth, name in enumerate(names)
        ],
        "cross_layer_analysis": {"feature_std_gradient": 0.5},
    }


def posted_values(payload):
    """The metrics of the table, as `{stored layer id: {metric: number}}`."""
    result = {}
    for layer in payload["layer_statistics"]:
        values = {}
        for metric, path in TABLE_METRICS.items():
            value = layer
            for key in path:
                value = value.get(key) if value is not None else None
            if value is not None:
                values[metric] = value
        result[layer["layer_id"].replace(".", "/")] = values
    return result


class Dashboard:
    def __init__(self, page, server):
        self.page = page
        self.server = server

    def log_in(self, token=None):
        self.page.goto(self.server.url + "/")
        expect(self.page).to_have_url(self.server.url + "/login")
        self.page.get_by_label("Access token").fill(token if token is not None else self.server.token)
        self.page.get_by_role("button", name="Log in").click()

    def open_run(self, run):
        row = self.page.locator("#runs .run").filter(has=self.page.get_by_text(run, exact=True))
        row.click()
        expect(self.page.locator("#run-id")).to_have_text(run)

    def expect_state(self, state, timeout=15_000):
        expect(self.page.locator("#connection")).to_have_attribute("data-state", state, timeout=timeout)

    def expect_step(self, step):
        expect(self.page.locator("#fact-step")).to_have_attribute("data-value", str(step), timeout=15_000)

    def expect_steps(self, count):
        """Checks the number of steps in the heatmap of a run so short that each step has a column."""
        axis = self.page.get_by_role("slider", name="Heatmap cursor")
        expect(axis).to_have_attribute("aria-valuemax", str(count - 1), timeout=30_000)

    def shown_values(self):
        """The values at the viewed step in the table of layers, in the form of `posted_values`.

        A table that is longer than its view is scrolled from end to end.
        """
        values = self.page.evaluate(READ_TABLE)
        return {layer: {metric: float(text) for metric, text in values if text} for layer, values in values}

    def expect_payload(self, payload):
        """Checks that every number at the viewed step in the table equals the posted number exactly."""
        self.expect_step(payload["metadata"]["global_step"])
        # The columns come when the run's metrics are known.
        expect(self.page.locator("#layers-rows [data-kind=now]").first).to_be_attached()
        # The header and the table are painted in the same frame, so the table shows the same step.
        assert self.shown_values() == posted_values(payload)
