// Where the heatmap looks: the layers and steps in view, and the layer that has the focus.

import { RowWindow, fitted, revealing, zoomed } from "./picture/rows.js";
import { Rows } from "./rows/rows.js";

/** Zooms and moves by keys and buttons. It knows no pixels. */
export class Viewpoint {
    /** The `Rows` of the picture. */
    #all = Rows.ofLayers(0);
    /** Rows in view, `{ first, count }`. */
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
        return this.#ranges.length > 0 || this.#rows.count < this.#all.count;
    }

    get canZoomOutSteps() {
        return this.#ranges.length > 0;
    }

    get canZoomOutLayers() {
        return this.#rows.count < this.#all.count;
    }

    /** The layers in view, `[begin, end)`. */
    get layers() {
        return this.#all.layersOf(this.#rows.first, this.#rows.first + this.#rows.count);
    }

    /** Adapts to other rows: all are shown, unless some were chosen, whose layers stay in view. */
    setRows(rows) {
        if (rows === this.#all) return;
        const isWhole = this.#rows.count === this.#all.count;
        const [begin, end] = this.layers;
        this.#all = rows;
        if (isWhole) this.#rows = { first: 0, count: rows.count };
        else this.showLayers(begin, end - 1);
        this.layer = Math.min(this.layer, Math.max(0, rows.layers - 1));
    }

    window(maximumLines) {
        return new RowWindow(this.#rows.first, this.#rows.count, maximumLines, this.#all);
    }

    /** Moves the focus to a layer, and the view if it must. */
    focus(layer) {
        this.layer = Math.max(0, Math.min(this.#all.layers - 1, layer));
        this.#rows = revealing(this.#rows, this.#all.rowOf(this.layer), this.#all.count);
    }

    /** Moves the focus by rows. */
    moveRows(by) {
        const row = Math.min(this.#all.count - 1, Math.max(0, this.#all.rowOf(this.layer) + by));
        this.focus(this.#all.layersOf(row)[0]);
    }

    zoomLayers(factor) {
        this.#rows = zoomed(this.#rows, factor, this.#all.rowOf(this.layer), this.#all.count);
    }

    /** Shows the layers from `first` to `last`. */
    showLayers(first, last) {
        const [low, high] = [first, last].map((layer) => this.#all.rowOf(Math.min(layer, this.#all.layers - 1)));
        this.#rows = fitted({ first: low, count: high - low + 1 }, this.#all.count);
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
        this.#rows = { first: 0, count: this.#all.count };
    }
}

/** The columns to zoom to around one: half of them, `[first, last]`; null if there are too few. */
export function narrowedColumns(columns, around) {
    const count = Math.ceil(columns / 2);
    if (columns < 4) return null;
    const first = Math.min(columns - count, Math.max(0, Math.round(around - count / 2)));
    return [first, first + count - 1];
}
