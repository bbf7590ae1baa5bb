// The table on the page: titles, and rows that exist only while they are in view. The row with the focus stays.

import { element, setAttribute } from "../../view/dom.js";
import { rowsInView, scrolledTo } from "../picture/rows.js";
import { ColumnTitles, setColumns } from "./columns.js";
import { LayerRow } from "./row.js";
import { CurveTheme } from "./theme.js";

/** Rows that Page Up and Page Down pass. */
const PAGE = 10;

export class TableView {
    #table = element("layers-table");
    #body = element("layers-rows");
    #titles;
    #theme;
    #actions;
    /** Key of a layer to its `LayerRow`. */
    #rows = new Map();
    #keyByNode = new WeakMap();
    #metrics = "";
    #names = [];
    /** Layers in the order of the table. */
    #layers = [];
    #places = new Map();
    /** Key of the row that takes the focus, and of the highlighted one; null for none. */
    #active = null;
    #highlighted = null;
    #rowHeight = 0;
    #viewHeight = 0;
    #measuredCanvas = null;
    #curveSizes = new ResizeObserver(([{ contentRect: { width, height } }]) => {
        if (width === 0) return;
        this.#curveSize = { width, height };
        this.#actions.requestPaint();
    });
    #curveSize = null;
    /** Rows were made again while one of them had the focus. */
    #wantsFocus = false;

    /** `actions`: `requestPaint()`, `sort(column, metric)`, `open(layer)`. */
    constructor(actions) {
        const [table, columns, rows] = [this.#table, element("layers-columns"), this.#body];
        this.#actions = actions;
        this.#theme = new CurveTheme(actions.requestPaint);
        this.#titles = new ColumnTitles(columns, actions.sort);
        table.addEventListener("scroll", actions.requestPaint, { passive: true });
        rows.addEventListener("click", (event) => {
            const layer = this.#layerOf(event.target);
            if (layer !== undefined) this.#open(layer);
        });
        rows.addEventListener("keydown", (event) => this.#key(event));
        rows.addEventListener("focusin", (event) => this.#setActive(this.#layerOf(event.target)?.key ?? null));
        // Sizes are read where the layout is known already: reading them while painting would force one.
        const sizes = new ResizeObserver(() => this.#measure());
        for (const observed of [table, columns]) sizes.observe(observed);
        addEventListener("resize", () => this.#measure());
    }

    get theme() {
        return this.#theme;
    }

    /** Removes all rows. */
    clear() {
        this.arrange([]);
        this.#active = null;
        this.#highlighted = null;
        this.#table.scrollTop = 0;
    }

    /** The titles; other metrics make other rows. */
    setMetrics(names, sort) {
        const key = JSON.stringify(names);
        if (key !== this.#metrics) {
            this.#metrics = key;
            this.#names = names;
            setColumns(this.#table, names.length);
            const hadFocus = this.#body.contains(document.activeElement);
            for (const { node } of this.#rows.values()) node.remove();
            this.#rows.clear();
            if (hadFocus) this.#wantsFocus = true;
        }
        this.#titles.show(names, sort);
    }

    /** The layers in the order of the rows. */
    arrange(layers) {
        this.#layers = layers;
        this.#places = new Map(layers.map((layer, place) => [layer.key, place]));
        setAttribute(this.#table, "aria-rowcount", String(layers.length + 1));
    }

    /** Makes the rows in view and removes others. Returns `[layer, row]` of those in view, from above. */
    rowsInView() {
        if (this.#rowHeight === 0) return [];
        const count = this.#layers.length;
        this.#body.style.height = `${count * this.#rowHeight}px`;
        const [from, to] = rowsInView({
            top: this.#table.scrollTop, height: this.#viewHeight, rowHeight: this.#rowHeight, count,
        });
        if (!this.#places.has(this.#active)) this.#active = this.#layers[0]?.key ?? null;
        const shown = this.#layers.slice(from, to);
        const active = this.#places.get(this.#active);
        const isOutside = active !== undefined && (active < from || active >= to);
        const wanted = isOutside ? [...shown, this.#layers[active]] : shown;
        const keys = new Set(wanted.map(({ key }) => key));
        for (const [key, { node }] of this.#rows) {
            if (keys.has(key)) continue;
            node.remove();
            this.#rows.delete(key);
        }
        const pairs = wanted.map((layer) => [layer, this.#row(layer)]);
        this.#sortNodes();
        this.#observeCurve();
        if (this.#wantsFocus) {
            this.#wantsFocus = false;
            this.#rows.get(this.#active)?.node.focus({ preventScroll: true });
        }
        return pairs;
    }

    /** Size of the curves, `{ width, height }`; null before there are any. */
    get curveSize() {
        return this.#curveSize;
    }

    /** Scrolls a row into the view of the table, not of the page. Returns whether the table has it. */
    reveal(key, { isCentred = false } = {}) {
        const row = this.#places.get(key);
        if (row === undefined) return false;
        this.#body.style.height = `${this.#layers.length * this.#rowHeight}px`;
        const table = this.#table;
        table.scrollTop = scrolledTo({
            row, top: table.scrollTop, height: this.#viewHeight, rowHeight: this.#rowHeight, isCentred,
        });
        return true;
    }

    /** Highlights a row; null ends it. */
    highlight(key) {
        for (const [other, { node }] of this.#rows) node.toggleAttribute("data-highlighted", other === key);
        this.#highlighted = key;
    }

    /** Moves the focus to a row, or to the first one where the table does not have it. */
    focus(key) {
        this.#setActive(this.#places.has(key) ? key : (this.#layers[0]?.key ?? null));
        if (this.#active === null) return;
        this.reveal(this.#active);
        this.rowsInView();
        const { node } = this.#rows.get(this.#active);
        node.focus({ preventScroll: true });
        node.scrollIntoView({ block: "nearest", inline: "nearest" });
        this.#actions.requestPaint();
    }

    /** The layer `by` rows below another; undefined beyond the ends. */
    neighbour(key, by) {
        const place = this.#places.get(key);
        return place === undefined ? this.#layers[0] : this.#layers[place + by];
    }

    #row(layer) {
        let row = this.#rows.get(layer.key);
        if (row === undefined) {
            row = new LayerRow(this.#names, this.#theme);
            this.#rows.set(layer.key, row);
            this.#keyByNode.set(row.node, layer.key);
            row.node.toggleAttribute("data-highlighted", layer.key === this.#highlighted);
            this.#body.append(row.node);
        }
        const place = this.#places.get(layer.key);
        const top = `${place * this.#rowHeight}px`;
        if (row.node.style.top !== top) row.node.style.top = top;
        setAttribute(row.node, "aria-rowindex", String(place + 2));
        row.node.tabIndex = layer.key === this.#active ? 0 : -1;
        return row;
    }

    /** The nodes in the order of their rows, for screen readers; the focus stays. */
    #sortNodes() {
        const indexOf = (node) => Number(node.getAttribute("aria-rowindex"));
        const nodes = [...this.#body.children];
        const isSorted = nodes.every((node, index) => index === 0 || indexOf(nodes[index - 1]) < indexOf(node));
        if (isSorted) return;
        const focused = this.#body.contains(document.activeElement) ? document.activeElement : null;
        nodes.sort((a, b) => indexOf(a) - indexOf(b)).forEach((node, index) => {
            if (this.#body.children[index] !== node) this.#body.insertBefore(node, this.#body.children[index]);
        });
        if (document.activeElement !== focused) focused?.focus({ preventScroll: true });
    }

    #measure() {
        const style = getComputedStyle(this.#table);
        const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
        const most = Number.parseFloat(style.maxHeight);
        const titleHeight = this.#table.firstElementChild.offsetHeight;
        this.#rowHeight = titleHeight > 0 ? Number.parseFloat(style.getPropertyValue("--row-height")) * rem : 0;
        this.#viewHeight = (Number.isFinite(most) ? most : window.innerHeight) - titleHeight;
        this.#actions.requestPaint();
    }

    /** Observes the size of a canvas, which is that of all curves. */
    #observeCurve() {
        const canvas = this.#body.querySelector("canvas");
        if (canvas === this.#measuredCanvas) return;
        this.#curveSizes.disconnect();
        this.#measuredCanvas = canvas;
        if (canvas !== null) this.#curveSizes.observe(canvas);
    }

    #layerOf(node) {
        const key = this.#keyByNode.get(node.closest?.(".layer-row"));
        return key === undefined ? undefined : this.#layers[this.#places.get(key)];
    }

    #setActive(key) {
        if (key === null || key === this.#active) return;
        const before = this.#rows.get(this.#active);
        if (before !== undefined) before.node.tabIndex = -1;
        this.#active = key;
        const now = this.#rows.get(key);
        if (now !== undefined) now.node.tabIndex = 0;
    }

    #open(layer) {
        this.#setActive(layer.key);
        this.#actions.open(layer);
    }

    #key(event) {
        if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
        const layer = this.#layerOf(event.target);
        if (layer === undefined) return;
        const place = this.#places.get(layer.key);
        const last = this.#layers.length - 1;
        const target = {
            ArrowUp: place - 1, ArrowDown: place + 1, PageUp: place - PAGE, PageDown: place + PAGE, Home: 0, End: last,
        }[event.key];
        if (event.key === "Enter") this.#open(layer);
        else if (target !== undefined) this.focus(this.#layers[Math.min(last, Math.max(0, target))].key);
        else return;
        event.preventDefault();
    }
}
