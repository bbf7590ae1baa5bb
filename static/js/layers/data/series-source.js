// The series of the layers on screen: what is read, and when. It has no clock and no network of its own.

import { seriesOf } from "./series.js";

/** Layers in one read, and characters of their ids in its address. */
const MOST_LAYERS = 24;
const MOST_CHARACTERS = 4_000;
/** Least time between two reads of new steps, and after a failure (milliseconds). */
const INTERVAL = 2_000;
const AFTER_FAILURE = 5_000;
/** Buckets may grow beyond the points asked for by this factor before the whole is read again in wider ones. */
const GROWTH = 1.5;
/** Layers that are held, as a multiple of those on screen; the others are forgotten. */
const SPARE = 4;

export class SeriesSource {
    #points;
    /** Layer id to `{ series, metrics, changedFrom }`: `changedFrom` is the lowest step that changed since the read. */
    #entries = new Map();
    #isBusy = false;
    #readAt = -Infinity;
    #failedAt = -Infinity;
    /** The lowest step that changed since the last read began; null for none. */
    #changedSince = null;
    /** The last step that was read; reads while paused end there, so that all rows have the same range. */
    #end = null;
    /** Increases when everything is forgotten: the answer to an earlier read is then ignored. */
    #generation = 0;

    /** Increases with each answer. */
    version = 0;

    /** `points`: most buckets of a read of the whole run. */
    constructor(points) {
        this.#points = points;
    }

    /** The series of a layer, or undefined until it is read. */
    of(layerId) {
        return this.#entries.get(layerId)?.series;
    }

    /** Forgets everything: another run, or other steps. */
    reset() {
        this.#entries.clear();
        this.#generation += 1;
        this.#isBusy = false;
        this.#end = null;
        this.version += 1;
    }

    /** A step arrived or changed. */
    changed(step) {
        if (this.#changedSince === null || step < this.#changedSince) this.#changedSince = step;
        for (const entry of this.#entries.values()) {
            if (entry.changedFrom === null || step < entry.changedFrom) entry.changedFrom = step;
        }
    }

    /**
     * The read that is due, or null: `{ layers, metrics, from, to, points, take(answer), fail() }`. `state` is
     * `{ now, layers, metrics, canRead, isFollowing }`: `layers` the ids on screen, the most important first, `metrics`
     * names, `isFollowing` whether new steps are wanted: not while paused.
     */
    next({ now, layers, metrics, canRead, isFollowing }) {
        if (this.#isBusy || !canRead || metrics.length === 0 || now - this.#failedAt < AFTER_FAILURE) return null;
        this.#forgetOthers(layers);
        const missing = layers.filter((id) => !this.#hasAll(id, metrics));
        if (missing.length > 0) return this.#readWhole(missing, metrics, isFollowing, now);
        return isFollowing && now - this.#readAt >= INTERVAL ? this.#readNews(layers, metrics, now) : null;
    }

    #hasAll(id, metrics) {
        const known = this.#entries.get(id)?.metrics;
        return known !== undefined && metrics.every((metric) => known.has(metric));
    }

    #readWhole(layers, metrics, isFollowing, now) {
        const chosen = fitting(layers);
        const to = isFollowing ? undefined : (this.#end ?? undefined);
        return this.#read({ layers: chosen, metrics, to, points: this.#points }, now, (answer) => {
            for (const id of chosen) {
                const series = seriesOf(answer, id);
                this.#entries.set(id, { series, metrics: new Set(metrics), changedFrom: this.#changedSince });
            }
            const last = answer.last_steps.at(-1);
            if (last !== undefined && (this.#end === null || last > this.#end)) this.#end = last;
        });
    }

    /** A read of the buckets in which steps changed, for layers that have the same buckets. */
    #readNews(layers, metrics, now) {
        const stale = layers.filter((id) => this.#entries.get(id).changedFrom !== null);
        if (stale.length === 0) return null;
        const beginOf = (id) => {
            const { series, changedFrom } = this.#entries.get(id);
            const column = series.columnOf(changedFrom);
            return column < 0 || series.length > GROWTH * this.#points ? null : series.steps[column];
        };
        const from = beginOf(stale[0]);
        const chosen = fitting(stale.filter((id) => beginOf(id) === from));
        if (from === null) return this.#readWhole(chosen, metrics, true, now);
        const entries = chosen.map((id) => this.#entries.get(id));
        for (const entry of entries) entry.changedFrom = null;
        return this.#read({ layers: chosen, metrics, from, points: this.#points }, now, (answer) => {
            this.#end = answer.last_steps.at(-1) ?? this.#end;
            entries.forEach((entry, index) => {
                const { series } = entry;
                const appended = series.appended(seriesOf(answer, chosen[index]), series.columnOf(from));
                if (appended !== null) entry.series = appended;
                // What does not fit is read whole.
                entry.metrics = appended === null ? new Set() : new Set(metrics);
            });
        }, () => {
            for (const entry of entries) {
                const { changedFrom } = entry;
                entry.changedFrom = changedFrom === null || from < changedFrom ? from : changedFrom;
            }
        });
    }

    #read(query, now, take, undo = () => {}) {
        const generation = this.#generation;
        this.#isBusy = true;
        this.#readAt = now;
        this.#changedSince = null;
        const finish = (action) => {
            if (generation !== this.#generation) return;
            this.#isBusy = false;
            this.version += 1;
            action();
        };
        return {
            ...query,
            take: (answer) => finish(() => take(answer)),
            fail: (at) => finish(() => {
                this.#failedAt = at;
                undo();
            }),
        };
    }

    #forgetOthers(layers) {
        if (this.#entries.size <= SPARE * Math.max(MOST_LAYERS, layers.length)) return;
        const wanted = new Set(layers);
        for (const id of this.#entries.keys()) if (!wanted.has(id)) this.#entries.delete(id);
    }
}

/** As many of these layer ids as one address may hold, at least one. */
function fitting(ids) {
    let characters = 0;
    const count = ids.slice(0, MOST_LAYERS).findIndex((id) => {
        characters += encodeURIComponent(id).length + 3;
        return characters > MOST_CHARACTERS;
    });
    return ids.slice(0, count < 0 ? MOST_LAYERS : Math.max(1, count));
}
