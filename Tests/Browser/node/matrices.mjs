// Matrices for the tests, in the bytes of the server.

import { parseMatrix } from "../../../static/js/heatmap/data/matrix.js";

const MISSING = 0x7fc00000;

/** The bytes of a matrix. `values` is a list of rows; null is a missing value, NaN and infinities are posted. */
export function bytesOf({ layers, steps, lastSteps = steps, values, nonfinite, metric = "m" }) {
    const head = {
        metric, agg: ["last", "nonfinite"], layers, steps, last_steps: lastSteps, resolution: 1, last_seq: 9,
        dtype: "<f4", shape: [2, layers.length, steps.length],
    };
    const text = JSON.stringify(head, (_, value) => (typeof value === "bigint" ? `BIG${value}` : value))
        .replaceAll(/"BIG(\d+)"/g, "$1");
    const length = Math.ceil((4 + text.length) / 8) * 8 - 4;
    const cells = layers.length * steps.length;
    const buffer = new ArrayBuffer(4 + length + 8 * cells);
    new DataView(buffer).setUint32(0, length, true);
    new Uint8Array(buffer, 4, length).set(new TextEncoder().encode(text.padEnd(length)));
    const view = new DataView(buffer, 4 + length);
    values.flat().forEach((value, index) => {
        if (value === null) {
            view.setUint32(4 * index, MISSING, true);
            view.setUint32(4 * (cells + index), MISSING, true);
            return;
        }
        if (Number.isNaN(value)) view.setUint32(4 * index, MISSING + 1, true);
        else view.setFloat32(4 * index, value, true);
        const count = nonfinite?.flat()[index] ?? (Number.isFinite(value) ? 0 : 1);
        view.setFloat32(4 * (cells + index), count, true);
    });
    return buffer;
}

export function matrixOf(content) {
    return parseMatrix(bytesOf(content));
}

/** What a matrix shows: numbers, "missing" or "broken". */
export function cellsOf(matrix) {
    return matrix.layers.map((_, row) => matrix.steps.map((_, column) => {
        const index = row * matrix.columns + column;
        if (matrix.isMissing(index)) return "missing";
        return matrix.isBroken(index) ? "broken" : matrix.last[index];
    }));
}
