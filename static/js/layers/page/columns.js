// The columns of the table, and their titles with the buttons that sort.

import { setAttribute, setText } from "../../view/dom.js";

/** Columns of each metric: kind, title, line in the row, and place among the grid columns of the metric. */
export const METRIC_COLUMNS = Object.freeze([
    { kind: "curve", title: "", line: "1 / -1", place: 0 },
    { kind: "min", title: "min", line: "1", place: 1 },
    { kind: "max", title: "max", line: "2", place: 1 },
    { kind: "now", title: "now", line: "1", place: 2 },
    { kind: "change", title: "× median", line: "2", place: 2 },
]);

/** Grid columns before those of the metrics: depth and type below the name, and the finding. */
const FIXED = 3;
const PER_METRIC = 3;

/** Where a cell of a metric is in the grid of a row; `metric` is its position. */
export function placeOf(metric, { line, place }) {
    return { row: line, column: String(FIXED + PER_METRIC * metric + place + 1) };
}

/** Sets the grid of all rows for a number of metrics. */
export function setColumns(table, metrics) {
    const each = "minmax(var(--curve-width), 1fr) var(--number-width) var(--number-width)";
    const fixed = ["3.4rem", "calc(var(--name-width) - 3.9rem)", "minmax(var(--finding-width), 1fr)"];
    table.style.setProperty("--table-columns", [...fixed, ...Array(metrics).fill(each)].join(" "));
    const ofMetrics = `${metrics} * (var(--curve-width) + 2 * var(--number-width))`;
    const gaps = `${FIXED + PER_METRIC * metrics} * 0.5rem`;
    table.style.setProperty("--table-width", `calc(var(--name-width) + var(--finding-width) + ${ofMetrics} + ${gaps})`);
}

export class ColumnTitles {
    #row;
    #onSort;
    #shown = null;
    #titles = [];

    /** `onSort(column, metric)` is called when a title is pressed; `metric` is a name or null. */
    constructor(row, onSort) {
        this.#row = row;
        this.#onSort = onSort;
    }

    /** `metrics` are names, `sort` is `{ column, metric, direction }`. */
    show(metrics, sort) {
        const key = JSON.stringify(metrics);
        if (key !== this.#shown) {
            this.#shown = key;
            this.#build(metrics);
        }
        for (const { cell, column, metric } of this.#titles) {
            const isSorted = sort.column === column && sort.metric === metric;
            setAttribute(cell, "aria-sort", isSorted ? sort.direction : "none");
        }
    }

    #build(metrics) {
        const cells = [
            this.#title("name", null, "Layer", { class: "layer-name", row: "2", column: "1 / 3" }),
            this.#title("depth", null, "Depth", { class: "layer-type", row: "3", column: "1" }),
            this.#title("type", null, "Type", { class: "layer-type layer-kind", row: "3", column: "2" }),
            this.#title("finding", null, "Finding", { class: "layer-finding", row: "2", column: "3" }),
        ];
        this.#titles = [...cells];
        metrics.forEach((metric, index) => {
            for (const column of METRIC_COLUMNS) {
                const place = placeOf(index, column);
                if (column.kind === "curve") {
                    cells.push({ cell: this.#metricTitle(metric, place) });
                    continue;
                }
                const row = String(Number(column.line) + 1);
                const inGrid = { class: "layer-number", row, column: place.column };
                const title = this.#title(column.kind, metric, column.title, inGrid);
                cells.push(title);
                this.#titles.push(title);
            }
        });
        const { activeElement } = document;
        const focused = this.#row.contains(activeElement) ? activeElement.getAttribute("aria-label") : null;
        this.#row.replaceChildren(...cells.map(({ cell }) => cell));
        if (focused === null) return;
        const buttons = this.#titles.map(({ cell }) => cell.firstChild);
        buttons.find((button) => button.getAttribute("aria-label") === focused)?.focus();
    }

    /** The metric's name over its columns; it is the title of the curve. */
    #metricTitle(metric, { column }) {
        const cell = document.createElement("div");
        cell.className = "layer-metric";
        cell.setAttribute("role", "columnheader");
        cell.style.gridRow = "1";
        cell.style.gridColumn = `${column} / span ${PER_METRIC}`;
        cell.title = metric;
        setText(cell, metric);
        return cell;
    }

    #title(column, metric, text, place) {
        const cell = document.createElement("div");
        cell.className = place.class;
        cell.setAttribute("role", "columnheader");
        cell.style.gridRow = place.row;
        cell.style.gridColumn = place.column;
        const button = document.createElement("button");
        button.type = "button";
        setText(button, text);
        button.setAttribute("aria-label", `Sort by ${metric === null ? "" : `${metric} `}${TITLES[column]}`);
        button.addEventListener("click", () => this.#onSort(column, metric));
        cell.append(button);
        return { cell, column, metric };
    }
}

const TITLES = Object.freeze({
    name: "layer", depth: "depth", type: "type", finding: "finding", min: "min", max: "max", now: "now",
    change: "times its median",
});
