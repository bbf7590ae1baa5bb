// Draws the strip on its two canvases: the charts, and above them seams, pointer and cursor.

import { hatchTile, size } from "../../heatmap/page/pixels.js";
import { paintCursor, paintHover, paintSeams, paintStep } from "../../heatmap/page/time-lines.js";
import { stepTicks } from "../../heatmap/picture/axis.js";
import { formatShort } from "../../heatmap/picture/text.js";
import { freeEnd, lineSegments } from "../picture/line.js";

const FONT = "11px system-ui, sans-serif";
const SMALL = "10px system-ui, sans-serif";
/** Least width of a column with values that are not finite. */
const LEAST_BROKEN = 3;
/** Room above and below the line. */
const MARGIN = 2;
const TICK_GAP = 90;
/** The space beside a number of the y axis, and its height. */
const NUMBER_GAP = 7;
const NUMBER_HEIGHT = 12;

/** The charts: repainted only when what they show changes. */
export class ChartCanvas {
    #canvas;
    #context;

    constructor(canvas) {
        this.#canvas = canvas;
        this.#context = canvas.getContext("2d");
    }

    /** `charts` are `{ scale, marks }`, one for each row; `columns` has the steps if the strip has an axis, or null. */
    paint({ charts, geometry, layout, axisColumns, colours, ratio }) {
        size(this.#canvas, geometry.width * ratio, layout.height * ratio);
        const context = this.#context;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, geometry.width, layout.height);
        context.lineJoin = "round";
        charts.forEach(({ scale, marks }, row) => {
            const { top, bottom } = layout.chartOf(row);
            context.strokeStyle = colours.border;
            context.lineWidth = 1;
            context.strokeRect(geometry.left - 0.5, top + 0.5, geometry.plotWidth, bottom - top - 1);
            const y = (place) => bottom - MARGIN - place * (bottom - top - 2 * MARGIN);
            this.#band(marks, geometry, y, colours);
            this.#line(marks, geometry, y, colours);
            this.#broken(marks, geometry, top, bottom, colours);
            if (scale !== null) this.#numbers(scale, marks, geometry, top, bottom, colours);
        });
        if (axisColumns !== null) this.#axis(axisColumns, geometry, layout, colours);
    }

    #band({ band }, geometry, y, colours) {
        const context = this.#context;
        context.fillStyle = colours.accent;
        context.globalAlpha = 0.3;
        const width = geometry.plotWidth / geometry.columns;
        for (const { column, low, high } of band) {
            context.fillRect(geometry.x(column), y(high), width, Math.max(1, y(low) - y(high)));
        }
        context.globalAlpha = 1;
    }

    #line(marks, geometry, y, colours) {
        const context = this.#context;
        context.strokeStyle = colours.accent;
        context.fillStyle = colours.accent;
        context.lineWidth = 1.25;
        context.beginPath();
        for (const segment of lineSegments(marks)) {
            segment.forEach((point, index) => {
                const x = geometry.x(point.column + 0.5);
                if (index === 0) context.moveTo(x, y(point.y));
                else context.lineTo(x, y(point.y));
            });
            // A line of one point has no length.
            if (segment.length === 1) context.lineTo(geometry.x(segment[0].column + 0.5) + 1, y(segment[0].y));
        }
        context.stroke();
        for (const { column, y: place } of marks.dots) {
            context.beginPath();
            context.arc(geometry.x(column + 0.5), y(place), 2, 0, 2 * Math.PI);
            context.fill();
        }
    }

    #broken({ broken }, geometry, top, bottom, { brokenColour, hatchColour }) {
        if (broken.length === 0) return;
        const context = this.#context;
        const pattern = context.createPattern(hatchTile(6, hatchColour), "repeat");
        const width = Math.max(LEAST_BROKEN, geometry.plotWidth / geometry.columns);
        for (const fill of [brokenColour, pattern]) {
            context.fillStyle = fill;
            for (const column of broken) {
                context.fillRect(geometry.x(column + 0.5) - width / 2, top, width, bottom - top);
            }
        }
    }

    /** The ends of the y axis, inside of the chart: the space on the left has the names. */
    #numbers({ kind, low, high }, marks, geometry, top, bottom, colours) {
        const context = this.#context;
        context.font = SMALL;
        const highest = `${formatShort(high)}${kind === "log" ? " log" : ""}`;
        // That of a straight line is above it.
        const texts = low === high ? [[formatShort(low), (top + bottom) / 2 - 2, "bottom"]]
            : [[highest, top + 1, "top"], [formatShort(low), bottom, "bottom"]];
        for (const [text, y, baseline] of texts) {
            const end = low === high ? "left" : freeEnd(marks, geometry.columns, {
                width: (context.measureText(text).width + NUMBER_GAP) / geometry.plotWidth,
                height: NUMBER_HEIGHT / (bottom - top), isTop: baseline === "top",
            });
            const x = end === "left" ? geometry.left + 3 : geometry.left + geometry.plotWidth - NUMBER_GAP;
            context.textAlign = end;
            context.textBaseline = baseline;
            context.lineWidth = 3;
            context.strokeStyle = colours.surface;
            context.strokeText(text, x, y);
            context.fillStyle = colours.textSoft;
            context.fillText(text, x, y);
        }
    }

    #axis({ steps, lastSteps }, geometry, layout, colours) {
        const context = this.#context;
        context.font = FONT;
        context.fillStyle = colours.textSoft;
        context.strokeStyle = colours.borderStrong;
        context.lineWidth = 1;
        context.textAlign = "center";
        context.textBaseline = "middle";
        const top = layout.plotHeight - 4;
        const most = Math.max(2, Math.floor(geometry.plotWidth / TICK_GAP));
        for (const { column, text } of stepTicks(steps, lastSteps, most)) {
            const x = geometry.x(column);
            context.beginPath();
            context.moveTo(x, top);
            context.lineTo(x, top + 4);
            context.stroke();
            const half = context.measureText(text).width / 2;
            context.fillText(text, Math.max(geometry.left + half, Math.min(geometry.width - half - 1, x)), top + 13);
        }
    }
}

/** Seams, pointer, cursor, and the range that is dragged over. */
export class LineCanvas {
    #canvas;
    #context;

    constructor(canvas) {
        this.#canvas = canvas;
        this.#context = canvas.getContext("2d");
    }

    paint(model) {
        const { geometry, layout, columns, cursor, hover, selection, hasAxis, colours, ratio } = model;
        size(this.#canvas, geometry.width * ratio, layout.height * ratio);
        const context = this.#context;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, geometry.width, layout.height);
        if (layout.rows === 0) return;
        // With a heatmap below, the lines go on there.
        const height = hasAxis ? layout.plotHeight - 4 : layout.height;
        paintSeams(context, model, height);
        if (hover !== null) paintHover(context, geometry.x(hover + 0.5), height, colours);
        if (cursor >= 0) {
            const x = geometry.x(cursor + 0.5);
            paintCursor(context, x, height, colours);
            if (hasAxis) paintStep(context, columns.lastSteps[cursor], x, height + 1, geometry, colours);
        }
        if (selection !== null) {
            const [left, right] = [Math.min(...selection), Math.max(...selection)];
            context.globalAlpha = 0.25;
            context.fillStyle = colours.accent;
            context.fillRect(left, 0, right - left, height);
            context.globalAlpha = 1;
        }
    }
}
