// The elements of the view of one layer.

import { formatCount, formatShape } from "../../model/format.js";
import { alertSeverityText } from "../../model/verdict/severity.js";
import { sinceText } from "../../model/verdict/verdict.js";
import { element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { groupOf } from "../data/filter.js";
import { makeMark, showMark } from "../../view/verdict/severity-mark.js";
import { LayerChart } from "./chart.js";
import { fillTable } from "./table.js";

export class PanelView {
    #dialog = element("layer-panel");
    #title = element("layer-panel-title");
    #previous = element("layer-panel-previous");
    #next = element("layer-panel-next");
    #facts = element("layer-panel-facts");
    #note = element("layer-panel-note");
    #findings = element("layer-panel-findings");
    #step = element("layer-panel-step");
    #list = element("layer-charts");
    #details = element("layer-panel-table");
    #charts = new Map();
    #actions;
    #shown = { layer: null, alerts: null, table: null };
    #size = { width: 0, height: 0 };

    /** `actions`: `close()`, `move(by)`, `seekStep(step)`, `requestPaint()`, `theme`. */
    constructor(actions) {
        this.#actions = actions;
        element("layer-panel-close").addEventListener("click", actions.close);
        this.#previous.addEventListener("click", () => actions.move(-1));
        this.#next.addEventListener("click", () => actions.move(1));
        this.#details.addEventListener("toggle", actions.requestPaint);
        this.#dialog.addEventListener("keydown", (event) => {
            if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
            if (event.key !== "j" && event.key !== "k") return;
            actions.move(event.key === "j" ? 1 : -1);
            event.preventDefault();
        });
        document.addEventListener("keydown", (event) => {
            if (event.key !== "Escape" || event.defaultPrevented || !this.#dialog.open) return;
            event.preventDefault();
            actions.close();
        });
        // The browser's own way of closing: the table takes the focus as after the button.
        this.#dialog.addEventListener("cancel", (event) => {
            event.preventDefault();
            actions.close();
        });
        this.#findings.addEventListener("click", (event) => {
            const index = [...this.#findings.children].indexOf(event.target.closest("li"));
            const step = this.#shown.alerts?.[index]?.firstStep ?? null;
            if (event.target.closest("button") && step !== null) actions.seekStep(step);
        });
        new ResizeObserver(() => {
            this.#size = { width: 0, height: 0 };
            actions.requestPaint();
        }).observe(this.#list);
    }

    get isOpen() {
        return this.#dialog.open;
    }

    open() {
        if (!this.#dialog.open) this.#dialog.show();
        this.#title.focus({ preventScroll: true });
    }

    close() {
        this.#dialog.close();
        this.clear();
    }

    /** Another layer is shown. */
    clear() {
        for (const { node } of this.#charts.values()) node.remove();
        this.#charts.clear();
        this.#shown = { layer: null, alerts: null, table: null };
        this.#facts.replaceChildren();
        this.#findings.replaceChildren();
        setText(this.#step, "–");
    }

    /** `layer` is one of a structure, or undefined while the viewed step does not have it. */
    describe(id, layer, { note, hasPrevious, hasNext }) {
        setText(this.#title, id);
        setHidden(this.#note, note === "");
        setText(this.#note, note);
        this.#previous.disabled = !hasPrevious;
        this.#next.disabled = !hasNext;
        if (layer === undefined || layer === this.#shown.layer) return;
        this.#shown.layer = layer;
        const facts = [
            ["Type", layer.type], ["Depth", formatCount(layer.depth)], ["Group", groupOf(layer)],
            ["Output", formatShape(layer.shape)],
            ["Parameters", layer.parameters === undefined ? "" : formatCount(layer.parameters)],
        ];
        this.#facts.replaceChildren(...facts.filter(([, text]) => text !== "").map(([name, text]) => {
            const pair = document.createElement("div");
            const [term, value] = ["dt", "dd"].map((tag) => document.createElement(tag));
            term.textContent = name;
            value.textContent = text;
            pair.append(term, value);
            return pair;
        }));
    }

    showFindings(alerts) {
        if (alerts === this.#shown.alerts) return;
        this.#shown.alerts = alerts;
        this.#findings.replaceChildren(...alerts.map((alert) => findingRow(alert)));
    }

    /**
     * The charts of metrics, in this order. `step` is that of the values; `entries` are `{ metric, value, curve }`, the
     * curve null for a metric that was posted only now.
     */
    showCharts(step, entries, { series, column, alerts }) {
        setText(this.#step, formatCount(step));
        setAttribute(this.#step, "data-value", String(step ?? ""));
        const wanted = new Set(entries.map(({ metric }) => metric));
        for (const [metric, { node }] of this.#charts) {
            if (wanted.has(metric)) continue;
            node.remove();
            this.#charts.delete(metric);
        }
        entries.forEach(({ metric, value, curve }, index) => {
            const chart = this.#charts.get(metric) ?? new LayerChart(metric, this.#actions.theme, this.#actions);
            this.#charts.set(metric, chart);
            const here = this.#list.children[index] ?? null;
            if (here !== chart.node) this.#list.insertBefore(chart.node, here);
            chart.showValue(value);
            chart.show({ curve, series, column, alerts });
        });
        const { width, height } = this.#chartSize();
        for (const chart of this.#charts.values()) chart.paint(width, height);
        if (!this.#details.open || this.#shown.table === series) return;
        this.#shown.table = series;
        fillTable(series, entries);
    }

    #chartSize() {
        if (this.#size.width === 0) {
            const canvas = this.#list.querySelector("canvas");
            if (canvas !== null) this.#size = { width: canvas.clientWidth, height: canvas.clientHeight };
        }
        return this.#size;
    }
}

function findingRow(alert) {
    const item = document.createElement("li");
    item.dataset.severity = alert.severity;
    const button = document.createElement("button");
    button.type = "button";
    const mark = makeMark();
    showMark(mark, alert.severity);
    const [title, since, message] = ["strong", "span", "span"].map((tag) => document.createElement(tag));
    title.textContent = alert.title;
    const state = alert.isOpen ? "open" : "closed";
    const range = sinceText({ ...alert, state, sinceStep: alert.firstStep });
    const words = alertSeverityText(alert.own, alert.severity);
    const part = alert.partOf === null ? "" : `part of: ${alert.partOf}`;
    since.textContent = [words, state, range, part].filter(Boolean).join(" · ");
    message.textContent = alert.message;
    button.title = "Go to the step where it began";
    button.append(mark, title, since, message);
    item.append(button);
    return item;
}
