// Metrics of one layer over steps, in the server's buckets (SCHEMA.md, "Series").

import { readNumber } from "../../model/metrics.js";

/** A list of numbers, undefined where the server has none. */
function numbersOf(list, length) {
    return Array.from({ length }, (_, index) => readNumber(list?.[index]));
}

/**
 * Bucket `b` has the steps from `steps[b]` to `lastSteps[b]`. `of(metric)` is `{ min, max, last, nonfinite }`, lists
 * with a number or undefined for each bucket; of a derived metric only `last` has numbers. It is never changed.
 */
export class LayerSeries {
    #columns;

    constructor({ steps, lastSteps, lastSeq, columns }) {
        this.steps = steps;
        this.lastSteps = lastSteps;
        this.lastSeq = lastSeq;
        this.#columns = columns;
    }

    /** The series of a metric, or undefined if the layer has none. */
    of(metric) {
        return this.#columns.get(metric);
    }

    get metrics() {
        return [...this.#columns.keys()];
    }

    get length() {
        return this.steps.length;
    }

    /** The bucket with this step, or the last one that begins before it; -1 if the step is before all. */
    columnOf(step) {
        let low = 0;
        let high = this.length;
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (this.steps[middle] <= step) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    /**
     * The series, continued by an answer that begins with bucket `from`. Null if the answer does not fit: then all must
     * be read again.
     */
    appended(fresh, from) {
        const bits = BigInt(bucketBits(this));
        if (fresh.length === 0 || bucketBits(fresh) > bits || fresh.steps[0] < this.steps[from]) return null;
        const groups = [];
        fresh.steps.forEach((step, index) => {
            const bucket = BigInt(step) >> bits;
            if (groups.at(-1)?.bucket === bucket) groups.at(-1).indexes.push(index);
            else groups.push({ bucket, indexes: [index] });
        });
        const names = new Set([...this.metrics, ...fresh.metrics]);
        const columns = new Map([...names].map((metric) => [metric, {
            ...Object.fromEntries(["min", "max", "last", "nonfinite"].map((list) => [list, [
                ...(this.of(metric)?.[list].slice(0, from) ?? Array.from({ length: from })),
                ...groups.map(({ indexes }) => merged(list, indexes.map((index) => fresh.of(metric)?.[list][index]))),
            ]])),
        }]));
        return new LayerSeries({
            steps: [...this.steps.slice(0, from), ...groups.map(({ indexes }) => fresh.steps[indexes[0]])],
            lastSteps: [
                ...this.lastSteps.slice(0, from), ...groups.map(({ indexes }) => fresh.lastSteps[indexes.at(-1)]),
            ],
            lastSeq: fresh.lastSeq,
            columns,
        });
    }
}

/** The series of a layer in an answer of the server. */
export function seriesOf(answer, layerId) {
    const { steps, last_steps: lastSteps, last_seq: lastSeq } = answer;
    const posted = Object.hasOwn(answer.layers, layerId) ? answer.layers[layerId] : {};
    const columns = new Map(Object.entries(posted).map(([metric, lists]) => [metric, Object.fromEntries(
        ["min", "max", "last", "nonfinite"].map((list) => [list, numbersOf(lists[list], steps.length)]),
    )]));
    return new LayerSeries({ steps, lastSteps, lastSeq, columns });
}

/**
 * What a series comes to: `{ min, max, median, nonfinite, count }`. `median` is that of the sizes of the buckets' last
 * values that are finite and not 0, as in the heatmap; numbers are undefined where there is none.
 */
export function summaryOf(lists) {
    let min;
    let max;
    let nonfinite = 0;
    let count = 0;
    const sizes = [];
    lists.last.forEach((last, index) => {
        const isFinite = Number.isFinite(last);
        const low = lists.min[index] ?? (isFinite ? last : undefined);
        const high = lists.max[index] ?? (isFinite ? last : undefined);
        if (low !== undefined && !(low >= min)) min = low;
        if (high !== undefined && !(high <= max)) max = high;
        // The server counts those of posted metrics; a derived one that is not finite counts here.
        nonfinite += lists.nonfinite[index] || Number(last !== undefined && !isFinite);
        if (last !== undefined) count += 1;
        if (isFinite && last !== 0) sizes.push(Math.abs(last));
    });
    return { min, max, median: medianOf(sizes), nonfinite, count };
}

/** The lower median of numbers; undefined of none. */
export function medianOf(numbers) {
    return [...numbers].sort((a, b) => a - b)[(numbers.length - 1) >>> 1];
}

/** The least `k` for which the steps of each bucket have the same `step >> k`. */
function bucketBits({ steps, lastSteps }) {
    let widest = 0n;
    steps.forEach((step, index) => {
        if (step !== lastSteps[index]) widest |= BigInt(step) ^ BigInt(lastSteps[index]);
    });
    return widest === 0n ? 0 : widest.toString(2).length;
}

function merged(list, values) {
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0) return undefined;
    if (list === "last") return known.at(-1);
    if (list === "nonfinite") return known.reduce((sum, value) => sum + value);
    return known.reduce((a, b) => ((list === "min") === (a < b) ? a : b));
}
