// The fan: quantiles over the layers, and the layers at its edges.

import assert from "node:assert/strict";
import test from "node:test";

import { LayerSpread, SHARES } from "../../../static/js/heatmap/fan/quantiles.js";
import { spreadTable, spreadText } from "../../../static/js/heatmap/fan/text.js";
import { spacedTicks } from "../../../static/js/heatmap/picture/ticks.js";
import { matrixOf } from "./matrices.mjs";

/** Eleven layers with the values 0 to 10 in another order, then columns of few values, of none, and of NaN. */
const ORDER = [7, 0, 3, 10, 5, 1, 9, 2, 8, 4, 6];
const matrix = matrixOf({
    layers: ORDER.map((value) => `layer${value}`), steps: [0, 10, 20, 30], lastSteps: [9, 19, 29, 39],
    values: ORDER.map((value) => [value, value < 3 ? -value : null, null, value === 5 ? Infinity : NaN]),
    nonfinite: ORDER.map((value) => [value === 4 ? 1 : 0, 0, 0, 1]),
});
const spread = new LayerSpread(matrix);

test("quantiles are values of layers, from the least to the largest", () => {
    assert.deepEqual(spread.quantiles.map((values) => values[0]), SHARES.map((share) => Math.round(10 * share)));
    assert.deepEqual(spread.quantiles.map((values) => values[1]), [-2, -2, -1, -1, -0, -0, -0]);
    assert.ok(spread.quantiles.every((values) => Number.isNaN(values[2]) && Number.isNaN(values[3])));
    assert.deepEqual([...spread.counts], [11, 3, 0, 0]);
});

test("the layers at the edges are known, and values that are not finite are counted", () => {
    const name = (row) => matrix.layers[row] ?? null;
    assert.deepEqual([0, 1, 2].map((column) => name(spread.highest[column])), ["layer10", "layer0", null]);
    assert.deepEqual([0, 1, 2].map((column) => name(spread.lowest[column])), ["layer0", "layer2", null]);
    assert.deepEqual([...spread.broken], [1, 0, 0, 11]);
    assert.deepEqual([name(spread.firstBroken[0]), name(spread.firstBroken[3])], ["layer4", "layer7"]);
});

test("columns without a value interrupt the bands", () => {
    assert.deepEqual([spread.segments, spread.brokenSegments], [[[0, 1]], [[0, 0], [3, 3]]]);
});

test("a column is described by its largest value, its median and its least one", () => {
    assert.equal(spreadText(spread, matrix, 0), "NaN or infinite: layer4 · max: layer10 10 · median: 5 · min: layer0 0");
    assert.equal(spreadText(spread, matrix, 1), "max: layer0 0 · median: −1 · min: layer2 −2");
    assert.equal(spreadText(spread, matrix, 2), "no value");
    assert.equal(spreadText(spread, matrix, 3), "NaN or infinite: layer7 and 10 more");
});

test("the table has the column of the cursor and others at equal distances", () => {
    const { caption, head, rows } = spreadTable(spread, matrix, 2);
    assert.equal(caption, "m over the layers: all columns of the heatmap");
    assert.deepEqual(head, ["Steps", "min", "10 %", "25 %", "median", "75 %", "90 %", "max", "Layer with the max",
        "Layers not finite"]);
    assert.deepEqual(rows[0], ["steps 0–9", "0", "1.000", "3.000", "5.000", "8.000", "9.000", "10.00", "layer10", "1"]);
    assert.deepEqual(rows[2], ["steps 20–29", ...Array(7).fill("–"), "–", "0"]);
    const wide = matrixOf({
        layers: ["a"], steps: Array.from({ length: 200 }, (_, step) => step), values: [Array(200).fill(1)],
    });
    const table = spreadTable(new LayerSpread(wide), wide, 101);
    assert.ok(table.rows.length <= 25 && table.rows.some(([step]) => step === "step 101"));
    assert.match(table.caption, /^m over the layers: \d+ of 200 columns of the heatmap$/u);
});

test("numbers on an axis keep their distance, and the last one stays", () => {
    const ticks = [0, 0.1, 0.2, 0.5, 0.9, 1].map((place) => ({ place }));
    assert.deepEqual(spacedTicks(ticks, 0.2).map(({ place }) => place), [0, 0.2, 0.5, 1]);
    assert.deepEqual(spacedTicks([], 0.2), []);
});
