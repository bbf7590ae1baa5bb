// Which layers are in view, and how they share the rows of the picture.

/** The layers from `first` to `first + count - 1`, drawn in `lines` rows: several layers share a row if they must. */
export class RowWindow {
    constructor(first, count, maximumLines) {
        this.first = first;
        this.count = count;
        this.lines = Math.min(count, Math.max(1, maximumLines));
    }

    /** The layers of a line, `[begin, end)`. */
    layersOf(line) {
        const place = (at) => this.first + Math.floor((at * this.count) / this.lines);
        return [place(line), place(line + 1)];
    }

    /** The line of a layer, or -1 if it is not in view. */
    lineOf(layer) {
        const offset = layer - this.first;
        if (offset < 0 || offset >= this.count) return -1;
        return Math.floor(((offset + 1) * this.lines - 1) / this.count);
    }
}

/** A window `{ first, count }` inside `total` layers. */
export function fitted({ first, count }, total) {
    const size = Math.min(total, Math.max(1, Math.round(count)));
    return { first: Math.min(total - size, Math.max(0, Math.round(first))), count: size };
}

/** A window `factor` times as tall, in which `layer` keeps its place. */
export function zoomed(window, factor, layer, total) {
    const count = Math.min(total, Math.max(Math.min(4, total), Math.round(window.count * factor)));
    const share = (layer + 0.5 - window.first) / window.count;
    return fitted({ first: layer + 0.5 - share * count, count }, total);
}

/** The window moved as little as it takes to have `layer` in view. */
export function revealing(window, layer, total) {
    if (layer < window.first) return fitted({ ...window, first: layer }, total);
    if (layer >= window.first + window.count) return fitted({ ...window, first: layer - window.count + 1 }, total);
    return window;
}
