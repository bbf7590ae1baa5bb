// The values of one metric over the layers at one step: those at the cursor, and those of the first report.

/** What a layer has at a step. */
export const State = Object.freeze({ missing: 0, finite: 1, broken: 2 });

/** Values and states by the rows of a matrix, and the steps that they are of, `[first, last]`. */
export class LayerValues {
    constructor(count, steps) {
        this.values = new Float64Array(count).fill(NaN);
        this.states = new Uint8Array(count);
        this.steps = steps;
    }

    set(row, value, isBroken = !Number.isFinite(value)) {
        this.values[row] = value;
        this.states[row] = isBroken ? State.broken : State.finite;
    }
}

/**
 * The values at a column of the matrix: those of `record` where that is a step of the column and has the metric,
 * because they are exact; otherwise the last ones of the column.
 */
export function valuesAt(matrix, column, record) {
    return fromRecord(matrix, column, record) ?? fromColumn(matrix, column, matrix);
}

/** The values of the first column of `first`, a matrix that may have other layers, in the rows of `matrix`. */
export function firstValues(matrix, first) {
    return first.columns === 0 ? null : fromColumn(matrix, 0, first);
}

function fromColumn(matrix, column, source) {
    const result = new LayerValues(matrix.rows, [source.steps[column], source.lastSteps[column]]);
    const rowOf = source === matrix ? null : new Map(source.layers.map((id, row) => [id, row]));
    matrix.layers.forEach((id, row) => {
        const from = rowOf === null ? row : rowOf.get(id);
        if (from === undefined) return;
        const index = from * source.columns + column;
        if (!source.isMissing(index)) result.set(row, source.last[index], source.isBroken(index));
    });
    return result;
}

function fromRecord(matrix, column, record) {
    if (record?.structure === undefined) return null;
    if (record.step < matrix.steps[column] || record.step > matrix.lastSteps[column]) return null;
    const result = new LayerValues(matrix.rows, [record.step, record.step]);
    let count = 0;
    matrix.layers.forEach((id, row) => {
        const value = record.value(matrix.metric, record.structure.indexOf(id));
        if (value === undefined) return;
        result.set(row, value);
        count += 1;
    });
    return count === 0 ? null : result;
}
