// The layers of the selected run: the table, and the view of one layer.

import { LayerPanel } from "./layer-panel.js";
import { LayerTable } from "./layer-table.js";

export class LayersView {
    #table;
    #panel;

    /**
     * `actions`: `seekStep(step)` resolves to the step shown then; `requestPaint()`; and optionally `onState()` when
     * `state` changed.
     */
    constructor(actions) {
        this.#table = new LayerTable({ ...actions, open: (layer) => this.openLayer(layer.id) });
        this.#panel = new LayerPanel({
            ...actions,
            theme: this.#table.theme,
            neighbour: (layer, by) => this.#table.neighbour(layer, by),
            opened: (layerId) => this.openLayer(layerId),
            closed: (layer) => this.#table.focus(layer),
        });
    }

    /** Shows another run, a `SelectedRun`. */
    select(run) {
        this.#table.select(run);
        this.#panel.select(run);
    }

    /** The server's description of the run, or of what changed. */
    describe(description) {
        this.#table.describe(description);
    }

    /** The server's health answer of the run; null if it could not be read. */
    takeHealth(health) {
        this.#table.takeHealth(health);
    }

    /** The posted metrics whose values are in view. */
    get watchedMetrics() {
        return this.#table.watchedMetrics;
    }

    /** Paints, and reads what is due. `record` is that of the viewed step. */
    show(record, isConnected) {
        this.#table.show(record, isConnected);
        const { metrics, alerts } = this.#table;
        this.#panel.show({ record, metrics, alerts, layer: this.#table.layer(this.#panel.layerId), isConnected });
    }

    /** There is no step to show. */
    clear() {
        this.#table.clear();
    }

    /** Highlights a layer in the table; null ends it. Returns whether the table has it. */
    reveal(layerId) {
        return this.#table.reveal(layerId);
    }

    /** Opens the view of a layer, also before the run's layers are known. */
    openLayer(layerId) {
        this.#table.reveal(layerId, { isCentred: false });
        this.#panel.open(layerId);
    }

    /** What an address keeps: short texts, only what differs from the default. */
    get state() {
        const { layerId } = this.#panel;
        return { ...this.#table.state, ...(layerId === null ? {} : { layer: layerId }) };
    }

    restore(state = {}) {
        this.#table.restore(state);
        if (state.layer !== undefined) this.openLayer(state.layer);
        else this.#panel.close();
    }
}
