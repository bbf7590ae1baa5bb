// One layer on screen. The nodes are created once; a step changes only their text and the trends.

import { columnOf } from "../model/metrics.js";
import { exactNumber, formatNumber, formatShape } from "../model/format.js";
import { trendValues } from "../model/trend.js";
import { instantiate, setText } from "./dom.js";
import { Sparkline } from "./sparkline.js";

const TRENDS = [
    { metric: "activation_std", colour: "std", logarithmic: false },
    { metric: "gradient_l2_norm", colour: "gradient", logarithmic: true },
];

export class LayerCard {
    #figures;
    #trends;
    #shape;
    #kind;
    /** Whether the card is on screen; trends of others are not painted. */
    isVisible = false;

    constructor(key) {
        this.key = key;
        this.node = instantiate("card-template");
        this.#kind = {
            id: this.node.querySelector(".card-id"),
            depth: this.node.querySelector(".card-depth"),
            type: this.node.querySelector(".card-type"),
            shape: this.node.querySelector(".card-shape"),
        };
        // No number equals this marker, so the first value is always written.
        this.#figures = [...this.node.querySelectorAll("[data-metric]")].map((node) => ({
            node,
            column: columnOf(node.dataset.metric),
            shown: null,
            isDetail: node.tagName === "DD",
        }));
        this.#trends = TRENDS.map(({ metric, colour, logarithmic }) => {
            const canvas = this.node.querySelector(`[data-trend="${metric}"]`);
            return { canvas, colour, column: columnOf(metric), sparkline: new Sparkline(canvas, { logarithmic }) };
        });
    }

    get canvases() {
        return this.#trends.map((trend) => trend.canvas);
    }

    resize(canvas, width, height) {
        this.#trends.find((trend) => trend.canvas === canvas)?.sparkline.resize(width, height);
    }

    /** Frees the pixels of the trends. */
    release() {
        this.#trends.forEach((trend) => trend.sparkline.release());
    }

    /** Name, type, depth and shape. */
    describe(layer) {
        this.node.dataset.layer = layer.id;
        this.node.dataset.depth = layer.depth;
        setText(this.#kind.id, layer.id);
        setText(this.#kind.depth, `depth ${layer.depth}`);
        setText(this.#kind.type, layer.type);
        if (this.#shape !== layer.shape) {
            this.#shape = layer.shape;
            setText(this.#kind.shape, formatShape(layer.shape));
        }
    }

    /** The numbers of a step; `layerIndex` is the layer's position in it. */
    showValues(record, layerIndex) {
        for (const figure of this.#figures) {
            const value = record.value(layerIndex, figure.column);
            if (Object.is(value, figure.shown)) continue;
            figure.shown = value;
            figure.node.textContent = formatNumber(value);
            figure.node.dataset.value = exactNumber(value);
            figure.node.dataset.broken = typeof value === "number" && !Number.isFinite(value);
            // A layer without a bias has no row for it.
            if (figure.isDetail) figure.node.parentElement.hidden = value === undefined;
        }
    }

    /** The trends up to the viewed step of a run. */
    paintTrends({ history, viewedIndex, trends }, palette) {
        for (const trend of this.#trends) {
            const values = trendValues(history, this.key, trend.column, viewedIndex, undefined, trends);
            trend.sparkline.paint(values, palette.trend(trend.colour));
        }
    }
}
