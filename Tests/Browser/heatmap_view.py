"""The heatmap from the user's view, and runs for it."""

import json
import urllib.request
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

# The colours of cells that are not finite: the one between the stripes, and that of the stripes.
BROKEN = (194, 24, 143)
HATCH = (255, 255, 255)


def is_hatched(colour):
    """Whether a colour lies between the two of the hatching, whose stripes have soft edges."""
    share = (colour[1] - BROKEN[1]) / (HATCH[1] - BROKEN[1])
    return all(abs(low + share * (high - low) - value) < 6 for low, high, value in zip(BROKEN, HATCH, colour))


def post_steps(server, run, lines):
    """Posts steps of the open wire in batches of a few megabytes."""
    batch, size = [], 0
    for line in [*(json.dumps(line) for line in lines), None]:
        if line is not None:
            batch.append(line)
            size += len(line)
        if batch and (line is None or size > 4_000_000):
            request = urllib.request.Request(f"{server.url}/api/v2/runs/{run}/steps", "\n".join(batch).encode(),
                                             headers={"Content-Type": "application/x-ndjson"})
            with urllib.request.urlopen(request, timeout=300) as answer:
                assert json.load(answer)["accepted"] == len(batch)
            batch, size = [], 0


def layer_steps(layers, steps, value, metrics=("activation_std",), first=0):
    """Steps from `first` on; `value(step, layer)` is the number of each metric."""
    table = [{"id": f"block{layer // 10}/layer{layer}", "type": "Linear", "depth": layer} for layer in range(layers)]
    for step in range(first, first + steps):
        numbers = [value(step, layer) for layer in range(layers)]
        yield {"step": step, "layers": table, "metrics": {name: numbers for name in metrics}}


class Heatmap:
    def __init__(self, page):
        self.page = page
        self.plot = page.get_by_role("slider", name="Heatmap cursor")
        self.readout = page.locator("#heatmap-readout")
        self.queries = []
        page.on("request", self._requested)

    def _requested(self, request):
        address = urlsplit(request.url)
        if address.path.endswith("/matrix"):
            assert request.headers["accept"] == "application/vnd.nnmonitor.matrix"
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            # One point is the first report, for the depth profile.
            if query["points"] != "1":
                self.queries.append(query)

    def expect_size(self, layers, columns):
        expect(self.readout).to_contain_text(f"{layers} layers × {columns} columns", timeout=60_000)

    def expect_columns(self, columns):
        """The same while the heatmap has the focus, when a cell is described instead."""
        expect(self.plot).to_have_attribute("aria-valuemax", str(columns - 1), timeout=60_000)

    def expect_cursor(self, text):
        expect(self.plot).to_have_attribute("aria-valuetext", text)

    def colour(self, row, rows, column, columns):
        """Red, green and blue in the middle of a cell, and its opacity."""
        return self.page.evaluate(
            """([x, y]) => {
                const canvas = document.getElementById("heatmap-cells");
                const place = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
                return [...canvas.getContext("2d").getImageData(...place, 1, 1).data];
            }""", [(column + 0.5) / columns, (row + 0.5) / rows])

    def point(self, row, rows, column, columns):
        """The position of a cell in the plot."""
        box = self.page.locator("#heatmap-cells").bounding_box()
        outer = self.plot.bounding_box()
        return {"x": box["x"] - outer["x"] + (column + 0.5) / columns * box["width"],
                "y": box["y"] - outer["y"] + (row + 0.5) / rows * box["height"]}

    def drag(self, start, end, **options):
        """Drags between two positions in the plot."""
        outer = self.plot.bounding_box()
        self.page.mouse.move(outer["x"] + start["x"], outer["y"] + start["y"])
        self.page.mouse.down()
        self.page.mouse.move(outer["x"] + end["x"], outer["y"] + end["y"], steps=5)
        self.page.mouse.up()
