// One step in compact form: a shared structure, and one array of numbers for each metric that was asked for.

import { readNumber } from "./metrics.js";
import { isStepNumber } from "./step-number.js";

/** A scalar in an object takes about as much memory as this many numbers in an array. */
const SCALAR_SIZE = 4;
/** What a record costs beside its numbers, in numbers: steps without layers count too. */
const RECORD_COST = 16;

/**
 * A stored step. It is not modified: a step that is posted again becomes a new record with a higher `seq`.
 * Step numbers are exact: see step-number.js.
 */
export class StepRecord {
    /** The metrics that the server was asked for; null for all. */
    #asked;
    /** Metric to `{ values, missing }`, of what the step has; `missing` is null where each layer has a value. */
    #columns;

    constructor({ step, seq, timestamp, batchSize, featureStdGradient, structure, asked, columns, scalars = {} }) {
        this.step = step;
        this.seq = seq;
        this.timestamp = timestamp;
        this.batchSize = batchSize;
        this.featureStdGradient = featureStdGradient;
        this.structure = structure;
        this.#asked = asked;
        this.#columns = columns;
        /** Numbers by name, as the server writes them: those that are not finite are texts. */
        this.scalars = scalars;
    }

    /** The posted number of a layer, by position; undefined if the layer has none, or if it was not asked for. */
    value(metric, layerIndex) {
        const column = this.#columns.get(metric);
        if (column === undefined || layerIndex < 0 || layerIndex >= column.values.length) return undefined;
        return column.missing?.[layerIndex] ? undefined : column.values[layerIndex];
    }

    /** Whether the record has all values of these metrics that the step has. */
    covers(metrics) {
        return this.#asked === null || metrics.every((metric) => this.#asked.has(metric));
    }

    /** What the record takes in memory, in numbers of 8 bytes. */
    get size() {
        return RECORD_COST + this.#columns.size * this.structure.length + SCALAR_SIZE * Object.keys(this.scalars).length;
    }
}

/**
 * Decodes a step of the open wire. `layers` are the step's layers where the step itself has only their number;
 * `metrics` are those that the server was asked for, null for all.
 * Returns null if it has no step number, so that it cannot be shown.
 */
export function decodeStep(data, structures, { layers = data?.layers ?? [], metrics = null } = {}) {
    if (!isStepNumber(data?.step) || !Array.isArray(layers)) return null;
    const columns = new Map();
    for (const [name, posted] of Object.entries(data.metrics ?? {})) {
        if (Array.isArray(posted)) columns.set(name, columnOf(posted, layers.length));
    }
    return new StepRecord({
        step: data.step,
        seq: data.seq ?? 0,
        timestamp: data.time,
        batchSize: data.batch_size ?? undefined,
        featureStdGradient: readNumber(data.scalars?.feature_std_gradient),
        structure: structures.of(layers),
        asked: metrics === null ? null : new Set(metrics),
        columns,
        scalars: data.scalars ?? {},
    });
}

function columnOf(posted, length) {
    const values = new Float64Array(length);
    let missing = null;
    for (let index = 0; index < length; index += 1) {
        const value = readNumber(posted[index]);
        if (value === undefined) (missing ??= new Uint8Array(length))[index] = 1;
        else values[index] = value;
    }
    return { values, missing };
}
