// The heatmap's elements on the page: canvases, choices, legend, readout, table; and what the user does with them.

import { element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { CellCanvas, MarkCanvas } from "./canvas.js";
import { Gestures } from "./gestures.js";
import { Legend } from "./legend.js";
import { HeatmapTheme } from "./theme.js";

export class HeatmapView {
    #section = element("heatmap");
    #plot = element("heatmap-plot");
    #cells = new CellCanvas(element("heatmap-cells"));
    #marks = new MarkCanvas(element("heatmap-marks"));
    #metric = element("heatmap-metric");
    #colour = element("heatmap-colour");
    #readout = element("heatmap-readout");
    #status = element("heatmap-status");
    #details = element("heatmap-details");
    #caption = element("heatmap-caption");
    #rows = element("heatmap-rows");
    #legend = new Legend();
    #painted = "";
    #tabled = "";
    #width = 0;
    theme;
    gestures;

    /**
     * `actions`: `requestPaint()`, `chooseMetric()` and `chooseColouring()` after the user chose, `key(event)` returns
     * whether it was used, `zoom(name)` for a button, and those of `Gestures`.
     */
    constructor(actions) {
        this.theme = new HeatmapTheme(actions.requestPaint);
        this.gestures = new Gestures(this.#plot, actions);
        this.#metric.addEventListener("change", actions.chooseMetric);
        this.#colour.addEventListener("change", actions.chooseColouring);
        this.#plot.addEventListener("keydown", (event) => {
            if (!event.ctrlKey && !event.altKey && !event.metaKey && actions.key(event)) event.preventDefault();
        });
        for (const name of ["focus", "blur"]) this.#plot.addEventListener(name, actions.requestPaint);
        this.#details.addEventListener("toggle", actions.requestPaint);
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
        return this.#width;
    }

    get ratio() {
        return Math.min(3, window.devicePixelRatio || 1);
    }

    /** Height that the cells may take: what leaves the rest of the first screen visible. */
    get room() {
        return Math.round(Math.min(440, Math.max(200, window.innerHeight * 0.42)));
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

    get hasOpenTable() {
        return this.#details.open;
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

    setZoom({ canZoomIn, canZoomOutLayers, canZoomOutSteps, isZoomed }) {
        const allowed = {
            "layers-in": canZoomIn, "layers-out": canZoomOutLayers, "steps-in": canZoomIn, "steps-out": canZoomOutSteps,
            all: isZoomed,
        };
        for (const button of this.#section.querySelectorAll("[data-zoom]")) button.disabled = !allowed[button.dataset.zoom];
    }

    /** Removes the picture of a run that is no longer selected. */
    clear() {
        this.#painted = "";
        this.#tabled = "";
        setText(this.#readout, "");
        this.#rows.replaceChildren();
    }

    /** `pictureKey` changes when the cells do. */
    paint(model, pictureKey) {
        const colours = this.theme.colours(model.scale.colours);
        const key = `${pictureKey} ${colours.key} ${model.geometry.width}x${model.geometry.plotHeight}@${model.ratio}`;
        if (key !== this.#painted) {
            this.#painted = key;
            this.#plot.style.height = `${model.geometry.height}px`;
            this.#plot.style.setProperty("--heatmap-left", `${model.geometry.left}px`);
            this.#cells.paint({ ...model, colours });
            this.#legend.show(model.scale, colours);
        }
        this.#marks.paint({ ...model, colours });
    }

    /** The cell that is described, and the position of the cursor for assistive technology. */
    describe({ text, valueText, columns, cursor }) {
        setText(this.#readout, text);
        setAttribute(this.#plot, "aria-valuemax", String(Math.max(0, columns - 1)));
        setAttribute(this.#plot, "aria-valuenow", String(Math.max(0, cursor)));
        setAttribute(this.#plot, "aria-valuetext", valueText);
    }

    /** Fills the table; `key` changes when its content does. */
    showTable(key, caption, rows) {
        if (key === this.#tabled) return;
        this.#tabled = key;
        setText(this.#caption, caption);
        this.#rows.replaceChildren(...rows.map(({ layer, value, ratio, finding }) => {
            const row = document.createElement("tr");
            const head = document.createElement("th");
            head.scope = "row";
            head.textContent = layer;
            row.append(head, ...[value, ratio, finding].map((text) => {
                const cell = document.createElement("td");
                cell.textContent = text;
                return cell;
            }));
            return row;
        }));
    }
}
