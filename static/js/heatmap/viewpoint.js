// Where the heatmap looks: the layers and steps in view, and the layer that has the focus.

import { RowWindow, fitted, revealing, zoomed } from "./picture/rows.js";

/** Zooms and moves by keys and buttons. It knows no pixels. */
export class Viewpoint {
    #layers = 0;
    /** Layers in view, `{ first, count }`. */
    #rows = { first: 0, count: 0 };
    /** The ranges of steps zoomed into, `{ from, to }`, null for the ends of the run; the last one is shown. */
    #ranges = [];
    /** The layer with the focus. */
    layer = 0;

    /** The shown range of steps. */
    get range() {
        return this.#ranges.at(-1) ?? { from: null, to: null };
    }

    /** The layers in view, `{ first, count }`. */
    get rows() {
        return this.#rows;
    }

    get isZoomed() {
        return this.#ranges.length > 0 || this.#rows.count < this.#layers;
    }

    get canZoomOutSteps() {
        return this.#ranges.length > 0;
    }

    get canZoomOutLayers() {
        return this.#rows.count < this.#layers;
    }

    /** Adapts to the number of layers: all are shown, unless some were chosen. */
    setLayers(count) {
        if (count === this.#layers) return;
        const wasWhole = this.#rows.count === this.#layers;
        this.#layers = count;
        this.#rows = wasWhole ? { first: 0, count } : fitted(this.#rows, count);
        this.layer = Math.min(this.layer, Math.max(0, count - 1));
    }

    window(maximumLines) {
        return new RowWindow(this.#rows.first, this.#rows.count, maximumLines);
    }

    focus(layer) {
        this.layer = Math.min(this.#layers - 1, Math.max(0, layer));
        this.#rows = revealing(this.#rows, this.layer, this.#layers);
    }

    zoomLayers(factor) {
        this.#rows = zoomed(this.#rows, factor, this.layer, this.#layers);
    }

    /** Shows the layers from `first` to `last`. */
    showLayers(first, last) {
        this.#rows = fitted({ first, count: last - first + 1 }, this.#layers);
        this.layer = Math.min(last, Math.max(first, this.layer));
    }

    showSteps(range) {
        this.#ranges.push(range);
    }

    zoomOutSteps() {
        this.#ranges.pop();
    }

    /** Replaces the shown range, to have another step in view. */
    moveSteps(range) {
        this.#ranges[this.#ranges.length - 1] = range;
    }

    showAll() {
        this.#ranges = [];
        this.#rows = { first: 0, count: this.#layers };
    }
}

/** The columns to zoom to around one: half of them, `[first, last]`; null if there are too few. */
export function narrowedColumns(columns, around) {
    const count = Math.ceil(columns / 2);
    if (columns < 4) return null;
    const first = Math.min(columns - count, Math.max(0, Math.round(around - count / 2)));
    return [first, first + count - 1];
}
