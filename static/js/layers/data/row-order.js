// The rows of the table as they are now: filtered and sorted again only when something changed that matters for it.

import { layerTest } from "./filter.js";
import { orderedRows } from "./order.js";

/** Least time between two changes of the order while values come in (milliseconds): rows must stay to be read. */
const INTERVAL = 2_000;

export class RowOrder {
    #last = null;
    /** The layers in the order of the rows. */
    layers = [];

    reset() {
        this.#last = null;
        this.layers = [];
    }

    /**
     * Updates `layers`; returns whether it did. `structure` has all layers, `alerts` their findings; `version`
     * increases with the numbers of the whole run; `record` is that of the viewed step; `numberOf(layer, index)` is the
     * number of the column by which the table is sorted.
     */
    update({ structure, filter, sort, alerts, version, record, isPaused, now, numberOf }) {
        const last = this.#last;
        const key = JSON.stringify([filter, sort, version]);
        const isSame = last !== null && key === last.key && structure === last.structure && alerts === last.alerts;
        const isByValue = sort.column === "now" || sort.column === "change";
        const hasValues = !isByValue || record === last?.record || !(isPaused || now - last?.at >= INTERVAL);
        if (isSame && hasValues) return false;
        this.#last = { key, structure, alerts, record, at: now };
        const { layers } = structure;
        this.layers = orderedRows(layers, {
            test: layerTest(filter, (id) => alerts.worst(id)?.severity), sort, worst: (id) => alerts.worst(id),
            numberOf: (index) => numberOf(layers[index], index),
        }).map((index) => layers[index]);
        return true;
    }
}
