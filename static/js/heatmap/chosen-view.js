// What the heatmap shows of a run: what the page's address wants, otherwise what the user chose before in this browser,
// otherwise what suited the run when it was opened.

import { stepOf } from "../address/address.js";
import { keepSetting, setting } from "../settings.js";
import { colouringToShow, metricToShow } from "./data/choices.js";

const COLOURINGS = Object.freeze(["ratio", "value"]);

export class ChosenView {
    #userMetric = setting("heatmap.metric", null);
    #userColouring = setting("heatmap.colouring", null);
    /** What the address wants: `{ metric, colouring, layers }`, each null for none. It holds for one run. */
    #wanted = wantedOf({});
    #firstMetric = null;
    #firstColouring = null;

    /** The metric and the colouring in view; null until they are known. */
    metric = null;
    colouring = null;

    /** Another run was selected. */
    select() {
        this.#wanted = wantedOf({});
        this.#firstMetric = null;
        this.#firstColouring = null;
        this.metric = null;
        this.colouring = null;
    }

    chooseMetric(name) {
        this.#wanted.metric = null;
        this.#userMetric = name;
        keepSetting("heatmap.metric", name);
    }

    chooseColouring(name) {
        this.#wanted.colouring = null;
        this.#userColouring = name;
        keepSetting("heatmap.colouring", name);
    }

    /** The metric to show, of those that the run has; null until the findings are known. */
    metricOf(offered, { knowsFindings, findings }) {
        const names = offered.map(({ name }) => name);
        this.metric = [this.#wanted.metric, this.#userMetric].find((name) => names.includes(name)) ?? null;
        if (this.metric === null && knowsFindings) {
            this.metric = this.#firstMetric ??= metricToShow(offered, findings.metric);
        }
        return this.metric;
    }

    colouringOf(matrix, findings) {
        this.#firstColouring ??= colouringToShow(matrix, findings);
        this.colouring = this.#wanted.colouring ?? this.#userColouring ?? this.#firstColouring;
        return this.colouring;
    }

    /** The part of the page's address; `ids` are those of the layers. */
    state({ layers: [begin, end], canZoomOutLayers, range }, ids) {
        const shown = canZoomOutLayers && ids.length > 0 ? { first: ids[begin], last: ids[end - 1] } : {};
        const state = {
            metric: this.metric ?? this.#wanted.metric, colour: this.colouring ?? this.#wanted.colouring,
            from: range.from?.toString(), to: range.to?.toString(), ...(this.#wanted.layers ?? shown),
        };
        return Object.fromEntries(Object.entries(state).filter(([, value]) => value !== null && value !== undefined));
    }

    /** Shows what the address wants; its layers are shown by `applyLayers`, when they are known. */
    restore(state, viewpoint) {
        this.#wanted = wantedOf(state);
        viewpoint.showAll();
        const range = { from: stepOf(state.from), to: stepOf(state.to) };
        const isRange = range.from !== null || range.to !== null;
        const isOrdered = range.from === null || range.to === null || range.from <= range.to;
        if (isRange && isOrdered) viewpoint.showSteps(range);
    }

    /** Shows the wanted layers. `ids` are those of the layers; unknown ones are ignored. */
    applyLayers(viewpoint, ids) {
        if (this.#wanted.layers === null || ids.length === 0) return;
        const [first, last] = ["first", "last"].map((end) => ids.indexOf(this.#wanted.layers[end]));
        this.#wanted.layers = null;
        if (first >= 0 && last >= first) viewpoint.showLayers(first, last);
    }
}

function wantedOf({ metric = null, colour, first, last }) {
    const layers = first === undefined || last === undefined ? null : { first, last };
    return { metric, colouring: COLOURINGS.includes(colour) ? colour : null, layers };
}
