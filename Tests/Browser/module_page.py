"""An empty page into which a test imports the dashboard's modules."""

import mimetypes

ORIGIN = "http://modules.test"

# Creates a history of steps 0, 10, 20, ... with one layer whose activation std equals the step.
PRELUDE = """
const { History, Insertion } = await import("/static/js/model/history.js");
const { Player } = await import("/static/js/model/player.js");
const { StructureTable } = await import("/static/js/model/structure.js");
const { decodeStep } = await import("/static/js/model/step-record.js");
const { columnOf } = await import("/static/js/model/metrics.js");
const structures = new StructureTable();
const layer = (id, std, extra = {}) => ({
    layer_id: id, layer_type: "Linear", depth_index: 0,
    intermediate_features: { activation_std: std, activation_mean: 0, activation_shape: [1, 2], cross_layer_std_ratio: null },
    gradient_flow: { gradient_l2_norm: std, gradient_std: 0, gradient_max_abs: 0 },
    parameter_statistics: { weight: { std: 0, mean: 0, spectral_norm: 0, frobenius_norm: 0 }, bias: null }, ...extra,
});
const record = (step, std = step, ids = ["a"]) => decodeStep({
    step, timestamp: 1, batch_size: 2, layers: ids.map((id) => layer(id, std)),
    cross_layer: { feature_std_gradient: 0, gradient_norm_ratio: {} }, layer_groups: null,
}, structures);
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
