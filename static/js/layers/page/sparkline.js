// The curve of a row: small, without axes.

import { formatNumber } from "../../model/format.js";
import { setAttribute } from "../../view/dom.js";
import { clearedContext, strokeCurve } from "./painting.js";

const PADDING = 2;

export class Sparkline {
    #canvas;
    #theme;
    #painted = [];

    constructor(canvas, theme) {
        this.#canvas = canvas;
        this.#theme = theme;
    }

    /**
     * `curve` is null until its series is read, `column` that of the cursor, -1 where it is out of the series; `size`
     * is that of the canvas, `{ width, height }`.
     */
    paint(curve, column, { width, height }) {
        const { colours } = this.#theme;
        const now = [curve, column, colours, width];
        if (width === 0 || now.every((value, index) => value === this.#painted[index])) return;
        this.#painted = now;
        const context = clearedContext(this.#canvas, width, height);
        setAttribute(this.#canvas, "aria-label", curve === null ? "not read yet" : curveText(curve));
        if (curve === null) return;
        const box = { left: PADDING, top: PADDING, width: width - 2 * PADDING, height: height - 2 * PADDING };
        strokeCurve(context, curve, box, colours);
        if (column < 0) return;
        context.fillStyle = colours.cursor;
        context.globalAlpha = 0.6;
        context.fillRect(box.left + ((column + 0.5) / curve.columns) * box.width - 0.5, 0, 1, height);
        context.globalAlpha = 1;
    }
}

/** A curve in words. */
export function curveText({ metric, summary: { min, max, nonfinite, count } }) {
    if (count === 0) return `${metric}: no value`;
    const range = `${metric}: from ${formatNumber(min)} to ${formatNumber(max)}`;
    return nonfinite > 0 ? `${range}, ${nonfinite} not finite` : range;
}
