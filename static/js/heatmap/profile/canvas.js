// Draws the depth profile: values to the right, layers down, on the lines of the heatmap.

import { FONT } from "../page/gutter.js";
import { cleared } from "../page/pixels.js";
import { placedLabels } from "../picture/labels.js";
import { shortened } from "../picture/names.js";
import { spacedTicks } from "../picture/ticks.js";
import { State } from "./values.js";

/** Free space at both ends of the scale. */
const MARGIN = 12;
/** Height of the axis, as that of the heatmap. */
const AXIS = 22;
const NAME_GAP = 12;
/** Least distance of two numbers on the axis. */
const TICK_GAP = 44;
/** From this height of a line on, each layer has a dot. */
const LEAST_DOTTED = 4;

export class ProfileCanvas {
    #canvas;

    constructor(canvas) {
        this.#canvas = canvas;
    }

    /**
     * `model` is `{ lines, curves, kinds, strongKind, now, first, scale, window, tree, names, findings, worst, colours,
     * width, height, left, ratio, hoverLine }`. `curves` are those of `kindCurves`; the one of `strongKind` stands out,
     * unless that is null. `now` and `first` are `LayerValues`, `first` null until it is known. `height` is that of the
     * heatmap's cells, `left` the width of the names, 0 beside the heatmap, where the names are those of the heatmap.
     */
    paint(model) {
        const { width, height, left, scale, ratio } = model;
        const context = cleared(this.#canvas, width, height + AXIS, ratio);
        context.font = FONT;
        context.textBaseline = "middle";
        const span = width - left - 2 * MARGIN;
        const place = {
            x: (value) => left + MARGIN + scale.place(value) * span,
            at: (share) => left + MARGIN + share * span,
            y: (line) => ((line + 0.5) * height) / model.window.lines,
        };
        this.#axis(context, model, place);
        if (left > 0) this.#names(context, model);
        this.#ghosts(context, model, place);
        this.#curves(context, model, place);
        this.#marks(context, model, place);
    }

    #axis(context, { scale, width, height, left, colours }, place) {
        context.strokeStyle = colours.border;
        context.lineWidth = 1;
        context.strokeRect(left + 0.5, 0.5, width - left - 1, height - 1);
        context.fillStyle = colours.textSoft;
        for (const { place: share, text } of spacedTicks(scale.ticks, TICK_GAP / (width - left - 2 * MARGIN))) {
            const x = place.at(share);
            context.fillRect(Math.round(x), height, 1, 4);
            context.globalAlpha = 0.25;
            context.fillRect(Math.round(x), 0, 1, height);
            context.globalAlpha = 1;
            const half = context.measureText(text).width / 2;
            context.textAlign = "center";
            context.fillText(text, Math.max(left + half, Math.min(width - half - 1, x)), height + 13);
        }
    }

    #names(context, { window, tree, names, height, left, findings, colours }) {
        context.textAlign = "right";
        const wanted = findings.rowsByImportance(tree.ids);
        for (const { layer, y, text } of placedLabels(window, height / window.lines, NAME_GAP, wanted, tree, names)) {
            const entry = layer < 0 ? undefined : findings.of(tree.ids[layer]);
            context.fillStyle = entry === undefined ? colours.textSoft : colours.severity(entry.severity);
            context.fillText(shortened(text, left - 8, (part) => context.measureText(part).width), left - 6, y);
        }
    }

    /** The first report: dashed lines. */
    #ghosts(context, { curves, first, colours, strongKind }, place) {
        if (first === null) return;
        context.strokeStyle = colours.textSoft;
        context.setLineDash([3, 3]);
        context.lineWidth = 1.2;
        for (const { kind, points } of curves) {
            context.globalAlpha = strongKind === null ? 0.6 : kind === strongKind ? 1 : 0.15;
            this.#path(context, points, first.values, place);
        }
        context.setLineDash([]);
        context.globalAlpha = 1;
    }

    /** A line for each kind of layers, and a dot for each layer where there is room; those alone always have one. */
    #curves(context, { curves, now, kinds, height, window, colours, strongKind }, place) {
        const lineHeight = height / window.lines;
        const thick = Math.max(1, Math.min(6, lineHeight - 1));
        for (const { kind, points } of curves) {
            const shape = kinds.classOf[kind];
            const isFaint = strongKind !== null && kind !== strongKind;
            context.fillStyle = context.strokeStyle = colours.kinds[shape];
            context.globalAlpha = isFaint ? 0.06 : 0.25;
            for (const { line, low, high } of points) {
                if (low >= high) continue;
                context.fillRect(place.x(low), place.y(line) - thick / 2, place.x(high) - place.x(low), thick);
            }
            context.globalAlpha = isFaint ? 0.2 : 0.8;
            context.lineWidth = kind === strongKind ? 2 : 1.3;
            this.#path(context, points, now.values, place);
            if (lineHeight < LEAST_DOTTED && points.length > 1) continue;
            for (const { line, layer } of points) {
                if (Number.isFinite(now.values[layer])) mark(context, place.x(now.values[layer]), place.y(line), shape);
            }
        }
        context.globalAlpha = 1;
    }

    /** A line through the finite values of the points. */
    #path(context, points, values, place) {
        context.beginPath();
        let isOpen = false;
        for (const { line, layer } of points) {
            const value = values[layer];
            if (!Number.isFinite(value)) {
                isOpen = false;
                continue;
            }
            const [x, y] = [place.x(value), place.y(line)];
            if (isOpen) context.lineTo(x, y);
            else context.moveTo(x, y);
            isOpen = true;
        }
        context.stroke();
    }

    /** Findings, values that are not finite, and the line under the pointer. */
    #marks(context, { lines, now, window, width, height, left, worst, colours, hoverLine }, place) {
        for (const { line, state } of lines) {
            const finding = worst.get(line);
            const y = place.y(line);
            if (state === State.broken) {
                context.fillStyle = colours.brokenColour;
                context.fillRect(width - 9, y - 4, 8, 8);
                context.fillStyle = colours.hatchColour;
                context.fillRect(width - 6, y - 4, 2, 8);
            }
            if (finding === undefined) continue;
            // Full where a finding began, a ring at its other layers.
            const colour = colours.severity(finding.severity);
            const value = now.values[finding.row];
            context.fillStyle = finding.isOrigin ? colour : colours.surface;
            context.strokeStyle = finding.isOrigin ? colours.surface : colour;
            context.lineWidth = 1.5;
            dot(context, Number.isFinite(value) ? place.x(value) : width - 14, y, finding.isOrigin ? 4 : 3);
            context.stroke();
        }
        if (hoverLine === null) return;
        const thick = Math.max(3, height / window.lines);
        context.strokeStyle = colours.text;
        context.lineWidth = 1;
        context.strokeRect(left + 0.5, place.y(hoverLine) - thick / 2, width - left - 1, thick);
    }
}

/** The sign of a class of types: circle, square, diamond, triangle. */
function mark(context, x, y, shape) {
    if (shape === 0) {
        dot(context, x, y, 2.2);
        return;
    }
    const corners = [[[-2, -2], [2, -2], [2, 2], [-2, 2]], [[0, -3], [3, 0], [0, 3], [-3, 0]], [[0, -3], [3, 2], [-3, 2]]];
    context.beginPath();
    for (const [dx, dy] of corners[shape - 1]) context.lineTo(x + dx, y + dy);
    context.fill();
}

function dot(context, x, y, radius) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
}
