// What the table reads of a run: the series of the rows in view, and a number of all layers while it is sorted by one.

import { RunReads } from "../../feed/reads.js";
import { Curve } from "../picture/curve.js";
import { SeriesSource } from "./series-source.js";
import { WholeRun } from "./whole-run.js";

/** The columns that need a number of all layers over the whole run. */
const WHOLE_RUN_COLUMNS = new Set(["min", "max", "change"]);

export class LayerData {
    #run = null;
    #reads = null;
    #abort = new AbortController();
    #generation = 0;
    #source;
    #wholeRun;
    #name;
    #onChange;
    /** `LayerSeries` to the curves of its metrics. */
    #curves = new WeakMap();

    /** An error to show, or "". */
    failure = "";

    /** `name` is that of this reader of the run's changes, `points` most buckets of a curve. */
    constructor(name, points, onChange) {
        this.#name = name;
        this.#source = new SeriesSource(points);
        this.#wholeRun = new WholeRun(onChange);
        this.#onChange = onChange;
    }

    /** Shows another run, a `SelectedRun`. */
    select(run) {
        this.#run = run;
        this.failure = "";
        this.#restart();
    }

    /** Takes what changed in the run. */
    follow() {
        if (this.#run.generation !== this.#generation) this.#restart();
        const changed = this.#run.takeChangedFrom(this.#name);
        if (changed === null) return;
        this.#source.changed(changed);
        this.#wholeRun.changed();
    }

    /** Increases when numbers of `wholeRun` were read. */
    get version() {
        return this.#wholeRun.version;
    }

    /** The least or greatest number of a layer, or its median, while the table is sorted by it; undefined if unread. */
    wholeRun(layerId) {
        return this.#wholeRun.of(layerId);
    }

    /** The series of a layer, or undefined. */
    series(layerId) {
        return this.#source.of(layerId);
    }

    /** The curve of a metric; null until it is read, and if the layer has no such metric. */
    curve(layerId, metric) {
        const series = this.#source.of(layerId);
        if (series === undefined) return null;
        if (!this.#curves.has(series)) this.#curves.set(series, new Map());
        const curves = this.#curves.get(series);
        if (!curves.has(metric)) {
            const lists = series.of(metric);
            curves.set(metric, lists === undefined ? null : new Curve(metric, lists, series.length));
        }
        return curves.get(metric);
    }

    /**
     * Reads what is due. `layers` are the ids in view, `metrics` those of the table, `{ name, isDerived }`; `sort` that
     * of the table or null, `count` the number of all layers; `isVisible` whether it is on screen.
     */
    update({ layers, metrics, sort = null, count = 1, isConnected, isVisible }) {
        const { isLoading, isMissing, player } = this.#run;
        const state = {
            now: Date.now(), isFollowing: !player.isPaused,
            canRead: isConnected && isVisible && !document.hidden && !isLoading && !isMissing,
        };
        const read = this.#source.next({ ...state, layers, metrics: metrics.map(({ name }) => name) });
        if (read !== null) this.#readSeries(read);
        const metric = metrics.find(({ name }) => name === sort?.metric);
        if (metric === undefined || !WHOLE_RUN_COLUMNS.has(sort.column)) return;
        this.#wholeRun.update({ ...state, sort, isDerived: metric.isDerived, layers: count });
    }

    #restart() {
        this.#abort.abort();
        this.#abort = new AbortController();
        this.#reads = new RunReads(this.#run.id, this.#abort.signal);
        this.#generation = this.#run.generation;
        this.#source.reset();
        this.#wholeRun.select(this.#run.id);
    }

    async #readSeries({ take, fail, ...query }) {
        const { signal } = this.#abort;
        try {
            const answer = await this.#reads.series(query);
            if (signal.aborted) return;
            take(answer);
            this.failure = "";
        } catch (error) {
            if (signal.aborted) return;
            fail(Date.now());
            // A TypeError of fetch is a lost connection, which the mark shows; 404 is a run that was removed.
            const isShown = !(error instanceof TypeError) && error.status !== 404;
            if (isShown) this.failure = `The curves could not be read: ${error.message}. They are read again in 5 s.`;
        }
        this.#onChange();
    }
}
