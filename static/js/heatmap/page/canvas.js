// Draws the heatmap on its two canvases: the cells, and above them names, axis, findings and the cursor.

import { stepTicks } from "../picture/axis.js";
import { paintCells } from "../picture/raster.js";
import { bordersOf } from "../rows/brackets.js";
import { FONT, Gutter } from "./gutter.js";
import { hatchTile, size } from "./pixels.js";
import { paintCursor, paintHover, paintSeams, paintStep } from "./time-lines.js";

/** Least distance between two numbers on the axis. */
const TICK_GAP = 90;
/** Least width and height of a cell that is not finite. */
const LEAST_BROKEN = 3;

/** The cells: repainted only when what they show changes. */
export class CellCanvas {
    #canvas;
    #context;
    #small = document.createElement("canvas");

    constructor(canvas) {
        this.#canvas = canvas;
        this.#context = canvas.getContext("2d");
    }

    /** `colours` is `{ table, broken }`: 256 pixels, and the pixel of cells that are not finite. */
    paint({ matrix, window, shown, scale, geometry, colours, ratio }) {
        const { plotWidth, plotHeight } = geometry;
        size(this.#canvas, plotWidth * ratio, plotHeight * ratio);
        const { width, height } = this.#canvas;
        const { columns } = matrix;
        this.#context.clearRect(0, 0, width, height);
        if (columns === 0 || window.lines === 0) return;
        size(this.#small, columns, window.lines);
        const small = this.#small.getContext("2d");
        const image = small.createImageData(columns, window.lines);
        const pixels = new Uint32Array(image.data.buffer);
        const broken = paintCells(shown, window, scale, colours, pixels);
        small.putImageData(image, 0, 0);
        this.#context.imageSmoothingEnabled = false;
        this.#context.drawImage(this.#small, 0, 0, width, height);
        this.#hatch(broken, width / columns, height / window.lines, ratio, colours);
    }

    #hatch(broken, columnWidth, lineHeight, ratio, { brokenColour, hatchColour }) {
        if (broken.length === 0) return;
        const context = this.#context;
        const pattern = context.createPattern(hatchTile(Math.round(6 * ratio), hatchColour), "repeat");
        for (const fill of [brokenColour, pattern]) {
            context.fillStyle = fill;
            for (const [line, column, count] of broken) {
                // Larger than the cell where that is too small to be seen: one NaN among a million values matters.
                const width = Math.max(LEAST_BROKEN * ratio, count * columnWidth);
                const height = Math.max(LEAST_BROKEN * ratio, lineHeight);
                const x = (column + count / 2) * columnWidth - width / 2;
                const y = (line + 0.5) * lineHeight - height / 2;
                context.fillRect(x, y, width, height);
            }
        }
    }
}

/** Names, axis, findings, cursor. */
export class MarkCanvas {
    #canvas;
    #context;
    #gutter;

    constructor(canvas) {
        this.#canvas = canvas;
        this.#context = canvas.getContext("2d");
        this.#gutter = new Gutter(this.#context);
    }

    /**
     * `model` is `{ matrix, window, geometry, ratio, findings, cursor, focus, hover, selection, colours }` and what
     * `Gutter` needs: `cursor` a column or -1; `focus` and `hover` cells `{ line, column }` or null; `hoverColumn` a
     * column to which the pointer points elsewhere, or null; `seams` and `pointer` those of `paintSeams`; `selection`
     * null or `{ x, y, width, height }`.
     */
    paint(model) {
        const { geometry, ratio } = model;
        size(this.#canvas, geometry.width * ratio, geometry.height * ratio);
        const context = this.#context;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, geometry.width, geometry.height);
        context.font = FONT;
        context.textBaseline = "middle";
        this.#frame(model);
        this.#borders(model);
        this.#gutter.paint(model);
        this.#axis(model);
        this.#findings(model);
        paintSeams(context, model, geometry.plotHeight);
        if (model.hoverColumn !== null) {
            paintHover(context, geometry.x(model.hoverColumn + 0.5), geometry.plotHeight, model.colours);
        }
        this.#cursor(model);
        if (model.hover !== null) this.#cell(model, model.hover, model.colours.text, 1);
        if (model.focus !== null) this.#cell(model, model.focus, model.colours.accent, 2);
        if (model.selection !== null) this.#selection(model);
    }

    #frame({ geometry, colours }) {
        const context = this.#context;
        context.strokeStyle = colours.border;
        context.lineWidth = 1;
        context.strokeRect(geometry.left - 0.5, 0.5, geometry.plotWidth, geometry.plotHeight - 1);
    }

    /** Thin lines between groups of layers. */
    #borders({ brackets, geometry, colours }) {
        const context = this.#context;
        context.fillStyle = colours.surface;
        context.globalAlpha = 0.8;
        for (const y of bordersOf(brackets, geometry.plotHeight)) {
            context.fillRect(geometry.left, y - 0.5, geometry.plotWidth, 1);
        }
        context.globalAlpha = 1;
    }

    #axis({ matrix, geometry, colours }) {
        const context = this.#context;
        const ticks = stepTicks(matrix.steps, matrix.lastSteps, Math.max(2, Math.floor(geometry.plotWidth / TICK_GAP)));
        context.fillStyle = colours.textSoft;
        context.strokeStyle = colours.borderStrong;
        for (const { column, text } of ticks) {
            const x = geometry.x(column);
            context.beginPath();
            context.moveTo(x, geometry.plotHeight);
            context.lineTo(x, geometry.plotHeight + 4);
            context.stroke();
            this.#axisText(text, x, geometry);
        }
    }

    /** A number on the axis, moved so that it is not cut off. */
    #axisText(text, x, geometry) {
        const context = this.#context;
        const half = context.measureText(text).width / 2;
        const place = Math.max(geometry.left + half, Math.min(geometry.width - half - 1, x));
        context.textAlign = "center";
        context.fillText(text, place, geometry.plotHeight + 13);
        return { begin: place - half, end: place + half };
    }

    /** A dot on the cell in which each finding began, larger where its episode began. */
    #findings({ matrix, window, geometry, findings, colours }) {
        const context = this.#context;
        const lineHeight = geometry.plotHeight / window.lines;
        const radius = Math.min(4, Math.max(2.5, lineHeight / 3));
        // Of findings on one cell, the most important one is drawn, and above all others.
        const dots = new Map();
        for (const row of findings.rowsByImportance(matrix.layers)) {
            const line = window.lineOf(row);
            if (line < 0) continue;
            const { alerts, isOrigin } = findings.of(matrix.layers[row]);
            for (const { firstStep, severity } of alerts) {
                const column = matrix.columnOf(firstStep);
                if (column < 0 || firstStep > matrix.lastSteps.at(-1)) continue;
                const place = line * matrix.columns + column;
                if (!dots.has(place)) dots.set(place, { line, column, severity, isOrigin });
            }
        }
        for (const { line, column, severity, isOrigin } of [...dots.values()].reverse()) {
            context.beginPath();
            const size = isOrigin ? radius + 1.5 : radius;
            context.arc(geometry.x(column + 0.5), (line + 0.5) * lineHeight, size, 0, 2 * Math.PI);
            context.fillStyle = colours.severity(severity);
            context.fill();
            context.strokeStyle = "#ffffff";
            context.lineWidth = isOrigin ? 2 : 1;
            context.stroke();
        }
    }

    #cursor({ matrix, geometry, cursor, colours }) {
        if (cursor < 0) return;
        const x = geometry.x(cursor + 0.5);
        paintCursor(this.#context, x, geometry.plotHeight + 4, colours);
        paintStep(this.#context, matrix.lastSteps[cursor], x, geometry.plotHeight + 4, geometry, colours);
        this.#context.font = FONT;
    }

    #cell({ matrix, window, geometry }, { line, column }, colour, lineWidth) {
        const height = geometry.plotHeight / window.lines;
        const width = geometry.plotWidth / matrix.columns;
        const context = this.#context;
        context.strokeStyle = colour;
        context.lineWidth = lineWidth;
        const [w, h] = [Math.max(5, width), Math.max(5, height)];
        const x = geometry.x(column) + width / 2 - w / 2;
        const y = line * height + height / 2 - h / 2;
        context.strokeRect(x, y, w, h);
    }

    #selection({ selection, colours }) {
        const context = this.#context;
        context.globalAlpha = 0.25;
        context.fillStyle = colours.accent;
        context.fillRect(selection.x, selection.y, selection.width, selection.height);
        context.globalAlpha = 1;
        context.strokeStyle = colours.accent;
        context.lineWidth = 1.5;
        context.strokeRect(selection.x, selection.y, selection.width, selection.height);
    }
}
