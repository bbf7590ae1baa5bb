"""An empty page into which a test imports the dashboard's modules."""

import mimetypes

ORIGIN = "http://modules.test"

# Creates a history of steps 0, 10, 20, ... with one layer whose activation std equals the step.
PRELUDE = """
const { History, Insertion } = await import("/static/js/model/history.js");
const { Player, behindOf } = await import("/static/js/model/player.js");
const { StructureTable } = await import("/static/js/model/structure.js");
const { decodeStep } = await import("/static/js/model/step-record.js");
const structures = new StructureTable();
const openStep = (step, std = step, ids = ["a"], seq = 0) => ({
    step, seq, time: 1, batch_size: 2, scalars: { feature_std_gradient: 0 },
    layers: ids.map((id) => ({ id, type: "Linear", depth: 0, shape: [1, 2] })),
    metrics: { activation_std: ids.map(() => std), gradient_l2_norm: ids.map(() => std), bias_std: ids.map(() => null) },
});
const record = (...values) => decodeStep(openStep(...values), structures);
const historyOf = (steps, bounds) => {
    const history = new History(bounds);
    for (const step of steps) history.insert(record(step));
    return history;
};
const stepsOf = (history) => Array.from({ length: history.length }, (_, index) => history.at(index).step);
"""


def open_module_page(page, static_folder):
    """Opens the page. Returns a function that runs the body of an async JavaScript function and returns its result."""

    def serve(route):
        path = route.request.url.removeprefix(ORIGIN)
        if path == "/":
            route.fulfill(content_type="text/html", body="<!doctype html><title>modules</title>")
            return
        file = static_folder / path.removeprefix("/static/")
        route.fulfill(content_type=mimetypes.guess_type(file.name)[0], body=file.read_bytes())

    page.route(ORIGIN + "/**", serve)
    page.route(ORIGIN + "/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(ORIGIN + "/")
    return lambda body: page.evaluate("async () => {" + PRELUDE + body + "}")
