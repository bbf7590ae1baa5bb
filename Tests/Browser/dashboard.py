"""The dashboard from the user's view, and a trainer that posts to it."""

import json
import ssl
import urllib.request
import uuid
from urllib.parse import quote, urlsplit

from playwright.sync_api import expect

# The values on a layer's card, with their paths in a payload.
CARD_METRICS = {
    "activation_std": ("intermediate_features", "activation_std"),
    "activation_mean": ("intermediate_features", "activation_mean"),
    "gradient_l2_norm": ("gradient_flow", "gradient_l2_norm"),
    "gradient_max_abs": ("gradient_flow", "gradient_max_abs"),
    "weight_std": ("parameter_statistics", "weight", "std"),
    "weight_spectral_norm": ("parameter_statistics", "weight", "spectral_norm"),
    "bias_std": ("parameter_statistics", "bias", "std"),
    "bias_mean_abs": ("parameter_statistics", "bias", "mean_abs"),
}


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
    """The metrics that a card shows, as `{stored layer id: {metric: number}}`."""
    result = {}
    for layer in payload["layer_statistics"]:
        values = {}
        for metric, path in CARD_METRICS.items():
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

    def shown_values(self):
        """The values on the cards, in the form of `posted_values`."""
        texts = self.page.evaluate(
            """() => [...document.querySelectorAll(".card")].map((card) => [
                card.dataset.layer,
                [...card.querySelectorAll("[data-metric]")].map((node) => [node.dataset.metric, node.dataset.value]),
            ])"""
        )
        return {layer: {metric: float(text) for metric, text in values if text} for layer, values in texts}

    def expect_payload(self, payload):
        """Checks that every number on every card equals the posted number exactly."""
        self.expect_step(payload["metadata"]["global_step"])
        # The header and the cards are painted in the same frame, so the cards show the same step.
        assert self.shown_values() == posted_values(payload)
