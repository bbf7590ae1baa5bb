// One row of the table. Its nodes are made once for a layer; a step changes only their text and the curves.

import { ratioText } from "../../heatmap/picture/text.js";
import { exactNumber, formatCount, formatNumber } from "../../model/format.js";
import { alertSeverityText } from "../../model/verdict/severity.js";
import { setAttribute, setText } from "../../view/dom.js";
import { makeMark, showMark } from "../../view/verdict/severity-mark.js";
import { groupOf } from "../data/filter.js";
import { METRIC_COLUMNS, placeOf } from "./columns.js";
import { Sparkline } from "./sparkline.js";

function cell(role, className, { row, column } = {}) {
    const node = document.createElement("div");
    node.className = className;
    node.setAttribute("role", role);
    if (row !== undefined) node.style.gridRow = row;
    if (column !== undefined) node.style.gridColumn = column;
    return node;
}

function span(className) {
    const node = document.createElement("span");
    node.className = className;
    return node;
}

export class LayerRow {
    node = cell("row", "layer-row");
    #path = span("layer-path");
    #tail = span("layer-tail");
    #depth = cell("gridcell", "layer-type", { row: "2", column: "1" });
    #type = cell("gridcell", "layer-type layer-kind", { row: "2", column: "2" });
    #mark;
    #title = span("layer-finding-title");
    #since = span("layer-finding-since");
    #severity = span("visually-hidden");
    #metrics;
    #described = null;
    #finding = null;

    /** `metrics` are names; `theme` has the colours of the curves. */
    constructor(metrics, theme) {
        const name = cell("rowheader", "layer-name", { row: "1", column: "1 / 3" });
        name.append(this.#path, this.#tail);
        const finding = cell("gridcell", "layer-finding", { column: "3" });
        this.#mark = makeMark();
        finding.append(this.#mark, this.#severity, this.#title, this.#since);
        this.#metrics = metrics.map((metric, index) => this.#makeMetric(metric, index, theme));
        this.node.append(name, this.#depth, this.#type, finding, ...this.#metrics.flatMap(({ cells }) => cells));
        this.node.tabIndex = -1;
        this.#showFinding(undefined);
    }

    #makeMetric(metric, index, theme) {
        const cells = METRIC_COLUMNS.map((column) => {
            const isCurve = column.kind === "curve";
            const node = cell("gridcell", isCurve ? "layer-curve" : "layer-number", placeOf(index, column));
            if (!isCurve) Object.assign(node.dataset, { metric, kind: column.kind, value: "" });
            return node;
        });
        const canvas = document.createElement("canvas");
        canvas.setAttribute("role", "img");
        cells[0].append(canvas);
        const numbers = cells.slice(1).map((node) => ({ node, kind: node.dataset.kind, shown: null }));
        return { metric, cells, numbers, curve: new Sparkline(canvas, theme) };
    }

    /** Name, type and finding. `layer` is one of a structure, `finding` its worst open one or undefined. */
    describe(layer, finding) {
        if (this.#described !== layer) {
            this.#described = layer;
            const end = layer.id.lastIndexOf("/") + 1;
            setText(this.#path, layer.id.slice(0, end));
            setText(this.#tail, layer.id.slice(end));
            this.node.dataset.layer = layer.id;
            this.node.dataset.depth = layer.depth;
            setText(this.#depth, formatCount(layer.depth));
            const group = groupOf(layer);
            const isInPath = group === "" || layer.id.startsWith(`${group}/`);
            setText(this.#type, isInPath ? layer.type : `${layer.type} · ${group}`);
            this.node.title = layer.id;
        }
        if (this.#finding !== finding) this.#showFinding(finding);
    }

    #showFinding(finding) {
        this.#finding = finding;
        this.#title.title = [finding?.title, finding?.message].filter(Boolean).join(": ");
        setAttribute(this.node, "data-severity", finding?.severity ?? "");
        showMark(this.#mark, finding?.severity);
        // An svg has no `hidden` property.
        this.#mark.toggleAttribute("hidden", finding === undefined);
        setText(this.#title, finding === undefined ? "–" : shortTitle(finding.title, this.#described.id));
        setText(this.#severity, finding === undefined ? "" : `${alertSeverityText(finding.own, finding.severity)}: `);
        setText(this.#since, finding === undefined ? "" : `since step ${formatCount(finding.firstStep)}`);
    }

    /** Numbers of a metric, by its position: `{ min, max, now, change }`, undefined where there is none. */
    showNumbers(position, numbers) {
        for (const number of this.#metrics[position].numbers) {
            const value = numbers[number.kind];
            const text = number.kind === "change" ? ratioText(numbers.now, numbers.median) : formatNumber(value);
            if (Object.is(value, number.shown) && number.node.textContent === text) continue;
            number.shown = value;
            setText(number.node, text);
            number.node.dataset.value = exactNumber(value);
            number.node.title = exactNumber(value);
            number.node.dataset.broken = typeof value === "number" && !Number.isFinite(value);
        }
    }

    /** The curve of a metric, by its position. `curve` is a `Curve` or null; `column` that of the cursor. */
    paint(position, curve, column, size) {
        this.#metrics[position].curve.paint(curve, column, size);
    }
}

/** The title without the name of the layer, which the row has already. */
function shortTitle(title, id) {
    const rest = title.startsWith(`${id} `) ? title.slice(id.length + 1) : title.replace(` of ${id}`, "");
    return rest;
}
