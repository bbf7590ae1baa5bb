// The depth profile: the values of each line at the cursor, exact where the viewed step is known, and the first report.

import assert from "node:assert/strict";
import test from "node:test";

import { RowWindow } from "../../../static/js/heatmap/picture/rows.js";
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

test("layers that share a line have the range of their values, and the value of the one that is shown", () => {
    const now = valuesAt(matrix, 0, undefined);
    const first = firstValues(matrix, matrixOf({ metric: METRIC, layers: ["b"], steps: [0], values: [[30]] }));
    const lines = profileLines(new RowWindow(0, 4, 2), now, first, ([begin]) => begin + 1);
    assert.deepEqual(lines, [
        { line: 0, layer: 1, sharing: 2, value: 3, state: finite, low: 1, high: 3, first: 30 },
        { line: 1, layer: 3, sharing: 2, value: 7, state: finite, low: 5, high: 7, first: NaN },
    ]);
    const single = profileLines(new RowWindow(2, 2, 9), valuesAt(matrix, 1, undefined), null, () => assert.fail());
    assert.deepEqual(single.map(({ layer, value, state }) => [layer, value, state]), [[2, NaN, missing], [3, 8, broken]]);
    assert.ok(single[0].low > single[0].high);
});

test("a folded node has the range of all of its layers", () => {
    const tree = new LayerTree(["x/0", "x/1", "x/2", "y"]);
    const rows = new Rows(tree, () => true);
    const [folded] = profileLines(new RowWindow(0, 2, 9, rows), valuesAt(matrix, 0, undefined), null, () => 2);
    assert.deepEqual([folded.sharing, folded.layer, folded.low, folded.high], [3, 2, 1, 5]);
});

test("a line and the table name the layer, its value, the first report, and its findings", () => {
    const now = valuesAt(matrix, 1, undefined);
    const first = valuesAt(matrix, 0, undefined);
    const lines = profileLines(new RowWindow(0, 4, 9), now, first, () => -1);
    assert.equal(lineText(lines[0], IDS, now, first), "a: 2.000, first 1.000");
    assert.equal(lineText({ ...lines[1], sharing: 3 }, IDS, now, null), "b (of 3 layers): NaN");
    assert.equal(valueText(now, 2), "no value");
    assert.equal(valueText(now, 3), "8.000, with values that are not finite");
    const findings = { of: (id) => (id === "b" ? { alerts: [{ rule: "non_finite" }] } : undefined) };
    const { caption, rows } = profileTable(lines, { metric: METRIC, names: IDS, now, first, findings });
    assert.equal(caption, "activation_std by depth at steps 4–7, and at the first report, steps 0–3");
    assert.deepEqual(rows[1], ["b", "NaN", "3.000", "non finite"]);
    const many = Array.from({ length: 300 }, () => lines[0]);
    assert.match(profileTable(many, { metric: METRIC, names: IDS, now, first, findings }).caption,
        /the first 100 of 300 rows/u);
});
