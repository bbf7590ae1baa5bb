// The strip's elements on the page: charts with their names, choice of scalars, zoom, table.

import { Gestures } from "../../heatmap/page/gestures.js";
import { HeatmapTheme } from "../../heatmap/page/theme.js";
import { element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { ChartCanvas, LineCanvas } from "./canvas.js";
import { ScalarMenu } from "./menu.js";

export class StripView {
    #section = element("strip");
    /** Where the section is while there is no heatmap, and above the heatmap's cells. */
    #home = element("strip-home");
    #overCells = element("strip-over-cells");
    #plot = element("strip-plot");
    #charts = new ChartCanvas(element("strip-charts"));
    #lines = new LineCanvas(element("strip-lines"));
    #labels = element("strip-labels");
    #zoom = element("strip-zoom");
    #readout = element("strip-readout");
    #status = element("strip-status");
    #details = element("strip-details");
    #caption = element("strip-caption");
    #head = element("strip-head-row");
    #rows = element("strip-rows");
    #theme;
    #menu;
    #painted = "";
    #tabled = "";
    #width = 0;
    gestures;

    /** `actions`: `requestPaint()`, `choose(names)`, `zoomBy(name)` for a button, and those of `Gestures`. */
    constructor(actions) {
        this.#theme = new HeatmapTheme(actions.requestPaint);
        this.#menu = new ScalarMenu(actions.choose);
        this.gestures = new Gestures(this.#plot, { ...actions, focus: () => this.#plot.focus({ preventScroll: true }) });
        this.#details.addEventListener("toggle", actions.requestPaint);
        for (const button of this.#zoom.querySelectorAll("button")) {
            button.addEventListener("click", () => actions.zoomBy(button.dataset.stripZoom));
        }
        new ResizeObserver(([entry]) => {
            this.#width = Math.floor(entry.contentRect.width);
            actions.requestPaint();
        }).observe(this.#plot);
    }

    /** Width of the plot; 0 while it is not laid out. */
    get width() {
        if (this.#width === 0) this.#width = this.#plot.clientWidth;
        return this.#width;
    }

    get ratio() {
        return Math.min(3, window.devicePixelRatio || 1);
    }

    get hasOpenTable() {
        return this.#details.open;
    }

    setShown(isShown) {
        setHidden(this.#section, !isShown);
        setHidden(this.#details, !isShown);
    }

    /** Puts the strip above the heatmap's cells, or by itself. */
    setAlone(isAlone) {
        const place = isAlone ? this.#home : this.#overCells;
        if (this.#section.parentElement !== place) place.append(this.#section);
        setAttribute(this.#section, "data-alone", String(isAlone));
        setHidden(this.#zoom, !isAlone);
    }

    setChoices(names, chosen) {
        this.#menu.show(names, chosen);
    }

    /** A status is in the place of the readout, so that nothing moves. */
    setStatus(text) {
        setText(this.#status, text);
        setHidden(this.#status, text === "");
        setHidden(this.#readout, text !== "");
    }

    setZoom({ canZoomIn, isZoomed }) {
        for (const button of this.#zoom.querySelectorAll("button")) {
            button.disabled = button.dataset.stripZoom === "in" ? !canZoomIn : !isZoomed;
        }
    }

    /** Removes the picture of a run that is no longer selected. */
    clear() {
        this.#painted = "";
        this.#tabled = "";
        setText(this.#readout, "");
        this.#labels.replaceChildren();
        this.#rows.replaceChildren();
    }

    /** Gives the plot the size of its picture. */
    layOut({ height, isNarrow }) {
        this.#plot.style.height = `${height}px`;
        setAttribute(this.#plot, "data-narrow", String(isNarrow));
    }

    /** `key` changes when the charts do. */
    paint(model, key) {
        const colours = this.#theme.colours("sequential");
        const { geometry, layout, ratio } = model;
        const painted = [key, colours.key, geometry.width, geometry.left, layout.height, ratio].join(" ");
        if (painted !== this.#painted) {
            this.#painted = painted;
            this.layOut(layout);
            this.#charts.paint({ ...model, colours });
        }
        this.#lines.paint({ ...model, colours });
    }

    /** The rows' values, `[{ name, text, exact, title, isEarlier, isBroken }]`, and the text with their steps. */
    showValues(rows, layout, readout) {
        while (this.#labels.children.length > rows.length) this.#labels.lastElementChild.remove();
        while (this.#labels.children.length < rows.length) this.#labels.append(makeLabel());
        rows.forEach(({ name, text, exact, title, isEarlier, isBroken }, row) => {
            const label = this.#labels.children[row];
            const [nameNode, valueNode] = label.children;
            setText(nameNode, name);
            setAttribute(nameNode, "title", name);
            setText(valueNode, text);
            setAttribute(valueNode, "title", title);
            setAttribute(valueNode, "data-value", exact);
            setAttribute(label, "data-earlier", String(isEarlier));
            setAttribute(label, "data-broken", String(isBroken));
            label.style.top = `${row * layout.rowHeight}px`;
            label.style.left = layout.isNarrow ? `${layout.left}px` : "0";
            label.style.width = layout.isNarrow ? `${layout.width - layout.left}px` : `${layout.left - 8}px`;
        });
        setText(this.#readout, readout);
    }

    /** Fills the table; `key` changes when its content does. */
    showTable(key, makeTable) {
        if (key === this.#tabled) return;
        this.#tabled = key;
        const { caption, head, rows } = makeTable();
        setText(this.#caption, caption);
        this.#head.replaceChildren(...["Scalar", ...head].map((text) => makeCell("th", text, "col")));
        this.#rows.replaceChildren(...rows.map(({ title, texts }) => {
            const row = document.createElement("tr");
            const first = makeCell("th", title, "row");
            if (texts.length === 0) first.colSpan = head.length + 1;
            row.append(first, ...texts.map((text) => makeCell("td", text)));
            return row;
        }));
    }
}

function makeLabel() {
    const label = document.createElement("li");
    const name = document.createElement("span");
    const value = document.createElement("strong");
    name.className = "strip-name";
    value.className = "strip-value";
    label.append(name, value);
    return label;
}

function makeCell(tag, text, scope) {
    const cell = document.createElement(tag);
    cell.textContent = text;
    if (scope !== undefined) cell.scope = scope;
    return cell;
}
