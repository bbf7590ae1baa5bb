// Which rows are in view, and how they share the lines of the picture.

import { Rows } from "../rows/rows.js";

/** The rows from `first` to `first + count - 1`, drawn in `lines` lines: several rows share a line if they must. */
export class RowWindow {
    /** `rows` are the `Rows`; a row is a layer without them. */
    constructor(first, count, maximumLines, rows = Rows.ofLayers(first + count)) {
        this.first = first;
        this.count = count;
        this.lines = Math.min(count, Math.max(1, maximumLines));
        this.rows = rows;
    }

    /** The rows of a line, `[begin, end)`. */
    rowsOf(line) {
        const place = (at) => this.first + Math.floor((at * this.count) / this.lines);
        return [place(line), place(line + 1)];
    }

    /** The layers of a line, `[begin, end)`. */
    layersOf(line) {
        return this.rows.layersOf(...this.rowsOf(line));
    }

    /** The line of a layer, or -1 if it is not in view. */
    lineOf(layer) {
        const offset = this.rows.rowOf(layer) - this.first;
        if (offset < 0 || offset >= this.count) return -1;
        return Math.floor(((offset + 1) * this.lines - 1) / this.count);
    }

    /** The folded node that a line shows alone, or null. */
    nodeOf(line) {
        const [begin, end] = this.rowsOf(line);
        return end - begin === 1 ? this.rows.nodeOf(begin) : null;
    }
}

/** A window `{ first, count }` inside `total` rows. */
export function fitted({ first, count }, total) {
    const size = Math.min(total, Math.max(1, Math.round(count)));
    return { first: Math.min(total - size, Math.max(0, Math.round(first))), count: size };
}

/** A window `factor` times as tall, in which `row` keeps its place. */
export function zoomed(window, factor, row, total) {
    const count = Math.min(total, Math.max(Math.min(4, total), Math.round(window.count * factor)));
    const share = (row + 0.5 - window.first) / window.count;
    return fitted({ first: row + 0.5 - share * count, count }, total);
}

/** The window moved as little as it takes to have `row` in view. */
export function revealing(window, row, total) {
    if (row < window.first) return fitted({ ...window, first: row }, total);
    if (row >= window.first + window.count) return fitted({ ...window, first: row - window.count + 1 }, total);
    return window;
}
