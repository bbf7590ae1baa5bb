// One metric of all layers in buckets of steps, in the server's binary form (SCHEMA.md, "Matrix").

import { parseExact } from "../../feed/exact-json.js";
import { requireMembers } from "../../feed/read.js";
import { StepColumns } from "./columns.js";

/** The media type of the binary form. */
export const MATRIX_TYPE = "application/vnd.nnmonitor.matrix";

/** The bits of a missing value. Copies are made as 32-bit integers, because a float copy may change the bits of a NaN. */
const MISSING = 0x7fc00000;

/** The lists of the matrix that the heatmap needs, as the server is asked for them. */
export const AGGREGATES = Object.freeze(["last", "nonfinite"]);

/**
 * `layers` are ids, in the order of depth. The numbers are row by row in two typed arrays of
 * `layers.length * steps.length` elements.
 */
export class Matrix extends StepColumns {
    #bits;

    constructor({ metric, layers, steps, lastSteps, base, lastSeq, last, nonfinite }) {
        super({ steps, lastSteps, base });
        this.metric = metric;
        this.layers = layers;
        this.lastSeq = lastSeq;
        this.last = last;
        this.nonfinite = nonfinite;
        this.#bits = bitsOf(last);
    }

    get rows() {
        return this.layers.length;
    }

    /** Whether the layer posted nothing in this bucket. `index` is `row * columns + column`. */
    isMissing(index) {
        return this.#bits[index] === MISSING;
    }

    /** Whether the bucket has a value that is NaN or infinite. */
    isBroken(index) {
        return this.nonfinite[index] > 0 || (Number.isNaN(this.last[index]) && !this.isMissing(index));
    }
}

/** The head of an answer, and `list(name)`, the numbers of one of its lists; throws if the bytes are not a matrix. */
export function matrixLists(buffer) {
    if (buffer.byteLength < 4) throw new SyntaxError("the matrix has no head");
    const length = new DataView(buffer).getUint32(0, true);
    if (4 + length > buffer.byteLength) throw new SyntaxError("the head of the matrix is incomplete");
    const head = parseExact(new TextDecoder().decode(new Uint8Array(buffer, 4, length)).trimEnd());
    requireMembers(head, { shape: "array", agg: "array", layers: "array", steps: "array", last_steps: "array" });
    const [lists, rows, columns] = head.shape;
    const lengths = [head.agg.length, head.layers.length, head.steps.length, head.last_steps.length];
    if ([lists, rows, columns, columns].some((length, index) => length !== lengths[index])) {
        throw new SyntaxError("the lists of the matrix do not fit its shape");
    }
    const cells = rows * columns;
    const begin = 4 + length;
    if (head.dtype !== "<f4" || begin % 4 !== 0 || begin + 4 * lists * cells !== buffer.byteLength) {
        throw new SyntaxError("the numbers of the matrix do not fit its head");
    }
    const list = (name) => {
        const position = head.agg.indexOf(name);
        if (position < 0) throw new SyntaxError(`the matrix has no ${name}`);
        // All browsers run on little-endian machines, so the bytes are read in place.
        return new Float32Array(buffer, begin + 4 * position * cells, cells);
    };
    return { head, list };
}

/** The matrix of an answer; throws if the bytes are not one. */
export function parseMatrix(buffer) {
    const { head, list } = matrixLists(buffer);
    return new Matrix({
        metric: head.metric,
        layers: head.layers,
        steps: head.steps,
        lastSteps: head.last_steps,
        lastSeq: head.last_seq,
        last: list("last"),
        nonfinite: list("nonfinite"),
    });
}

/**
 * A matrix whose last column is replaced by what was read from its first step on, and which has the columns after it.
 * Null if the two do not fit, so that the whole must be read: `fresh` has other layers or wider buckets.
 */
export function appended(matrix, fresh) {
    const bits = matrix.bucketBits;
    if (fresh.columns === 0 || fresh.bucketBits > bits) return null;
    const rowOf = new Map(matrix.layers.map((id, row) => [id, row]));
    const rows = fresh.layers.map((id) => rowOf.get(id));
    if (rows.includes(undefined)) return null;
    const kept = matrix.columns - 1;
    if (kept < 0 || fresh.steps[0] < matrix.steps[kept]) return null;
    const merged = fresh.joined(bits);
    const columns = kept + merged.steps.length;
    const cells = matrix.rows * columns;
    const target = { last: new Float32Array(cells), nonfinite: new Float32Array(cells) };
    for (const name of AGGREGATES) {
        const from = bitsOf(matrix[name]);
        const to = bitsOf(target[name]);
        to.fill(MISSING);
        for (let row = 0; row < matrix.rows; row += 1) {
            const begin = row * matrix.columns;
            to.set(from.subarray(begin, begin + kept), row * columns);
        }
    }
    rows.forEach((row, freshRow) => {
        for (let column = 0; column < fresh.columns; column += 1) {
            const source = freshRow * fresh.columns + column;
            if (fresh.isMissing(source)) continue;
            const place = row * columns + kept + merged.columnOf[column];
            bitsOf(target.last)[place] = bitsOf(fresh.last)[source];
            const count = target.nonfinite[place];
            target.nonfinite[place] = (Number.isNaN(count) ? 0 : count) + fresh.nonfinite[source];
        }
    });
    return new Matrix({
        ...matrix,
        ...target,
        steps: [...matrix.steps.slice(0, kept), ...merged.steps],
        lastSteps: [...matrix.lastSteps.slice(0, kept), ...merged.lastSteps],
        lastSeq: fresh.lastSeq,
    });
}

function bitsOf(floats) {
    return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
}
