// The view of one layer: its values at the viewed step, its metrics over the whole run, its findings.

import { metricValue } from "../model/derived.js";
import { LayerData } from "./data/table-data.js";
import { PanelView } from "./panel/panel-view.js";
import { LayerValues } from "./panel/values.js";

/** Buckets of a chart, and charts. */
const POINTS = 150;
const MOST_CHARTS = 100;

export class LayerPanel {
    #actions;
    #view;
    #data;
    #values;
    #run = null;
    #layer = null;

    /** The id of the opened layer, or null. */
    layerId = null;

    /**
     * `actions`: `seekStep(step)`, `requestPaint()`, `theme`, `neighbour(layer, by)` for the next layer of the table,
     * `opened(layerId)` after a move to another layer, `closed(layer)`, and optionally `onState()`.
     */
    constructor(actions) {
        this.#actions = actions;
        this.#data = new LayerData("panel", POINTS, actions.requestPaint);
        this.#values = new LayerValues(actions.requestPaint);
        this.#view = new PanelView({ ...actions, close: () => this.close(), move: (by) => this.#move(by) });
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#data.select(run);
        if (this.layerId !== null) this.#forget();
    }

    /** Opens a layer of the selected run. */
    open(layerId) {
        if (this.#run === null) return;
        if (layerId !== this.layerId) {
            this.layerId = layerId;
            this.#layer = null;
            this.#view.clear();
            this.#values.select(this.#run.id, layerId);
            this.#actions.onState?.();
        }
        this.#view.open();
        this.#actions.requestPaint();
    }

    /** The focus returns to the row of the layer. */
    close() {
        if (this.layerId === null) return;
        const layer = this.#layer;
        this.#forget();
        this.#actions.onState?.();
        if (layer !== null) this.#actions.closed(layer);
    }

    #forget() {
        this.layerId = null;
        this.#layer = null;
        this.#view.close();
    }

    #move(by) {
        const next = this.#layer === null ? undefined : this.#actions.neighbour(this.#layer, by);
        if (next !== undefined) this.#actions.opened(next.id);
    }

    /**
     * Paints, and reads what is due. `record` is that of the viewed step, `layer` the opened one in its structure or
     * undefined, `metrics` those of the run, the most important first, `alerts` the findings by layer.
     */
    show({ record, layer, metrics, alerts, isConnected }) {
        if (this.layerId === null) return;
        if (layer !== undefined) this.#layer = layer;
        const shown = metrics.slice(0, MOST_CHARTS);
        this.#data.follow();
        this.#data.update({ layers: [this.layerId], metrics: shown, isConnected, isVisible: true });
        if (isConnected && !this.#run.isMissing) this.#values.update(record, !this.#run.player.isPaused, Date.now());
        const series = this.#data.series(this.layerId);
        const ofLayer = alerts.of(this.layerId);
        this.#view.describe(this.layerId, layer, {
            note: this.#note(series, layer, metrics.length),
            hasPrevious: this.#layer !== null && this.#actions.neighbour(this.#layer, -1) !== undefined,
            hasNext: this.#layer !== null && this.#actions.neighbour(this.#layer, 1) !== undefined,
        });
        this.#view.showFindings(ofLayer);
        if (series !== undefined) this.#showCharts(series, record, shown, ofLayer, isConnected);
    }

    #showCharts(series, record, metrics, alerts, isConnected) {
        // Until the values of this step are read those of the step before stay, with its number; without a connection
        // the page has what the table shows.
        const isRead = this.#values.isOf(record) || (isConnected && this.#values.step !== null);
        const index = this.#layer === null ? -1 : record.structure.indexOf(this.#layer.key);
        const valueOf = (metric) => (isRead ? this.#values.of(metric) : metricValue(record, metric, index));
        const sick = new Set(alerts.filter(({ isOpen }) => isOpen).map(({ metric }) => metric));
        const entries = metrics
            .map((metric) => ({ metric, curve: this.#data.curve(this.layerId, metric.name) }))
            .filter(({ curve }) => curve !== null && curve.summary.count > 0)
            .map(({ metric, curve }) => ({ metric: metric.name, value: valueOf(metric), curve }));
        const isSick = ({ metric }) => sick.has(metric);
        const ordered = [...entries.filter(isSick), ...entries.filter((entry) => !isSick(entry))];
        const step = this.#run.viewedRecord?.step;
        const column = step === undefined ? -1 : series.columnOf(step);
        this.#view.showCharts(isRead ? this.#values.step : record.step, ordered, { series, column, alerts });
    }

    #note(series, layer, count) {
        if (this.#data.failure !== "") return this.#data.failure;
        if (series === undefined) return "Reading the layer's metrics";
        if (layer === undefined) return "The viewed step does not have this layer.";
        return count > MOST_CHARTS ? `The first ${MOST_CHARTS} of ${count} metrics are drawn.` : "";
    }
}
