// The heatmap's elements on the page: canvases, names, choices, legend, readout, table; and what the user does with
// them.

import { element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { CellCanvas, MarkCanvas } from "./canvas.js";
import { Gestures } from "./gestures.js";
import { Legend } from "./legend.js";
import { FoldedTable } from "./table.js";
import { HeatmapTheme } from "./theme.js";

export class HeatmapView {
    #section = element("heatmap");
    #frame = element("heatmap-frame");
    #plot = element("heatmap-plot");
    #tree = element("heatmap-tree");
    #item = element("heatmap-tree-item");
    #foldZoom = element("heatmap-folds");
    #cells = new CellCanvas(element("heatmap-cells"));
    #marks = new MarkCanvas(element("heatmap-marks"));
    #metric = element("heatmap-metric");
    #colour = element("heatmap-colour");
    #readout = element("heatmap-readout");
    #status = element("heatmap-status");
    #table;
    #legend = new Legend();
    #painted = "";
    #width = 0;
    theme;
    gestures;

    /**
     * `actions`: `requestPaint()`, `chooseMetric()` and `chooseColouring()` after the user chose, `key(event)` returns
     * whether it was used, and `treeKey(event)` for a key on the names; `zoom(name)` for a button, and those of
     * `Gestures`.
     */
    constructor(actions) {
        this.theme = new HeatmapTheme(actions.requestPaint);
        const focus = (area) => {
            const target = area === "names" && !this.#tree.hidden ? this.#tree : this.#plot;
            target.focus({ preventScroll: true });
        };
        this.gestures = new Gestures(this.#frame, { ...actions, focus });
        this.#table = new FoldedTable("heatmap-details", actions.requestPaint);
        this.#metric.addEventListener("change", actions.chooseMetric);
        this.#colour.addEventListener("change", actions.chooseColouring);
        for (const [target, apply] of [[this.#plot, actions.key], [this.#tree, actions.treeKey]]) {
            target.addEventListener("keydown", (event) => {
                if (!event.ctrlKey && !event.altKey && !event.metaKey && apply(event)) event.preventDefault();
            });
            for (const name of ["focus", "blur"]) target.addEventListener(name, actions.requestPaint);
        }
        for (const button of this.#section.querySelectorAll("[data-zoom]")) {
            button.addEventListener("click", () => actions.zoom(button.dataset.zoom));
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

    /** Height that the cells may take: what leaves the rest of the first screen visible. */
    get room() {
        return Math.round(Math.min(440, Math.max(200, window.innerHeight * 0.36)));
    }

    get metric() {
        return this.#metric.value;
    }

    set metric(name) {
        this.#metric.value = name;
    }

    get colouring() {
        return this.#colour.value;
    }

    set colouring(name) {
        this.#colour.value = name;
    }

    get isFocused() {
        return document.activeElement === this.#plot;
    }

    /** Whether the names have it. */
    get isTreeFocused() {
        return document.activeElement === this.#tree;
    }

    get hasOpenTable() {
        return this.#table.isOpen;
    }

    setShown(isShown) {
        setHidden(this.#section, !isShown);
    }

    setStatus(text) {
        setText(this.#status, text);
        setHidden(this.#status, text === "");
    }

    /** Offers these metrics, `[{ name, isDerived }]`. */
    setMetrics(metrics) {
        const shown = [...this.#metric.options].map((option) => option.value);
        if (shown.length === metrics.length && metrics.every(({ name }, index) => name === shown[index])) return;
        const chosen = this.#metric.value;
        this.#metric.replaceChildren(...metrics.map(({ name, isDerived }) => {
            return new Option(isDerived ? `${name} (derived)` : name, name);
        }));
        if (metrics.some(({ name }) => name === chosen)) this.#metric.value = chosen;
    }

    /** Which buttons can be used, by the `Viewpoint` and the `Outline`. */
    setZoom(canZoomIn, { canZoomOutLayers, canZoomOutSteps, isZoomed }, { canFold, canUnfold }) {
        const allowed = {
            "layers-in": canZoomIn, "layers-out": canZoomOutLayers, "steps-in": canZoomIn, "steps-out": canZoomOutSteps,
            all: isZoomed, "fold-all": canFold, "unfold-all": canUnfold,
        };
        for (const button of this.#section.querySelectorAll("[data-zoom]")) button.disabled = !allowed[button.dataset.zoom];
    }

    /** Removes the picture of a run that is no longer selected. */
    clear() {
        this.#painted = "";
        setText(this.#readout, "");
        this.#table.clear();
    }

    /** Gives the plot the size of its picture. */
    layOut({ height, left }) {
        this.#plot.style.height = `${height}px`;
        this.#frame.style.setProperty("--heatmap-left", `${left}px`);
    }

    /** Returns the colours. `pictureKey` changes when the cells do. */
    paint(model, pictureKey) {
        const colours = this.theme.colours(model.scale.colours);
        const key = `${pictureKey} ${colours.key} ${model.geometry.width}x${model.geometry.plotHeight}@${model.ratio}`;
        if (key !== this.#painted) {
            this.#painted = key;
            this.layOut(model.geometry);
            this.#cells.paint({ ...model, colours });
            this.#legend.show(model.scale, colours);
        }
        this.#marks.paint({ ...model, colours });
        return colours;
    }

    /** The cell that is described, and the position of the cursor for assistive technology. */
    describe({ text, valueText, columns, cursor }) {
        setText(this.#readout, text);
        setAttribute(this.#plot, "aria-valuemax", String(Math.max(0, columns - 1)));
        setAttribute(this.#plot, "aria-valuenow", String(Math.max(0, cursor)));
        setAttribute(this.#plot, "aria-valuetext", valueText);
    }

    /** Offers the names as a tree with this item in focus, `{ text, level, isExpanded, position, count }`; or no tree. */
    showTree(item) {
        setHidden(this.#tree, item === null);
        setHidden(this.#foldZoom, item === null);
        if (item === null) return;
        setText(this.#item, item.text);
        const attributes = { "aria-level": item.level + 1, "aria-posinset": item.position, "aria-setsize": item.count };
        for (const [name, value] of Object.entries(attributes)) setAttribute(this.#item, name, String(value));
        if (item.isExpanded === null) this.#item.removeAttribute("aria-expanded");
        else setAttribute(this.#item, "aria-expanded", String(item.isExpanded));
    }

    /** Fills the table, see `FoldedTable`; `key` changes when its content does. */
    showTable(key, table) {
        this.#table.show(key, table);
    }
}
