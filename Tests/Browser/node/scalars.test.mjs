import assert from "node:assert/strict";
import test from "node:test";

import { StepColumns } from "../../../static/js/heatmap/data/columns.js";
import { FollowingScalars } from "../../../static/js/strip/data/following.js";
import { ScalarColumns, continued, inColumns, parseScalars } from "../../../static/js/strip/data/scalars.js";

/** The server's answer for one scalar, in the form of `series`; `values` are numbers, texts or null. */
function answerOf({ steps, lastSteps = steps, values, min = values, max = values, nonfinite, lastSeq = 9 }) {
    const finite = (value) => (typeof value === "number" ? value : null);
    return {
        steps, last_steps: lastSteps, last_seq: lastSeq,
        scalars: {
            loss: {
                min: min.map(finite), max: max.map(finite), last: values,
                nonfinite: nonfinite ?? values.map((value) => (typeof value === "string" ? 1 : 0)),
            },
        },
    };
}

const parse = (content) => parseScalars(answerOf(content), ["loss"]);
const lossOf = (scalars) => {
    const { min, max, last, nonfinite } = scalars.series.get("loss");
    return { min: [...min], max: [...max], last: [...last], nonfinite: [...nonfinite] };
};
const axisOf = (steps, lastSteps = steps, changes = {}) => {
    return Object.assign(new StepColumns({ steps, lastSteps }), { lastSeq: 9, ...changes });
};

test("numbers that are not finite differ from missing ones", () => {
    const scalars = parse({ steps: [1, 2, 3, 4], values: [0.5, "NaN", null, "-Infinity"] });
    const series = scalars.series.get("loss");
    assert.deepEqual([0, 1, 2, 3].map((column) => ScalarColumns.isMissing(series, column)), [false, false, true, false]);
    assert.deepEqual([...series.last], [0.5, NaN, NaN, -Infinity]);
});

test("a scalar that the answer lacks is missing in each column", () => {
    const scalars = parseScalars(answerOf({ steps: [1], values: [1] }), ["loss", "other"]);
    assert.equal(ScalarColumns.isMissing(scalars.series.get("other"), 0), true);
});

test("finer buckets share the columns of the heatmap: minimum and maximum over all, the last value of the last", () => {
    const scalars = parse({ steps: [0, 1, 2, 3, 4, 5], values: [3, -1, null, "NaN", 7, null] });
    const joined = inColumns(axisOf([0, 2, 4], [1, 3, 5]), scalars);
    assert.deepEqual(lossOf(joined), {
        min: [-1, NaN, 7], max: [3, NaN, 7], last: [-1, NaN, 7], nonfinite: [0, 1, 0],
    });
});

test("what is not in the columns is left out, and wider buckets are in the first of their columns", () => {
    const scalars = parse({ steps: [0, 4, 8, 12], lastSteps: [3, 7, 11, 15], values: [1, 2, 3, 4] });
    assert.deepEqual(lossOf(inColumns(axisOf([4, 5, 6, 7, 8]), scalars)).last, [2, NaN, NaN, NaN, 3]);
    assert.deepEqual(lossOf(inColumns(axisOf([6, 7]), scalars)).last, [2, NaN]);
    assert.deepEqual(lossOf(inColumns(axisOf([]), scalars)).last, []);
});

test("steps beyond 2^53 have their own columns", () => {
    const [first, second] = [9007199254740993n, 9007199254740994n];
    const scalars = parse({ steps: [first, second], values: [1, 2] });
    assert.deepEqual(lossOf(inColumns(axisOf([first, second]), scalars)).last, [1, 2]);
    assert.deepEqual(lossOf(inColumns(axisOf([9007199254740992n], [second]), scalars)).last, [2]);
});

test("columns are continued from their last one on, in buckets as wide as before", () => {
    const shown = parse({ steps: [0, 4, 8], lastSteps: [3, 7, 9], values: [1, 2, 3] });
    const fresh = parse({ steps: [8, 9, 10, 11, 12], values: [5, 6, 7, 8, 9], lastSeq: 20 });
    const result = continued(shown, fresh);
    assert.deepEqual([result.steps, result.lastSteps, result.lastSeq], [[0, 4, 8, 12], [3, 7, 11, 12], 20]);
    assert.deepEqual(lossOf(result).last, [1, 2, 8, 9]);
    assert.equal(result.base, shown.base);
    assert.equal(continued(shown, parse({ steps: [8], lastSteps: [15], values: [1] })), null);
});

/** A plan of reads, and a function that returns the read that is due. */
function following() {
    const plan = new FollowingScalars();
    const ask = (axis, changes = {}) => plan.next({ now: 0, axis, names: ["loss"], canRead: true, ...changes });
    return { plan, ask };
}

test("the scalars are read in the range of the heatmap, and again only when that changed", () => {
    const { plan, ask } = following();
    const axis = axisOf([0, 2, 4], [1, 3, 5]);
    assert.deepEqual(ask(axis), { names: ["loss"], from: 0, to: 5, points: 250 });
    assert.equal(ask(axis), null);
    plan.succeeded(parse({ steps: [0, 1, 2, 3, 4, 5], values: [1, 2, 3, 4, 5, 6] }));
    assert.equal(ask(axis), null);
    assert.deepEqual(lossOf(plan.shownIn(axis)).last, [2, 4, 6]);
    const grown = axisOf([0, 2, 4, 6], [1, 3, 5, 6], { base: axis.base, lastSeq: 10 });
    assert.deepEqual(ask(grown), { names: ["loss"], from: 4, to: 6, points: 250 });
    plan.succeeded(parse({ steps: [4, 5, 6], values: [5, 60, 70], lastSeq: 10 }));
    assert.deepEqual(lossOf(plan.shownIn(grown)).last, [2, 4, 60, 70]);
    assert.equal(ask(grown), null);
});

test("a longer last column is read although the number of columns is the same", () => {
    const { plan, ask } = following();
    const axis = axisOf([0, 2], [1, 2]);
    ask(axis);
    // The answer may have later steps than the heatmap: its last one counts for the next read.
    plan.succeeded(parse({ steps: [0, 1, 2], values: [1, 2, 3], lastSeq: 30 }));
    assert.equal(ask(axisOf([0, 2], [1, 3], { base: axis.base, lastSeq: 10 })).from, 2);
});

test("other columns and other scalars are read as a whole, and until then the ones before are drawn", () => {
    const { plan, ask } = following();
    const axis = axisOf([0, 2, 4], [1, 3, 5]);
    ask(axis);
    plan.succeeded(parse({ steps: [0, 2, 4], lastSteps: [1, 3, 5], values: [1, 2, 3] }));
    const zoomed = axisOf([2, 3]);
    assert.deepEqual(lossOf(plan.shownIn(zoomed)).last, [2, NaN]);
    assert.deepEqual(ask(zoomed), { names: ["loss"], from: 2, to: 3, points: 250 });
    plan.failed(0);
    assert.equal(ask(axis, { names: ["loss", "lr"], now: 4999 }), null);
    assert.deepEqual(ask(axis, { names: ["loss", "lr"], now: 5000 }), { names: ["loss", "lr"], from: 0, to: 5, points: 250 });
});

test("nothing is read without a chosen scalar, while not connected, and of no columns", () => {
    const { ask } = following();
    assert.equal(ask(axisOf([0]), { names: [] }), null);
    assert.equal(ask(axisOf([0]), { canRead: false }), null);
    assert.equal(ask(axisOf([])), null);
});
