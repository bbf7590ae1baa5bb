// One metric of the opened layer over the whole run: a chart with axes, the cursor, and what the pointer is at.

import { stepTicks } from "../../heatmap/picture/axis.js";
import { formatSteps } from "../../heatmap/picture/text.js";
import { exactNumber, formatNumber } from "../../model/format.js";
import { instantiate, setAttribute, setText } from "../../view/dom.js";
import { clearedContext, strokeCurve } from "../page/painting.js";
import { curveText } from "../page/sparkline.js";

/** Room for numbers beside the curve, in CSS pixels. */
const LEFT = 48;
const RIGHT = 8;
const TOP = 6;
const BOTTOM = 17;
const FONT = "11px system-ui, sans-serif";
/** Least distance between two numbers on the x axis, and on the y axis. */
const TICK_GAP = 80;
const LINE_GAP = 12;

export class LayerChart {
    node = instantiate("layer-chart-template");
    #name = this.node.querySelector(".layer-chart-name");
    #value = this.node.querySelector(".layer-chart-value");
    #range = this.node.querySelector(".layer-chart-range");
    #canvas = this.node.querySelector("canvas");
    #theme;
    #model = null;
    #hover = -1;
    #painted = [];

    /** `actions`: `seekStep(step)`, `requestPaint()`. */
    constructor(metric, theme, actions) {
        this.#theme = theme;
        setText(this.#name, metric);
        this.#value.dataset.metric = metric;
        this.#canvas.addEventListener("pointermove", (event) => this.#setHover(this.#columnAt(event), actions));
        this.#canvas.addEventListener("pointerleave", () => this.#setHover(-1, actions));
        this.#canvas.addEventListener("click", (event) => {
            const column = this.#columnAt(event);
            if (column >= 0) actions.seekStep(this.#model.series.lastSteps[column]);
        });
    }

    showValue(value) {
        setText(this.#value, formatNumber(value));
        setAttribute(this.#value, "data-value", exactNumber(value));
        setAttribute(this.#value, "title", exactNumber(value));
        setAttribute(this.#value, "data-broken", String(typeof value === "number" && !Number.isFinite(value)));
    }

    /** `model`: `{ curve, series, column, alerts }`, `column` that of the cursor, `alerts` the findings of the layer. */
    show(model) {
        this.#model = model;
        const { curve } = model;
        const log = curve.scale.isLogarithmic ? " · log scale" : "";
        const text = `${curveText(curve).slice(curve.metric.length + 2)}${log}`;
        setText(this.#range, this.#hover < 0 ? text : this.#hoverText());
        setAttribute(this.#canvas, "aria-label", curveText(curve));
    }

    /** Paints what changed; `width` is that of all charts. */
    paint(width, height) {
        const { curve, series, column, alerts } = this.#model;
        const { colours } = this.#theme;
        const now = [curve, column, this.#hover, alerts, colours, width];
        if (width === 0 || now.every((value, index) => value === this.#painted[index])) return;
        this.#painted = now;
        const context = clearedContext(this.#canvas, width, height);
        const box = { left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
        context.font = FONT;
        this.#paintAxes(context, box, curve, series, colours);
        this.#paintFindings(context, box, curve, series, alerts, colours);
        strokeCurve(context, curve, box, colours);
        for (const [place, alpha] of [[this.#hover, 0.5], [column, 1]]) {
            if (place < 0) continue;
            context.globalAlpha = alpha;
            context.fillStyle = colours.cursor;
            context.fillRect(box.left + ((place + 0.5) / curve.columns) * box.width - 0.75, box.top, 1.5, box.height);
            context.globalAlpha = 1;
        }
    }

    #paintAxes(context, box, { scale, columns }, { steps, lastSteps }, colours) {
        context.textBaseline = "middle";
        context.textAlign = "right";
        let above = Infinity;
        for (const { place, text } of scale.ticks) {
            const y = box.top + (1 - place) * box.height;
            context.fillStyle = colours.grid;
            context.fillRect(box.left, Math.round(y), box.width, 1);
            if (above - y < LINE_GAP) continue;
            above = y;
            context.fillStyle = colours.text;
            context.fillText(text, box.left - 5, y, LEFT - 7);
        }
        context.textBaseline = "alphabetic";
        context.textAlign = "center";
        context.fillStyle = colours.text;
        for (const { column, text } of stepTicks(steps, lastSteps, Math.max(2, Math.floor(box.width / TICK_GAP)))) {
            const half = context.measureText(text).width / 2;
            const right = box.left + box.width + RIGHT - half;
            const x = Math.min(right, Math.max(half, box.left + (column / columns) * box.width));
            context.fillText(text, x, box.top + box.height + 13);
        }
    }

    /** Bands where findings were open; those about this metric begin with a line. */
    #paintFindings(context, box, { metric, columns }, series, alerts, colours) {
        for (const alert of alerts) {
            if (alert.firstStep === null) continue;
            const first = Math.max(0, series.columnOf(alert.firstStep));
            const last = alert.isOpen || alert.closedStep === null ? columns - 1 : series.columnOf(alert.closedStep);
            const x = box.left + (first / columns) * box.width;
            context.fillStyle = colours.severity(alert.severity);
            context.globalAlpha = alert.metric === metric ? 0.12 : 0.04;
            context.fillRect(x, box.top, ((Math.max(first, last) + 1 - first) / columns) * box.width, box.height);
            context.globalAlpha = 1;
            if (alert.metric === metric) context.fillRect(x, box.top, 2, box.height);
        }
    }

    #hoverText() {
        const { curve: { lists }, series } = this.#model;
        const column = this.#hover;
        const steps = formatSteps(series.steps[column], series.lastSteps[column]);
        const text = `${steps}: ${formatNumber(lists.last[column])}`;
        const [min, max, nonfinite] = [lists.min[column], lists.max[column], lists.nonfinite[column]];
        const range = min !== undefined && min !== max ? `, ${formatNumber(min)} to ${formatNumber(max)}` : "";
        return `${text}${range}${nonfinite > 0 ? `, ${nonfinite} not finite` : ""}`;
    }

    #setHover(column, { requestPaint }) {
        if (column === this.#hover) return;
        this.#hover = column;
        requestPaint();
    }

    /** The column at the pointer; -1 outside of the curve. */
    #columnAt({ offsetX }) {
        if (this.#model === null) return -1;
        const { columns } = this.#model.curve;
        const column = Math.floor(((offsetX - LEFT) / (this.#canvas.clientWidth - LEFT - RIGHT)) * columns);
        return column >= 0 && column < columns ? column : -1;
    }
}
