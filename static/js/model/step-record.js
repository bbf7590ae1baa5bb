// One step in compact form: a shared structure and one flat array of numbers.

import { COLUMN_COUNT, METRICS, readNumber } from "./metrics.js";
import { isStepNumber } from "./step-number.js";

/** A scalar in an object takes about as much memory as this many numbers in an array. */
const SCALAR_SIZE = 4;

/**
 * A stored step. It is not modified: a step that is posted again becomes a new record with a higher `seq`.
 * Step numbers are exact: see step-number.js.
 */
export class StepRecord {
    constructor({ step, seq, timestamp, batchSize, featureStdGradient, structure, values, scalars = {} }) {
        this.step = step;
        this.seq = seq;
        this.timestamp = timestamp;
        this.batchSize = batchSize;
        this.featureStdGradient = featureStdGradient;
        this.structure = structure;
        this.values = values;
        /** Numbers by name, as the server writes them: those that are not finite are texts. */
        this.scalars = scalars;
        /** What the record takes in memory, in numbers of 8 bytes. */
        this.size = values.length + SCALAR_SIZE * Object.keys(scalars).length;
    }

    /** The number of a layer (by position) in a column, or undefined if the layer does not report it. */
    value(layerIndex, column) {
        const layer = this.structure.layers[layerIndex];
        if (layer === undefined || (layer.present & (1 << column)) === 0) return undefined;
        return this.values[layerIndex * COLUMN_COUNT + column];
    }
}

/**
 * Decodes a step of the open wire. `layers` are the step's layers where the step itself has only their number.
 * Returns null if it has no step number, so that it cannot be shown.
 */
export function decodeStep(data, structures, layers = data?.layers ?? []) {
    if (!isStepNumber(data?.step) || !Array.isArray(layers)) return null;
    const values = new Float64Array(layers.length * COLUMN_COUNT);
    const present = new Uint32Array(layers.length);
    for (const { name, column } of METRICS) {
        const posted = data.metrics?.[name];
        if (!Array.isArray(posted)) continue;
        for (let index = 0; index < layers.length; index += 1) {
            const value = readNumber(posted[index]);
            if (value === undefined) continue;
            present[index] |= 1 << column;
            values[index * COLUMN_COUNT + column] = value;
        }
    }
    const table = layers.map((layer, index) => ({
        id: String(layer?.id ?? ""),
        type: String(layer?.type ?? ""),
        depth: layer?.depth ?? index,
        shape: layer?.shape ?? [],
        present: present[index],
    }));
    return new StepRecord({
        step: data.step,
        seq: data.seq ?? 0,
        timestamp: data.time,
        batchSize: data.batch_size ?? undefined,
        featureStdGradient: readNumber(data.scalars?.feature_std_gradient),
        structure: structures.intern(table),
        values,
        scalars: data.scalars ?? {},
    });
}
