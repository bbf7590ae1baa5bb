// Draws the fan: quantiles over the layers upwards, on the columns of the heatmap.

import { FONT } from "../page/gutter.js";
import { cleared, hatchTile } from "../page/pixels.js";
import { paintCursor, paintHover, paintSeams } from "../page/time-lines.js";
import { spacedTicks } from "../picture/ticks.js";
import { SHARES } from "./quantiles.js";

/** Least distance of two numbers on the axis. */
const TICK_GAP = 15;
/** Free space above and below the scale. */
const MARGIN = 8;
/** Height of the marks of values that are not finite, at the top. */
const BROKEN_HEIGHT = 6;
/** The bands, as pairs of quantiles, and their opacity. */
const BANDS = [[0, 6, 0.16], [1, 5, 0.22], [2, 4, 0.32]];
const MEDIAN = SHARES.indexOf(0.5);

export class FanCanvas {
    #canvas;

    constructor(canvas) {
        this.#canvas = canvas;
    }

    /** `model` is `{ spread, scale, geometry, height, cursor, hover, seams, colours, ratio }`; `hover` a column or null. */
    paint(model) {
        const { geometry, height, scale, ratio } = model;
        const context = cleared(this.#canvas, geometry.width, height, ratio);
        context.font = FONT;
        context.textBaseline = "middle";
        const y = (value) => this.#yOf(scale.place(value), height);
        this.#axis(context, model);
        context.fillStyle = model.colours.accent;
        for (const [low, high, opacity] of BANDS) {
            context.globalAlpha = opacity;
            for (const segment of model.spread.segments) this.#band(context, model, segment, low, high, y);
        }
        context.globalAlpha = 1;
        context.strokeStyle = model.colours.accent;
        context.lineWidth = 1.5;
        for (const segment of model.spread.segments) this.#line(context, model, segment, MEDIAN, y);
        this.#broken(context, model);
        paintSeams(context, { ...model, pointer: null }, height);
        if (model.hover !== null) paintHover(context, geometry.x(model.hover + 0.5), height, model.colours);
        if (model.cursor >= 0) paintCursor(context, geometry.x(model.cursor + 0.5), height, model.colours);
    }

    #yOf(share, height) {
        return MARGIN + BROKEN_HEIGHT + (1 - share) * (height - 2 * MARGIN - BROKEN_HEIGHT);
    }

    #axis(context, { scale, geometry, height, colours }) {
        const { left, plotWidth } = geometry;
        context.strokeStyle = colours.border;
        context.lineWidth = 1;
        context.strokeRect(left - 0.5, 0.5, plotWidth, height - 1);
        context.fillStyle = colours.textSoft;
        context.textAlign = "right";
        for (const { place, text } of spacedTicks(scale.ticks, TICK_GAP / (height - 2 * MARGIN - BROKEN_HEIGHT))) {
            const y = this.#yOf(place, height);
            context.fillText(text, left - 8, y);
            context.fillRect(left - 4, Math.round(y), 4, 1);
            context.globalAlpha = 0.25;
            context.fillRect(left, Math.round(y), plotWidth, 1);
            context.globalAlpha = 1;
        }
    }

    /** The area between two quantiles in a range of columns, each as wide as in the heatmap. */
    #band(context, { spread, geometry }, [first, last], low, high, y) {
        context.beginPath();
        const points = (values, columns) => {
            for (const column of columns) {
                const value = y(values[column]);
                if (column === first) context.lineTo(geometry.x(first), value);
                context.lineTo(geometry.x(column + 0.5), value);
                if (column === last) context.lineTo(geometry.x(last + 1), value);
            }
        };
        const columns = Array.from({ length: last - first + 1 }, (_, index) => first + index);
        points(spread.quantiles[high], columns);
        // Back along the lower edge.
        context.lineTo(geometry.x(last + 1), y(spread.quantiles[low][last]));
        for (const column of columns.reverse()) context.lineTo(geometry.x(column + 0.5), y(spread.quantiles[low][column]));
        context.lineTo(geometry.x(first), y(spread.quantiles[low][first]));
        context.fill();
    }

    #line(context, { spread, geometry }, [first, last], quantile, y) {
        const values = spread.quantiles[quantile];
        context.beginPath();
        context.moveTo(geometry.x(first), y(values[first]));
        for (let column = first; column <= last; column += 1) context.lineTo(geometry.x(column + 0.5), y(values[column]));
        context.lineTo(geometry.x(last + 1), y(values[last]));
        context.stroke();
    }

    #broken(context, { spread, geometry, colours }) {
        const pattern = context.createPattern(hatchTile(6, colours.hatchColour), "repeat");
        for (const [first, last] of spread.brokenSegments) {
            const x = geometry.x(first);
            const width = Math.max(3, geometry.x(last + 1) - x);
            for (const fill of [colours.brokenColour, pattern]) {
                context.fillStyle = fill;
                context.fillRect(x, 1, width, BROKEN_HEIGHT);
            }
        }
    }
}
