"""The table of layers and the view of one layer, as a person sees them; and runs for them."""

import math

from dashboard import READ_TABLE, Dashboard, Trainer, unique_run
from playwright.sync_api import expect

# Of each step and layer, also one that only the open wire has.
METRICS = ("activation_std", "gradient_l2_norm", "update_ratio", "weight_std", "own/metric")


def layer(index, **changes):
    """A layer of the open wire: two in a block."""
    kind = ("attn", "mlp")[index % 2]
    return {"id": f"h.{index // 2}.{kind}", "type": ("SelfAttention", "Linear")[index % 2], "depth": index,
            "group": f"h.{index // 2}", "shape": [8, 32], "parameters": 1024 + index} | changes


def step_of(number, layers, value, metrics=METRICS):
    """A step of the open wire; `value(metric, step, layer)` are its numbers."""
    return {"step": number, "time": 1_770_000_000.5 + number, "batch_size": 8, "scalars": {"loss": 1.0},
            "layers": [layer(index) for index in range(layers)],
            "metrics": {metric: [value(metric, number, index) for index in range(layers)] for metric in metrics}}


def steps_of(count, layers, value=None, first=0):
    """Steps from `first` on; healthy ones without `value`."""
    return [step_of(number, layers, value or smooth) for number in range(first, first + count)]


def smooth(metric, step, index):
    """A healthy number that differs in every metric, step and layer."""
    size = {"update_ratio": 1e-3, "own/metric": -5}.get(metric, 1)
    return size * (1 + index / 50) * (1 + math.sin(step / 9 + index) / 40)


def dead_from(begin, dead):
    """The same, except that a layer gives the same output for every input from a step on."""
    def value(metric, step, index):
        return 0.0 if metric == "activation_std" and index == dead and step >= begin else smooth(metric, step, index)

    return value


class Layers:
    def __init__(self, page, server):
        self.page = page
        self.server = server
        self.dashboard = Dashboard(page, server)
        self.trainer = Trainer(server)
        self.rows = page.locator(".layer-row")
        self.filter = page.get_by_label("Filter layers")
        self.panel = page.get_by_role("dialog")
        self.title = page.locator("#layer-panel-title")

    def post(self, steps, name="layers"):
        run = unique_run(name)
        self.trainer.post_steps(run, steps)
        return run

    def open(self, steps, name="layers"):
        """Posts a run and opens it, until the table shows its last step."""
        run = self.post(steps, name)
        self.page.goto(f"{self.server.url}/#run={run}")
        self.dashboard.expect_step(steps[-1]["step"])
        self.expect_columns()
        return run

    def expect_columns(self):
        expect(self.page.locator("#layers-rows [data-kind=now]").first).to_be_attached()

    def go_to(self, step):
        self.page.get_by_label("Go to step").fill(str(step))
        self.page.get_by_label("Go to step").press("Enter")
        self.dashboard.expect_step(step)

    def row(self, layer_id):
        return self.page.locator(f".layer-row[data-layer='{layer_id}']")

    def cell(self, layer_id, metric, kind):
        return self.row(layer_id).locator(f"[data-metric='{metric}'][data-kind={kind}]")

    def number(self, layer_id, metric, kind):
        return float(self.cell(layer_id, metric, kind).get_attribute("data-value"))

    def order(self):
        """The ids of the first rows, from above."""
        return self.page.evaluate("""() => [...document.querySelectorAll(".layer-row")]
            .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.dataset.layer)""")

    def expect_order(self, ids):
        self.page.wait_for_function(
            """(ids) => {
                const rows = [...document.querySelectorAll(".layer-row")];
                rows.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
                return String(rows.slice(0, ids.length).map((row) => row.dataset.layer)) === String(ids);
            }""", arg=ids)

    def values(self):
        """The text of every value at the viewed step, `{layer: {metric: text}}`."""
        return {name: dict(values) for name, values in self.page.evaluate(READ_TABLE)}

    def choose(self, *metrics):
        """Chooses exactly these metrics for the table."""
        self.page.get_by_text("Metrics", exact=True).click()
        chosen = self.page.locator("#layers-metrics-list input:checked")
        for metric in metrics:
            self.page.locator(f"#layers-metrics-list input[value='{metric}']").check()
        for name in chosen.evaluate_all("(boxes) => boxes.map((box) => box.value)"):
            if name not in metrics:
                self.page.locator(f"#layers-metrics-list input[value='{name}']").uncheck()
        self.page.keyboard.press("Escape")

    def open_layer(self, name):
        """With the keyboard, from anywhere: a slash, the name, Enter."""
        self.page.keyboard.press("/")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")

    def expect_panel_step(self, step):
        expect(self.page.locator("#layer-panel-step")).to_have_attribute("data-value", str(step))

    def panel_values(self):
        return self.page.evaluate("""() => Object.fromEntries([...document.querySelectorAll(".layer-chart-value")]
            .map((node) => [node.dataset.metric, node.dataset.value]))""")

    def chart(self, metric):
        return self.page.locator(".layer-chart").filter(has=self.page.get_by_role("heading", name=metric, exact=True))
