// The table of the selected run's layers.

import { offeredMetrics } from "../heatmap/data/choices.js";
import { metricValue, postedNames } from "../model/derived.js";
import { formatCount } from "../model/format.js";
import { keepSetting, setting } from "../settings.js";
import { element, setHidden, setText } from "../view/dom.js";
import { LayerAlerts } from "./data/alerts.js";
import {
    DEFAULT_SORT, FEW_METRICS, FIRST_METRICS, MOST_METRICS, sortAfterClick, tableMetrics,
} from "./data/choices.js";
import { NO_FILTER, bestMatch, groupOf } from "./data/filter.js";
import { RowOrder } from "./data/row-order.js";
import { parsedState, tableState } from "./data/state.js";
import { LayerData } from "./data/table-data.js";
import { FilterControls, MetricMenu } from "./page/controls.js";
import { TableView } from "./page/table-view.js";

/** Buckets of a curve. */
const POINTS = 100;
const METRICS_SETTING = "layers.metrics";

export class LayerTable {
    #actions;
    #section = element("layers");
    #count = element("layers-count");
    #note = element("layers-note");
    #run = null;
    #description = null;
    /** The names that the user chose, or null; those of an address come before the setting. */
    #chosen = setting(METRICS_SETTING, null);
    /** The metrics of the table, and those that this run was opened with. */
    #metrics = [];
    #firstMetrics = null;
    #alerts = new LayerAlerts();
    #knowsFindings = false;
    #sort = DEFAULT_SORT;
    #controls;
    #menu;
    #view;
    #data;
    /** The structure of the last viewed step that had layers, or null. */
    #structure = null;
    /** The structure whose types and groups can be chosen. */
    #offeredOf = null;
    #order = new RowOrder();
    #isNear = false;

    /**
     * `actions`: `requestPaint()`, `open(layer)` for the layer that the user opened, and `onState()` when what `state`
     * has changed.
     */
    constructor(actions) {
        this.#actions = actions;
        this.#data = new LayerData("table", POINTS, actions.requestPaint);
        this.#controls = new FilterControls({
            change: () => this.#changed(),
            enter: () => this.#openBest(),
            down: () => this.#view.focus(this.#arranged[0]?.key),
        });
        this.#menu = new MetricMenu((names) => this.#choose(names));
        this.#view = new TableView({
            requestPaint: actions.requestPaint,
            sort: (column, metric) => {
                this.#sort = sortAfterClick(this.#sort, column, metric);
                this.#changed();
            },
            open: actions.open,
        });
        new IntersectionObserver((entries) => {
            // One call may have several changes; the last is what holds now.
            this.#isNear = entries.at(-1).isIntersecting;
            actions.requestPaint();
        }, { rootMargin: "200px" }).observe(this.#section);
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#description = null;
        this.#metrics = [];
        this.#firstMetrics = null;
        this.#alerts = new LayerAlerts();
        this.#knowsFindings = false;
        this.#structure = null;
        this.#order.reset();
        this.#data.select(run);
        this.#view.clear();
        this.clear();
    }

    /** The server's description of the run, or of what changed. */
    describe(description) {
        this.#description = { ...this.#description, ...description };
    }

    /** The server's health answer of the run; null if it could not be read. */
    takeHealth(health) {
        this.#knowsFindings = true;
        if (health !== null) this.#alerts = new LayerAlerts(health);
        this.#actions.requestPaint();
    }

    /** The findings by layer. */
    get alerts() {
        return this.#alerts;
    }

    /** The metrics of the run, `{ name, isDerived }`; those of the table come first. */
    get metrics() {
        const others = this.#offered.filter((metric) => !this.#metrics.some(({ name }) => name === metric.name));
        return [...this.#metrics, ...others];
    }

    /** The posted metrics whose values the table shows; before the run is known those that most runs have. */
    get watchedMetrics() {
        if (this.#metrics.length > 0) return this.#metrics.flatMap(postedNames);
        return this.#chosen ?? [...FIRST_METRICS];
    }

    get theme() {
        return this.#view.theme;
    }

    /** Paints, and reads what is due. `record` is that of the viewed step. */
    show(record, isConnected) {
        this.#data.follow();
        if (record.structure.length > 0) this.#structure = record.structure;
        const structure = this.#structure;
        setHidden(this.#section, structure === null);
        if (structure === null) return;
        this.#chooseMetrics();
        this.#arrange(structure, record);
        this.#view.setMetrics(this.#metrics.map(({ name }) => name), this.#sort);
        const rows = this.#view.rowsInView();
        this.#paint(rows, record);
        this.#data.update({
            layers: rows.map(([layer]) => layer.id), metrics: this.#metrics, sort: this.#sort, count: structure.length,
            isConnected, isVisible: this.#isNear,
        });
        const isEmpty = record.structure.length === 0;
        const note = this.#data.failure || (isEmpty ? `Step ${formatCount(record.step)} has no layers.` : "");
        setText(this.#note, note);
        setHidden(this.#note, note === "");
    }

    clear() {
        setHidden(this.#section, true);
    }

    /**
     * Highlights the row of a layer in the view of the table; a filter that hides it is taken back. Null ends the
     * highlight. `isCentred`: in the middle of the view. Returns whether the layer has a row.
     */
    reveal(layerId, { isCentred = true } = {}) {
        const layer = this.layer(layerId);
        this.#view.highlight(layer?.key ?? null);
        if (layer === undefined) return false;
        if (!this.#arranged.includes(layer)) {
            this.#controls.filter = NO_FILTER;
            this.#changed();
            this.#arrange(this.#structure, this.#run.shownRecord);
        }
        return this.#view.reveal(layer.key, { isCentred });
    }

    /** The layer with this id of the viewed step, or undefined; null is none. */
    layer(id) {
        return id === null ? undefined : this.#structure?.layers[this.#structure.indexOf(id)];
    }

    /** The layer that is `by` rows below another; undefined beyond the ends. */
    neighbour(layer, by) {
        this.#arrange(this.#structure, this.#run.shownRecord);
        return this.#view.neighbour(layer.key, by);
    }

    /** Moves the focus to the row of a layer. */
    focus(layer) {
        this.#view.focus(layer.key);
    }

    /** What an address keeps: short texts, only what differs from the default. */
    get state() {
        return tableState({ sort: this.#sort, filter: this.#controls.filter, metrics: this.#chosen });
    }

    restore(state) {
        const { sort, filter, metrics } = parsedState(state);
        this.#sort = sort;
        this.#controls.filter = filter;
        if (metrics !== undefined) this.#chosen = metrics;
        this.#actions.requestPaint();
    }

    get #offered() {
        return this.#description === null ? [] : offeredMetrics(this.#description);
    }

    #changed() {
        this.#actions.onState?.();
        this.#actions.requestPaint();
    }

    #choose(names) {
        this.#chosen = names;
        keepSetting(METRICS_SETTING, names);
        this.#changed();
    }

    /** Without a choice the metrics stay those with which the run was opened: findings come and go. */
    #chooseMetrics() {
        const offered = this.#offered;
        if (offered.length === 0 || !this.#knowsFindings) return;
        if (this.#firstMetrics === null || this.#firstMetrics.length < FEW_METRICS) {
            this.#firstMetrics = tableMetrics(offered, null, this.#alerts.metric);
        }
        const metrics = this.#chosen === null ? this.#firstMetrics : tableMetrics(offered, this.#chosen, null);
        if (JSON.stringify(metrics) !== JSON.stringify(this.#metrics)) this.#metrics = metrics;
        // A metric that left the table takes the order with it.
        if (this.#sort.metric !== null && this.#sortMetric === undefined) this.#sort = DEFAULT_SORT;
        this.#menu.show(offered, metrics.map(({ name }) => name), MOST_METRICS);
    }

    #arrange(structure, record) {
        if (structure !== this.#offeredOf) this.#offerChoices(structure);
        const { filter } = this.#controls;
        const hasChanged = this.#order.update({
            structure, filter, sort: this.#sort, alerts: this.#alerts, version: this.#data.version, record,
            isPaused: this.#run.player.isPaused, now: Date.now(),
            numberOf: this.#sortNumbers(record),
        });
        if (!hasChanged) return;
        const { layers } = this.#order;
        this.#view.arrange(layers);
        const all = formatCount(structure.length);
        setText(this.#count, layers.length === structure.length ? all : `${formatCount(layers.length)} of ${all}`);
    }

    /** The layers in the order of the rows. Applies a filter that was typed since the last paint. */
    get #arranged() {
        if (this.#structure !== null) this.#arrange(this.#structure, this.#run.shownRecord);
        return this.#order.layers;
    }

    #offerChoices(structure) {
        this.#offeredOf = structure;
        const { layers } = structure;
        const sorted = (texts) => [...new Set(texts)].filter((text) => text !== "").sort(collator.compare);
        this.#controls.offer(sorted(layers.map(({ type }) => type)), sorted(layers.map(groupOf)));
    }

    get #sortMetric() {
        return this.#metrics.find(({ name }) => name === this.#sort.metric);
    }

    /** The number of a layer by which the table is sorted. */
    #sortNumbers(record) {
        const { column } = this.#sort;
        if (column === "min" || column === "max") return (layer) => this.#data.wholeRun(layer.id);
        const metric = this.#sortMetric;
        const valueOf = (index) => (metric === undefined ? undefined : metricValue(record, metric, index));
        if (column === "now") return (layer, index) => valueOf(index);
        return (layer, index) => {
            const median = this.#data.wholeRun(layer.id);
            const value = valueOf(index);
            return value === undefined || median === undefined ? undefined : Math.abs(value) / median;
        };
    }

    #paint(rows, record) {
        const { structure } = record;
        const size = this.#view.curveSize;
        const step = this.#run.viewedRecord?.step;
        for (const [layer, row] of rows) {
            row.describe(layer, this.#alerts.worst(layer.id));
            const series = this.#data.series(layer.id);
            const column = series === undefined || step === undefined ? -1 : series.columnOf(step);
            const index = structure.indexOf(layer.key);
            this.#metrics.forEach((metric, position) => {
                const curve = this.#data.curve(layer.id, metric.name);
                const now = index < 0 ? undefined : metricValue(record, metric, index);
                const { min, max, median } = curve?.summary ?? {};
                const change = Number.isFinite(now) && median !== undefined ? Math.abs(now) / median : undefined;
                row.showNumbers(position, { min, max, now, change, median });
                if (size !== null) row.paint(position, curve, column, size);
            });
        }
    }

    #openBest() {
        const best = bestMatch(this.#arranged, this.#controls.filter.text);
        if (best !== undefined) this.#actions.open(best);
    }
}

const collator = new Intl.Collator("en", { numeric: true });
