// Values of single layers at steps whose records are not held. Only layers on screen have them.

import { readNumber } from "./metrics.js";

/** Steps of one layer in the store; a larger row is replaced by what was read last. */
const MAXIMUM_ROW = 1000;

export class TrendStore {
    /** Layer id to `{ low, high, values }`: every known step from `low` to `high` has its numbers in `values`. */
    #rows = new Map();

    get size() {
        return this.#rows.size;
    }

    /** Whether the values of a layer at all steps in this range were read. */
    covers(layerId, low, high) {
        const row = this.#rows.get(layerId);
        return row !== undefined && row.low <= low && row.high >= high;
    }

    /** The number of a metric, by name; undefined if the layer has none at this step, or if it was not read. */
    value(layerId, step, metric) {
        return this.#rows.get(layerId)?.values.get(step)?.[metric];
    }

    /** Adds the answer to a read of these layers from `low` to `high`. */
    add(layerIds, low, high, answer) {
        for (const id of layerIds) {
            const series = Object.hasOwn(answer.layers, id) ? answer.layers[id] : {};
            const row = this.#rowToExtend(id, low, high);
            answer.steps.forEach((first, index) => {
                const numbers = {};
                for (const [metric, { last }] of Object.entries(series)) numbers[metric] = readNumber(last[index]);
                row.values.set(first, numbers);
                row.values.set(answer.last_steps[index], numbers);
            });
        }
    }

    /** Forgets layers that are no longer on screen. */
    keepOnly(layerIds) {
        for (const id of this.#rows.keys()) if (!layerIds.has(id)) this.#rows.delete(id);
    }

    clear() {
        this.#rows.clear();
    }

    #rowToExtend(id, low, high) {
        const row = this.#rows.get(id);
        const isConnected = row !== undefined && row.low <= high && row.high >= low && row.values.size < MAXIMUM_ROW;
        if (isConnected) {
            if (low < row.low) row.low = low;
            if (high > row.high) row.high = high;
            return row;
        }
        const fresh = { low, high, values: new Map() };
        this.#rows.set(id, fresh);
        return fresh;
    }
}
