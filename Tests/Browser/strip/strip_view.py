"""The strip of scalars from the user's view, and runs for it."""

import math
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from heatmap_view import layer_steps

# The page's clock, by which it bounds its reads.
MINUTE_LATER = "() => { const now = Date.now; Date.now = () => now() + 60_000; }"

# The page's x of the opaque pixels in a row of a canvas, inside of the plot; frames at its edges are left out.
OPAQUE = """([id, y]) => {
    const canvas = document.getElementById(id);
    const plot = document.getElementById("heatmap-cells").getBoundingClientRect();
    const box = canvas.getBoundingClientRect();
    const ratio = canvas.width / box.width;
    const row = canvas.getContext("2d").getImageData(0, Math.round(y * ratio), canvas.width, 1).data;
    const found = [];
    for (let x = 0; x < canvas.width; x += 1) {
        const place = box.left + x / ratio;
        if (row[4 * x + 3] > 0 && place > plot.left + 2 && place < plot.right - 3) found.push(Math.round(place));
    }
    return found;
}"""

PICTURES = """() => ["strip-charts", "strip-lines", "heatmap-cells", "heatmap-marks"]
    .map((id) => document.getElementById(id)).map((canvas) => canvas.toDataURL())"""


def scalars(step):
    return {"loss": 2 * math.exp(-step / 40) + 0.1, "lr": 3e-4 * (1 + step % 7), "grad_norm": 1.01 + step % 5 / 4}


def scalar_steps(layers, steps, first=0, values=scalars):
    """Steps with scalars, and with layers whose values stay near 1."""
    for line in layer_steps(layers, steps, lambda step, row: 1 + row / 50 + math.sin(step + row) / 20, first=first):
        if layers == 0:
            line = {"step": line["step"]}
        yield {**line, "time": 1_770_000_000 + line["step"], "scalars": values(line["step"])}


class Strip:
    def __init__(self, page):
        self.page = page
        self.plot = page.locator("#strip-plot")
        self.readout = page.locator("#strip-readout")
        self.queries = []
        page.on("request", self._requested)

    def _requested(self, request):
        address = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        # The list of the run's step numbers is a series of a scalar that no run has.
        if address.path.endswith("/series") and query.get("scalars") not in ("?", "loss") and "metric" not in query:
            self.queries.append(query)

    def expect_values(self, step, values=scalars):
        """The charts' names in order, each with exactly the number that was posted."""
        expect(self.readout).to_have_text(f"at step {step:,}")
        for name, value in values(step).items():
            row = self.page.locator("#strip-labels li").filter(has=self.page.get_by_text(name, exact=True))
            expect(row.locator(".strip-value")).to_have_attribute("data-value", str(value))

    def names(self):
        return self.page.locator("#strip-labels .strip-name").all_inner_texts()

    def lines(self):
        """Where the vertical lines are in the strip and in the heatmap: the opaque pixels of a row of each."""
        below_chart = self.page.evaluate("document.getElementById('strip-plot').clientHeight") - 3
        return [self.page.evaluate(OPAQUE, place) for place in (["strip-lines", below_chart], ["heatmap-marks", 60.5])]

    def x(self, column, columns):
        """The middle of a column, from the left edge of the strip."""
        box = self.page.locator("#heatmap-cells").bounding_box()
        return box["x"] - self.plot.bounding_box()["x"] + (column + 0.5) / columns * box["width"]

    def pictures(self):
        return self.page.evaluate(PICTURES)
