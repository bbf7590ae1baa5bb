// Paints a trend on a canvas.

import { trendShape } from "../model/trend.js";

const PADDING = 3;

/**
 * A canvas with a line. Its size follows the layout through `resize`, so painting never forces one.
 * It takes memory for pixels only between `resize` and `release`.
 */
export class Sparkline {
    #canvas;
    #context = null;
    #logarithmic;
    #width = 0;
    #height = 0;

    constructor(canvas, { logarithmic }) {
        this.#canvas = canvas;
        this.#logarithmic = logarithmic;
    }

    /** Size in CSS pixels, as a ResizeObserver reports it. */
    resize(width, height) {
        this.#context ??= this.#canvas.getContext("2d");
        const ratio = window.devicePixelRatio || 1;
        this.#width = width;
        this.#height = height;
        this.#canvas.width = Math.round(width * ratio);
        this.#canvas.height = Math.round(height * ratio);
        this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    }

    /** Frees the pixels of a canvas that is not on screen. */
    release() {
        if (this.#context === null) return;
        this.#width = 0;
        this.#canvas.width = 0;
        this.#canvas.height = 0;
    }

    /** Colours are `{ line, broken }`. */
    paint(values, colours) {
        if (this.#width === 0) return;
        const context = this.#context;
        const shape = trendShape(values, { logarithmic: this.#logarithmic });
        const x = (unit) => PADDING + unit * (this.#width - 2 * PADDING);
        const y = (unit) => this.#height - PADDING - unit * (this.#height - 2 * PADDING);
        context.clearRect(0, 0, this.#width, this.#height);

        context.strokeStyle = colours.broken;
        context.lineWidth = 1;
        for (const unit of shape.broken) {
            context.beginPath();
            context.moveTo(x(unit), y(0));
            context.lineTo(x(unit), y(1));
            context.stroke();
        }

        context.strokeStyle = colours.line;
        context.fillStyle = colours.line;
        context.lineWidth = 1.5;
        context.lineJoin = "round";
        for (const segment of shape.segments) {
            context.beginPath();
            segment.forEach((point, index) => context[index === 0 ? "moveTo" : "lineTo"](x(point.x), y(point.y)));
            context.stroke();
            context.lineTo(x(segment.at(-1).x), y(0));
            context.lineTo(x(segment[0].x), y(0));
            context.globalAlpha = 0.1;
            context.fill();
            context.globalAlpha = 1;
        }

        // The viewed step is the right end of the trend.
        const last = shape.segments.at(-1)?.at(-1);
        if (last !== undefined && last.x === 1) {
            context.beginPath();
            context.arc(x(last.x), y(last.y), 2.5, 0, 2 * Math.PI);
            context.fill();
        }
    }
}
