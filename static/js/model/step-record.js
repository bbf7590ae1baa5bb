// One step in compact form: a shared structure and one flat array of numbers.

import { COLUMN_COUNT, METRICS, readMetric } from "./metrics.js";
import { isStepNumber } from "./step-number.js";

/**
 * A stored step. It is not modified: a step that is posted again becomes a new record.
 * Step numbers are exact: see step-number.js.
 */
export class StepRecord {
    constructor({ step, timestamp, batchSize, featureStdGradient, structure, values }) {
        this.step = step;
        this.timestamp = timestamp;
        this.batchSize = batchSize;
        this.featureStdGradient = featureStdGradient;
        this.structure = structure;
        this.values = values;
    }

    /** The number of a layer (by position) in a column, or undefined if the layer does not report it. */
    value(layerIndex, column) {
        const layer = this.structure.layers[layerIndex];
        if (layer === undefined || (layer.present & (1 << column)) === 0) return undefined;
        return this.values[layerIndex * COLUMN_COUNT + column];
    }
}

/**
 * Decodes a STEP of the server.
 * Returns null if it has no step number or no layers, so that it cannot be shown.
 */
export function decodeStep(data, structures) {
    if (!isStepNumber(data?.step) || !Array.isArray(data.layers)) return null;
    const values = new Float64Array(data.layers.length * COLUMN_COUNT);
    const layers = data.layers.map((layer, index) => {
        let present = 0;
        for (const { path, column } of METRICS) {
            const value = readMetric(layer, path);
            if (value === undefined) continue;
            present |= 1 << column;
            values[index * COLUMN_COUNT + column] = value;
        }
        return {
            id: String(layer?.layer_id ?? ""),
            type: String(layer?.layer_type ?? ""),
            depth: layer?.depth_index ?? 0,
            shape: layer?.intermediate_features?.activation_shape ?? [],
            present,
        };
    });
    return new StepRecord({
        step: data.step,
        timestamp: data.timestamp,
        batchSize: data.batch_size,
        featureStdGradient: readMetric(data, ["cross_layer", "feature_std_gradient"]),
        structure: structures.intern(layers),
        values,
    });
}
