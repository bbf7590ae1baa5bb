// Scalars in columns of steps.

import { StepColumns } from "../../heatmap/data/columns.js";
import { readNumber } from "../../model/metrics.js";

/** The numbers of one scalar: for each column its finite minimum and maximum, its last value, the number of others. */
function emptySeries(columns) {
    return {
        min: new Float64Array(columns).fill(NaN),
        max: new Float64Array(columns).fill(NaN),
        last: new Float64Array(columns).fill(NaN),
        nonfinite: new Uint32Array(columns),
    };
}

/** `series` has the numbers by name. They are never changed: each read gives others. */
export class ScalarColumns extends StepColumns {
    constructor({ steps, lastSteps, base, lastSeq, series }) {
        super({ steps, lastSteps, base });
        this.lastSeq = lastSeq;
        this.series = series;
    }

    /** The rows of the picture, as the heatmap's matrix has them. */
    get rows() {
        return this.series.size;
    }

    /** Whether the scalar has no value in a column. */
    static isMissing({ last, nonfinite }, column) {
        return Number.isNaN(last[column]) && nonfinite[column] === 0;
    }
}

/** The answer of the server to a read of these scalars. */
export function parseScalars(answer, names) {
    const series = new Map();
    for (const name of names) {
        const numbers = emptySeries(answer.steps.length);
        const posted = answer.scalars[name];
        for (const list of ["min", "max", "last"]) {
            posted?.[list].forEach((value, column) => { numbers[list][column] = readNumber(value) ?? NaN; });
        }
        posted?.nonfinite.forEach((count, column) => { numbers.nonfinite[column] = count; });
        series.set(name, numbers);
    }
    const { steps, last_steps: lastSteps, last_seq: lastSeq } = answer;
    return new ScalarColumns({ steps, lastSteps, lastSeq, series });
}

/**
 * Scalars in the columns of a picture, `axis`. Buckets that share a column are joined; one that is wider than a column
 * is in the first of its columns. `kept`, `{ scalars, columns }`: the first columns are copied.
 */
export function inColumns(axis, scalars, kept = null) {
    const { steps, lastSteps, base, columns } = axis;
    const begin = kept?.columns ?? 0;
    const end = lastSteps[columns - 1];
    const place = scalars.steps.map((step, bucket) => {
        if (columns === 0 || step > end || scalars.lastSteps[bucket] < steps[begin]) return -1;
        return Math.max(begin, axis.columnOf(step));
    });
    const series = new Map();
    for (const [name, source] of scalars.series) {
        const target = emptySeries(columns);
        const before = kept?.scalars.series.get(name);
        for (const list of before === undefined ? [] : Object.keys(target)) {
            target[list].set(before[list].subarray(0, begin));
        }
        place.forEach((column, bucket) => {
            if (column >= 0) joinBucket(target, column, source, bucket);
        });
        series.set(name, target);
    }
    return new ScalarColumns({ steps, lastSteps, base, lastSeq: scalars.lastSeq, series });
}

/** Adds a bucket to a column that has earlier ones. */
function joinBucket(target, column, source, bucket) {
    if (ScalarColumns.isMissing(source, bucket)) return;
    target.min[column] = known(Math.min, target.min[column], source.min[bucket]);
    target.max[column] = known(Math.max, target.max[column], source.max[bucket]);
    target.last[column] = source.last[bucket];
    target.nonfinite[column] += source.nonfinite[bucket];
}

/** `choose(a, b)`, or the one that is a number. */
function known(choose, a, b) {
    if (Number.isNaN(a)) return b;
    return Number.isNaN(b) ? a : choose(a, b);
}

/**
 * The scalars continued by what was read from the first step of their last column on. Null if the two do not fit, so
 * that the whole must be read: `fresh` has wider buckets.
 */
export function continued(scalars, fresh) {
    const kept = scalars.columns - 1;
    const bits = scalars.bucketBits;
    if (kept < 0 || fresh.columns === 0 || fresh.bucketBits > bits || fresh.steps[0] < scalars.steps[kept]) return null;
    const { steps, lastSteps } = fresh.joined(bits);
    const axis = new StepColumns({
        steps: [...scalars.steps.slice(0, kept), ...steps],
        lastSteps: [...scalars.lastSteps.slice(0, kept), ...lastSteps],
        base: scalars.base,
    });
    return inColumns(axis, fresh, { scalars, columns: kept });
}
