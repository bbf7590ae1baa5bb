import assert from "node:assert/strict";
import test from "node:test";

import { appended, parseMatrix } from "../../../static/js/heatmap/data/matrix.js";
import { bytesOf, cellsOf, matrixOf } from "./matrices.mjs";

test("a missing value, a posted NaN and a bucket with one among finite values are told apart", () => {
    const matrix = matrixOf({
        layers: ["a", "b"], steps: [0, 4], lastSteps: [3, 7], values: [[1, null], [NaN, 2]], nonfinite: [[0, 0], [1, 3]],
    });
    assert.deepEqual(cellsOf(matrix), [[1, "missing"], ["broken", "broken"]]);
    assert.equal(matrix.last[3], 2);
});

test("numbers are read in place: two typed arrays on the bytes of the answer", () => {
    const buffer = bytesOf({ layers: ["a"], steps: [1, 2], values: [[1, 2]] });
    const matrix = parseMatrix(buffer);
    assert.equal(matrix.last.buffer, buffer);
    assert.equal(matrix.nonfinite.buffer, buffer);
});

test("bytes that are cut off, or whose head does not fit, are an error", () => {
    const buffer = bytesOf({ layers: ["a"], steps: [1, 2], values: [[1, 2]] });
    for (const end of [0, 3, 20, buffer.byteLength - 4]) assert.throws(() => parseMatrix(buffer.slice(0, end)), SyntaxError);
});

test("steps beyond 2^53 stay exact", () => {
    const first = 9007199254740993n;
    const matrix = matrixOf({ layers: ["a"], steps: [first, first + 2n], values: [[1, 2]] });
    assert.deepEqual(matrix.steps, [first, first + 2n]);
    assert.equal(matrix.columnOf(first + 1n), 0);
    assert.equal(matrix.columnOf(first + 2n), 1);
});

test("a step is found in the column that has it or comes before it", () => {
    const matrix = matrixOf({ layers: ["a"], steps: [4, 8, 16], lastSteps: [7, 11, 19], values: [[1, 2, 3]] });
    assert.deepEqual([3, 4, 7, 8, 13, 16, 99].map((step) => matrix.columnOf(step)), [-1, 0, 0, 1, 1, 2, 2]);
});

test("the width of buckets follows from their bounds", () => {
    const bits = (steps, lastSteps) => matrixOf({ layers: ["a"], steps, lastSteps, values: [steps] }).bucketBits;
    assert.equal(bits([0, 1, 2], [0, 1, 2]), 0);
    assert.equal(bits([0, 4], [3, 5]), 2);
    assert.equal(bits([0, 64], [60, 70]), 6);
});

test("new columns replace the last one and follow it, joined to buckets of the same width", () => {
    const matrix = matrixOf({
        layers: ["a", "b"], steps: [0, 4], lastSteps: [3, 4], values: [[1, 2], [null, 3]],
    });
    const fresh = matrixOf({ layers: ["b"], steps: [4, 5, 6, 8], values: [[3, NaN, 7, 8]] });
    const result = appended(matrix, fresh);
    assert.deepEqual([result.steps, result.lastSteps], [[0, 4, 8], [3, 6, 8]]);
    assert.deepEqual(cellsOf(result), [[1, "missing", "missing"], ["missing", "broken", 8]]);
    assert.equal(result.last[4], 7);
    assert.equal(result.nonfinite[4], 1);
});

test("what does not fit is not joined: a new layer, wider buckets, earlier steps, nothing", () => {
    const matrix = matrixOf({ layers: ["a"], steps: [0, 4], lastSteps: [3, 7], values: [[1, 2]] });
    const fresh = (content) => matrixOf({ layers: ["a"], steps: [4], values: [[1]], ...content });
    assert.equal(appended(matrix, fresh({ layers: ["new"] })), null);
    assert.equal(appended(matrix, fresh({ steps: [0], lastSteps: [7] })), null);
    assert.equal(appended(matrix, fresh({ steps: [3] })), null);
    assert.equal(appended(matrix, fresh({ steps: [], values: [[]] })), null);
});
