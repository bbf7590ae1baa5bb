// The depth profile: the values of each line at the cursor, exact where the viewed step is known, and the first report.

import assert from "node:assert/strict";
import test from "node:test";

import { RowWindow } from "../../../static/js/heatmap/picture/rows.js";
import { LayerKinds, kindCurves } from "../../../static/js/heatmap/profile/kinds.js";
import { lineText, profileLines, profileTable, valueText } from "../../../static/js/heatmap/profile/profile.js";
import { State, firstValues, valuesAt } from "../../../static/js/heatmap/profile/values.js";
import { Rows } from "../../../static/js/heatmap/rows/rows.js";
import { LayerTree } from "../../../static/js/heatmap/rows/tree.js";
import { decodeStep } from "../../../static/js/model/step-record.js";
import { StructureTable } from "../../../static/js/model/structure.js";
import { matrixOf } from "./matrices.mjs";

const METRIC = "activation_std";
const IDS = ["a", "b", "c", "d"];
const matrix = matrixOf({
    metric: METRIC, layers: IDS, steps: [0, 4], lastSteps: [3, 7],
    values: [[1, 2], [3, NaN], [5, null], [7, 8]], nonfinite: [[0, 0], [0, 1], [0, 0], [0, 2]],
});
const recordOf = (step, values, metric = METRIC) => decodeStep(
    { step, layers: IDS.map((id) => ({ id })), metrics: { [metric]: values } }, new StructureTable());
const { missing, finite, broken } = State;

test("without a record the values are the last ones of the column, and a bucket with NaN is marked", () => {
    const now = valuesAt(matrix, 1, undefined);
    assert.deepEqual([...now.values], [2, NaN, NaN, 8]);
    assert.deepEqual([...now.states], [finite, broken, missing, broken]);
    assert.deepEqual(now.steps, [4, 7]);
});

test("a record of the column has the exact values of its step", () => {
    const exact = 1 / 3;
    const now = valuesAt(matrix, 1, recordOf(5, [exact, 2, "Infinity", null]));
    assert.deepEqual([...now.values], [exact, 2, Infinity, NaN]);
    assert.deepEqual([...now.states], [finite, finite, broken, missing]);
    assert.deepEqual(now.steps, [5, 5]);
});

test("a record of other steps, or without the metric, is not used", () => {
    for (const record of [recordOf(3, [9, 9, 9, 9]), recordOf(5, [9, 9, 9, 9], "weight_std"), { step: 5 }]) {
        assert.deepEqual(valuesAt(matrix, 1, record).steps, [4, 7]);
    }
});

test("the first report is found by the names of the layers", () => {
    const first = firstValues(matrix, matrixOf({ metric: METRIC, layers: ["d", "b"], steps: [0], values: [[0.5], [NaN]] }));
    assert.deepEqual([...first.values], [NaN, NaN, NaN, 0.5]);
    assert.deepEqual([...first.states], [missing, broken, missing, finite]);
    assert.equal(firstValues(matrix, matrixOf({ metric: METRIC, layers: [], steps: [], values: [] })), null);
});

test("of layers that share a line the one that stands out has its value shown", () => {
    const now = valuesAt(matrix, 0, undefined);
    const lines = profileLines(new RowWindow(0, 4, 2), now, ([begin]) => begin + 1);
    assert.deepEqual(lines, [
        { line: 0, layer: 1, sharing: 2, value: 3, state: finite }, { line: 1, layer: 3, sharing: 2, value: 7, state: finite },
    ]);
    const single = profileLines(new RowWindow(2, 2, 9), valuesAt(matrix, 1, undefined), () => assert.fail());
    assert.deepEqual(single.map(({ layer, value, state }) => [layer, value, state]), [[2, NaN, missing], [3, 8, broken]]);
});

/** The layers of a transformer with three blocks. */
const BLOCKS = [
    { id: "embed", type: "Embedding" },
    ...[0, 1, 2].flatMap((block) => [
        { id: `h/${block}/norm1`, type: "LayerNorm" }, { id: `h/${block}/attn/qkv`, type: "Linear" },
        { id: `h/${block}/mlp/0`, type: "Linear" }, { id: `h/${block}/mlp/2`, type: "Linear" },
    ]),
    { id: "head", type: "Linear" },
];
const idsOf = (layers) => layers.map(({ id }) => id);

test("layers with the same place in each block are of one kind, and types have a class each", () => {
    const kinds = new LayerKinds(idsOf(BLOCKS), BLOCKS);
    assert.deepEqual([...kinds.kindOf], [0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5]);
    assert.deepEqual(kinds.classes.map(({ name, count }) => [name, count]), [["Linear", 10], ["LayerNorm", 3], ["Embedding", 1]]);
    assert.deepEqual([kinds.classOf, kinds.typeOf(0)], [[2, 1, 0, 0, 0, 0], "Embedding"]);
});

test("numbers in the last part are those of blocks if no other part has any, and layers of a sequence differ by type", () => {
    const sequence = ["Conv2d", "ReLU", "Conv2d", "ReLU"].map((type, place) => ({ id: `features/${place}`, type }));
    assert.deepEqual([...new LayerKinds(idsOf(sequence), sequence).kindOf], [0, 1, 0, 1]);
    const plain = ["linear0", "linear1", "head"];
    assert.deepEqual([...new LayerKinds(plain, undefined).kindOf], [0, 0, 1]);
    assert.deepEqual(new LayerKinds(plain, undefined).classes, [{ name: "no type", count: 3 }]);
});

test("without repeated blocks the type alone makes a kind, and rare types share a class", () => {
    const types = ["A", "A", "A", "B", "B", "C", "D", "E"];
    const names = ["stem", "body", "neck", "left", "right", "up", "down", "head"];
    const layers = types.map((type, place) => ({ id: names[place], type }));
    const kinds = new LayerKinds(names, layers);
    assert.deepEqual([...kinds.kindOf], [0, 0, 0, 1, 1, 2, 3, 4]);
    assert.deepEqual(kinds.classes.map(({ name, count }) => [name, count]), [["A", 3], ["B", 2], ["C", 1], ["other types", 2]]);
    assert.deepEqual(kinds.classOf, [0, 1, 2, 3, 3]);
});

test("each kind has a curve, with the range of the layers of the kind that share a line", () => {
    const ids = Array.from({ length: 8 }, (_, layer) => `b/${layer >> 1}/${layer % 2 === 0 ? "norm" : "linear"}`);
    const kinds = new LayerKinds(ids, undefined);
    const now = { values: [1, 100, 3, 300, NaN, 500, 7, 700], states: new Uint8Array(8).fill(finite) };
    const pointsOf = (window, shownOf) => {
        const lines = profileLines(window, now, shownOf);
        return kindCurves(window, kinds, lines, now).map(({ kind, points }) => [
            kind, points.map(({ line, layer, low, high }) => [line, layer, low, high]),
        ]);
    };
    const [norms, linears] = pointsOf(new RowWindow(0, 8, 9), () => assert.fail());
    assert.deepEqual(norms[1].map(([line, layer]) => [line, layer]), [[0, 0], [2, 2], [4, 4], [6, 6]]);
    assert.deepEqual(linears[1].at(-1), [7, 7, 700, 700]);
    // Two blocks in a line: the layer that the line shows, of the other kind the middle one.
    assert.deepEqual(pointsOf(new RowWindow(0, 8, 2), ([begin]) => begin + 1), [
        [0, [[0, 2, 1, 3], [1, 6, 7, 7]]], [1, [[0, 1, 100, 300], [1, 5, 500, 700]]],
    ]);
});

test("a folded node has the value of the layer that it shows", () => {
    const tree = new LayerTree(["x/0", "x/1", "x/2", "y"]);
    const rows = new Rows(tree, () => true);
    const [folded] = profileLines(new RowWindow(0, 2, 9, rows), valuesAt(matrix, 0, undefined), () => 2);
    assert.deepEqual([folded.sharing, folded.layer, folded.value], [3, 2, 5]);
});

test("a line and the table name the layer, its value, the first report, and its findings", () => {
    const now = valuesAt(matrix, 1, undefined);
    const first = valuesAt(matrix, 0, undefined);
    const lines = profileLines(new RowWindow(0, 4, 9), now, () => -1);
    const kinds = new LayerKinds(IDS, [{ id: "b", type: "Linear" }]);
    assert.equal(lineText(lines[0], IDS, now, first), "a: 2.000, first 1.000");
    assert.equal(lineText({ ...lines[1], sharing: 3 }, IDS, now, null), "b (of 3 layers): NaN");
    assert.equal(valueText(now, 2), "no value");
    assert.equal(valueText(now, 3), "8.000, with values that are not finite");
    const findings = { of: (id) => (id === "b" ? { alerts: [{ rule: "non_finite" }] } : undefined) };
    const { caption, rows } = profileTable(lines, { metric: METRIC, names: IDS, kinds, now, first, findings });
    assert.equal(caption, "activation_std by depth at steps 4–7, and at the first report, steps 0–3");
    assert.deepEqual(rows[1], ["b", "NaN", "3.000", "non finite", "Linear"]);
    const many = Array.from({ length: 300 }, () => lines[0]);
    assert.match(profileTable(many, { metric: METRIC, names: IDS, kinds, now, first, findings }).caption,
        /the first 100 of 300 rows/u);
});
