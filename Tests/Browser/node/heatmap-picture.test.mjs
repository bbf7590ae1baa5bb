import assert from "node:assert/strict";
import test from "node:test";

import { roundStride, stepTicks } from "../../../static/js/heatmap/picture/axis.js";
import { colourTable, cssColour, pixel } from "../../../static/js/heatmap/picture/colours.js";
import { Geometry, nameRoom } from "../../../static/js/heatmap/picture/geometry.js";
import { placedLabels } from "../../../static/js/heatmap/picture/labels.js";
import { RowNames, commonPath, shortened } from "../../../static/js/heatmap/picture/names.js";
import { ShownLayers, paintCells } from "../../../static/js/heatmap/picture/raster.js";
import { LayerTree } from "../../../static/js/heatmap/rows/tree.js";
import { RowWindow, revealing, zoomed } from "../../../static/js/heatmap/picture/rows.js";
import { layerMedians, ratioScale, valueScale } from "../../../static/js/heatmap/picture/scale.js";
import { columnTable } from "../../../static/js/heatmap/picture/table.js";
import { describeCell } from "../../../static/js/heatmap/picture/text.js";
import { LayerFindings } from "../../../static/js/heatmap/data/findings.js";
import { matrixOf } from "./matrices.mjs";

const ofRows = (values) => matrixOf({
    layers: values.map((_, row) => `layer${row}`), steps: values[0].map((_, column) => column), values,
});

// Scales

test("values close together have a linear scale, values of several magnitudes a logarithmic one", () => {
    const linear = valueScale(ofRows([[1, 2, 3]]));
    assert.deepEqual([linear.kind, linear.place(1), linear.place(2), linear.place(3)], ["linear", 0, 0.5, 1]);
    const log = valueScale(ofRows([[1 / 64, 1, 64]]));
    assert.deepEqual([log.kind, log.place(1 / 64), log.place(1), log.place(64)], ["log", 0, 0.5, 1]);
});

test("zero has the lowest place of a logarithmic scale, below every positive value", () => {
    const scale = valueScale(ofRows([[0, 1e-3, 1, 1000]]));
    assert.equal(scale.place(0), 0);
    assert.ok(scale.place(1e-3) > 0.05);
    assert.equal(scale.ticks[0].text, "0");
});

test("negative values have a symmetric scale with zero in the middle", () => {
    const scale = valueScale(ofRows([[-1000, -1, 0, 1, 1000]]));
    assert.deepEqual([scale.kind, scale.colours, scale.place(0)], ["symmetric log", "diverging", 0.5]);
    assert.equal(scale.place(-1000), 0);
    assert.equal(scale.place(1000), 1);
    assert.ok(Math.abs(scale.place(1) + scale.place(-1) - 1) < 1e-12);
});

test("one exploding value does not take all colours from the others", () => {
    const values = Array.from({ length: 1000 }, (_, index) => 1 + index / 10);
    values.push(1e30);
    const scale = valueScale(ofRows([values]));
    assert.equal(scale.place(1e30), 1);
    assert.ok(scale.place(100) - scale.place(1) > 0.3);
});

test("equal values, no value and extreme values have places from 0 to 1", () => {
    for (const values of [[3, 3], [null, null], [-3e38, 3e38], [0, 0], [1e-45, 3e38], [-1, -1]]) {
        const scale = valueScale(ofRows([values]));
        for (const value of [...values, 5]) {
            const place = scale.place(value ?? 0);
            assert.ok(place >= 0 && place <= 1, `${values}: ${value} at ${place}`);
        }
    }
});

test("against its own median, a layer that stops is as far from the middle as can be, also if it stopped early", () => {
    const matrix = ofRows([[2, 2, 0, 0, 0, 0], [8, 8, 8, 8, 16, 4], [0, 0, 0, 0, 0, 0]]);
    assert.deepEqual([...layerMedians(matrix)], [2, 8, NaN]);
    const scale = ratioScale(matrix);
    assert.deepEqual([scale.place(2, 0), scale.place(0, 0)], [0.5, 0]);
    assert.deepEqual([scale.place(16, 1), scale.place(4, 1)], [1, 0]);
    assert.equal(scale.place(0, 2), 0.5);
    assert.deepEqual(scale.ticks.map(({ text }) => text), ["1/2×", "1×", "2×"]);
});

// Colours

test("the sequential colours grow steadily lighter", () => {
    const lightness = [...colourTable("sequential")].map((colour) => {
        const linear = [0, 8, 16].map((shift) => (((colour >>> shift) & 255) / 255) ** 2.2);
        return Math.cbrt(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]);
    });
    for (let index = 1; index < 256; index += 1) assert.ok(lightness[index] > lightness[index - 1] - 1e-3);
    const [low, middle, high] = [lightness[0], lightness[128], lightness[255]];
    assert.ok(Math.abs(middle - (low + high) / 2) < 0.08);
});

test("a pixel and its colour of CSS are the same", () => {
    assert.equal(cssColour(pixel("0180ff")), "rgb(1 128 255)");
});

// Rows

test("a thousand layers share the lines there are, each in one", () => {
    const window = new RowWindow(0, 1000, 377);
    const seen = [];
    for (let line = 0; line < window.lines; line += 1) {
        const [begin, end] = window.layersOf(line);
        for (let layer = begin; layer < end; layer += 1) {
            seen.push(layer);
            assert.equal(window.lineOf(layer), line);
        }
    }
    assert.deepEqual(seen, Array.from({ length: 1000 }, (_, index) => index));
    assert.equal(new RowWindow(10, 5, 377).lines, 5);
    assert.deepEqual([9, 10, 14, 15].map((layer) => new RowWindow(10, 5, 377).lineOf(layer)), [-1, 0, 4, -1]);
});

test("zooming keeps the layer in view, and ends at four layers and at all", () => {
    let window = { first: 0, count: 1000 };
    for (let times = 0; times < 12; times += 1) {
        window = zoomed(window, 0.5, 700, 1000);
        assert.ok(window.first <= 700 && 700 < window.first + window.count);
    }
    assert.equal(window.count, 4);
    for (let times = 0; times < 12; times += 1) window = zoomed(window, 2, 700, 1000);
    assert.deepEqual(window, { first: 0, count: 1000 });
    assert.deepEqual(revealing({ first: 10, count: 5 }, 20, 100), { first: 16, count: 5 });
});

// Cells

test("of layers that share a line, NaN is shown before a finding, and a finding before the largest value", () => {
    const matrix = ofRows([[1, 1, 1, null], [0, 0, 0, null], [9, NaN, null, null]]);
    const scale = valueScale(matrix);
    const window = new RowWindow(0, 3, 1);
    const plain = new ShownLayers(matrix, scale);
    const marked = new ShownLayers(matrix, scale, [1]);
    const columns = [0, 1, 2, 3];
    assert.deepEqual(columns.map((column) => plain.at([0, 3], column)), [2, 2, 0, -1]);
    assert.deepEqual(columns.map((column) => marked.at([0, 3], column)), [1, 2, 1, -1]);
    const image = new Uint32Array(4);
    const table = Uint32Array.from({ length: 256 }, (_, index) => index + 1);
    assert.deepEqual(paintCells(marked, window, scale, { table, broken: 999 }, image), [[0, 1, 1]]);
    assert.deepEqual([image[1], image[3]], [999, 0]);
    assert.equal(image[0], 1 + Math.round(255 * scale.place(0)));
});

test("neighbouring cells that are not finite are one run", () => {
    const matrix = ofRows([[NaN, NaN, 1, Infinity], [1, 2, 3, 4]]);
    const runs = paintCells(new ShownLayers(matrix, valueScale(matrix)), new RowWindow(0, 2, 2), valueScale(matrix),
        { table: new Uint32Array(256), broken: 1 }, new Uint32Array(8));
    assert.deepEqual(runs, [[0, 0, 2], [0, 3, 1]]);
});

// Axis, names, places

test("ticks are round steps, inside of wide columns too, and none lies in a gap", () => {
    assert.deepEqual([roundStride(999, 9), roundStride(7, 9), roundStride(1_000_000, 9)], [200, 1, 200_000]);
    const steps = Array.from({ length: 125 }, (_, index) => 8 * index);
    const ticks = stepTicks(steps, steps.map((step) => step + 7), 6);
    assert.deepEqual(ticks.map(({ text }) => text), ["0", "200", "400", "600", "800"]);
    assert.equal(ticks[1].column, 25);
    assert.deepEqual(stepTicks([0, 1000], [10, 1010], 6).map(({ text }) => text), ["0", "1,000"]);
});

test("steps beyond 2^53 have exact numbers on the axis", () => {
    const first = 9007199254740993n;
    assert.deepEqual(stepTicks([first, first + 1n], [first, first + 1n], 2).map(({ text }) => text),
        ["9,007,199,254,740,993", "9,007,199,254,740,994"]);
});

test("names do not overlap, and those with findings come first", () => {
    const tree = new LayerTree(Array.from({ length: 1000 }, (_, layer) => `layer${layer}`));
    const labels = placedLabels(new RowWindow(0, 1000, 400), 1, 13, [501, 502, 999], tree);
    assert.ok(labels.some(({ layer }) => layer === 501));
    assert.ok(labels.some(({ layer }) => layer === 999));
    assert.ok(!labels.some(({ layer }) => layer === 502));
    labels.sort((a, b) => a.y - b.y);
    for (let index = 1; index < labels.length; index += 1) assert.ok(labels[index].y - labels[index - 1].y >= 13);
    assert.ok(labels.every(({ y }) => y >= 6 && y <= 394));
    assert.ok(labels.length > 15);
});

test("a long name is cut in its middle, at whole parts where that is enough", () => {
    const measure = (text) => text.length;
    const cut = (name, room) => shortened(name, room, measure);
    assert.equal(cut("12/attention/output/dense", 25), "12/attention/output/dense");
    assert.equal(cut("12/attention/output/dense", 20), "12/…/output/dense");
    assert.equal(cut("12/attention/output/dense", 12), "12/…/dense");
    assert.equal(cut("11/post_attention_layernorm", 18), "11/post…_layernorm");
    assert.equal(cut("encoder_block_12_attention_query", 15), "encode…on_query");
    assert.equal(cut("head", 8), "head");
    for (let room = 2; room < 40; room += 1) assert.ok(cut("model/layers/12/self_attn/q_proj", room).length <= room);
});

/** The ids of a transformer with twelve blocks, as the Hugging Face library names them. */
const TRANSFORMER = [
    "model/embed_tokens",
    ...Array.from({ length: 12 }, (_, block) => {
        const kinds = ["self_attn/q_proj", "self_attn/k_proj", "mlp/up_proj", "post_attention_layernorm"];
        return kinds.map((kind) => `model/layers/${block}/${kind}`);
    }).flat(),
    "model/norm", "lm_head",
];

test("names are without the path that nearly all layers have, where the longest has no room", () => {
    assert.equal(commonPath(TRANSFORMER), "model/layers/");
    assert.deepEqual(["a/0/b", "b/0/c", "a/1/b"].map((id) => commonPath([id, "x"])), ["", "", ""]);
    assert.equal(commonPath(["linear0", "linear1"]), "");
    const whole = new RowNames(TRANSFORMER, 40);
    assert.deepEqual([whole.common, whole.layer(1)], ["", "model/layers/0/self_attn/q_proj"]);
    const short = new RowNames(TRANSFORMER, 39);
    const node = { name: "model/layers/7", begin: 29, end: 33 };
    assert.deepEqual([short.layer(29), short.layer(0), short.layer(50), short.node(node), short.folded(node)],
        ["7/self_attn/q_proj", "model/embed_tokens", "lm_head", "layers/7", "layers/7 (4 layers)"]);
});

test("names have more room on wide screens, and a name of a block and its kind fits", () => {
    const lefts = [354, 570, 1050].map((width) => {
        const names = new RowNames(TRANSFORMER, nameRoom(width, 1));
        const texts = TRANSFORMER.map((_, layer) => names.layer(layer));
        return new Geometry({ width, layers: texts, columns: 100, room: 300, levels: 1 }).left;
    });
    assert.deepEqual(lefts, [106, 171, 298]);
    assert.ok(nameRoom(570, 1) >= "11/self_attn/q_proj".length);
});

test("each point of the cells has a column and a line, and the edges belong to the first and the last", () => {
    const geometry = new Geometry({ width: 1000, layers: Array(50).fill("block/layer"), columns: 250, room: 400 });
    assert.deepEqual([geometry.plotHeight, geometry.height], [400, 422]);
    for (const column of [0, 1, 77, 249]) assert.equal(geometry.columnAt(geometry.x(column + 0.5)), column);
    assert.deepEqual([geometry.columnAt(-5), geometry.columnAt(5000)], [0, 249]);
    assert.deepEqual([0, 399, 500].map((y) => geometry.lineAt(y, 50)), [0, 49, 49]);
    const areas = [[5, 10], [500, 10], [500, 410], [5, 410], [500, 900]].map(([x, y]) => geometry.areaAt(x, y));
    assert.deepEqual(areas, ["names", "cells", "axis", null, null]);
    const [from, to] = [{ x: 400, y: 300 }, { x: 300, y: 100 }];
    assert.deepEqual(geometry.selectionBox({ area: "both", from, to }), { x: 300, y: 100, width: 100, height: 200 });
    assert.deepEqual(geometry.selectionBox({ area: "axis", from, to }), { x: 300, y: 0, width: 100, height: 400 });
    const few = new Geometry({ width: 1000, layers: ["a", "b", "c"], columns: 9, room: 400 });
    assert.deepEqual([few.plotHeight, few.left], [60, 96]);
});

// Findings and text

const HEALTH = {
    alerts: [
        { state: "open", layer: "layer1", rule: "dead_layer", severity: "critical", first_step: 2, metric: "m", title: "" },
        { state: "open", layer: "layer0", rule: "vanishing_gradient", severity: "warning", first_step: 1, metric: "g", title: "" },
        { state: "closed", layer: "layer2", rule: "dead_layer", severity: "critical", first_step: 1, metric: "m", title: "" },
        { state: "open", layer: null, rule: "loss_spike", severity: "critical", first_step: 3, metric: "loss", title: "" },
    ],
    episodes: [{ id: "e", state: "open", severity: "critical", origin: { layer: "layer1", rule: "dead_layer" } }],
};

test("open findings of layers are known, the origin of an episode first", () => {
    const findings = new LayerFindings(HEALTH);
    assert.deepEqual(findings.rowsByImportance(["layer0", "layer1", "layer2"]), [1, 0]);
    assert.equal(findings.of("layer2"), undefined);
    assert.deepEqual([findings.metric, findings.of("layer1").severity, findings.of("layer1").isOrigin], ["m", "critical", true]);
    assert.deepEqual(new LayerFindings().rowsByImportance(["a"]), []);
});

test("a layer is marked with the severity of its finding, which its worst layer decides", () => {
    const alerts = HEALTH.alerts.map((alert) => ({ ...alert, episode: alert.layer === "layer0" ? "e" : "f" }));
    const findings = new LayerFindings({ ...HEALTH, alerts });
    const { severity, own, alerts: [alert] } = findings.of("layer0");
    assert.deepEqual([severity, own, alert.severity, alert.own], ["critical", "warning", "critical", "warning"]);
    const matrix = matrixOf({ layers: ["layer0"], steps: [0, 2], lastSteps: [1, 3], values: [[1, 0]], metric: "std" });
    const text = describeCell({ matrix, layer: 0, sharing: 1, column: 1, ratio: "0×", entry: findings.of("layer0") });
    assert.equal(text.split(" · ").at(-1), "warning of a critical finding: vanishing gradient since step 1");
    const window = new RowWindow(0, 3, 9);
    const lines = [...findings.worstByLine(["layer0", "layer1", "layer2"], window)];
    assert.deepEqual(lines.map(([line, entry]) => [line, entry.severity]), [[1, "critical"], [0, "critical"]]);
});

test("the metric of an open finding is that of its first alert, which may be closed", () => {
    const closed = { id: "7", state: "closed", layer: "layer2", rule: "dead_layer", first_step: 1, metric: "first" };
    const open = { ...closed, id: "8", state: "open", rule: "spectral_growth", severity: "critical", first_step: 2, metric: "later" };
    const episodes = [{ state: "open", origin: { layer: "layer2", rule: "dead_layer", alert: "7" } }];
    const { metric, originStep } = new LayerFindings({ alerts: [open, closed], episodes });
    assert.deepEqual([metric, originStep], ["first", 1]);
});

test("of several findings the metric is that of the worst and first one, as in the verdict", () => {
    const kinds = [["warning", 300, "late"], ["critical", 200, "second"], ["critical", 120, "first"], ["warning", 1, "early"]];
    const alerts = kinds.map(([severity, step, metric]) => {
        return { id: metric, episode: metric, state: "open", layer: metric, severity, first_step: step, metric, title: "" };
    });
    // As the server sorts them: the newest first.
    const episodes = kinds.map(([severity, step, metric]) => {
        return { id: metric, state: "open", severity, first_step: step, origin: { layer: metric, alert: metric, step } };
    });
    const { metric, originStep } = new LayerFindings({ alerts, episodes });
    assert.deepEqual([metric, originStep], ["first", 120]);
});

test("the table has the layers that stand out: not finite, then with findings, then the largest", () => {
    const matrix = ofRows([[3], [0], [NaN], [9], [null], [1]]);
    const scale = valueScale(matrix);
    const { caption, rows } = columnTable(
        { matrix, scale, medians: layerMedians(matrix), findings: new LayerFindings(HEALTH) }, 0);
    assert.deepEqual(rows.map(([layer]) => layer), ["layer2", "layer0", "layer1", "layer3", "layer5"]);
    assert.equal(caption, "m at step 0: 5 of 5 layers, those that stand out most");
    assert.deepEqual(rows[2], ["layer1", "0", "–", "dead_layer"]);
});

test("a cell is described with its steps, its value, and since when it is sick", () => {
    const matrix = matrixOf({ layers: ["layer1"], steps: [0, 2], lastSteps: [1, 3], values: [[1, 0]], metric: "std" });
    const entry = new LayerFindings(HEALTH).of("layer1");
    assert.equal(describeCell({ matrix, layer: 0, sharing: 1, column: 1, ratio: "0×", entry }),
        "steps 2–3 · layer1 · std 0, 0× its median · critical: dead layer since step 2");
});
