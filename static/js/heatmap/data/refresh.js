// When the heatmap reads, and what.

/** Most buckets in the first read of a run. */
export const FIRST_POINTS = 250;
/** Most cells of a first read, and of one that shows more detail; a cell is 8 bytes. The first picture comes soon. */
const FIRST_CELLS = 70_000;
const MORE_CELLS = 130_000;
/** Least buckets in a read, however many layers there are. */
const LEAST_POINTS = 10;
/** A read for more detail must give this many times the points. */
const WORTH = 1.25;
/** Least time between two reads of new steps, and after a failure (milliseconds). */
export const INTERVAL = 2_000;
const AFTER_FAILURE = 5_000;
/** Columns may grow beyond the points asked for by this factor before the whole is read again in wider buckets. */
const GROWTH = 1.25;

/**
 * Decides on reads. A read is `{ from, to, points, append }`; one with `append` has what comes from the last column on.
 * The view is `{ metric, from, to }`, `from` and `to` null for the ends of the run.
 */
export class RefreshPlan {
    #view = null;
    #loaded = null;
    #points = 0;
    #isBusy = false;
    #readAt = -Infinity;
    #failedAt = -Infinity;
    /** The lowest step that changed since the last read began; null for none. */
    #changedFrom = null;
    #mustReload = false;
    /** The last step that was shown, or is to be shown while paused; reads while paused end there. */
    #end = null;
    /** Whether what is to be shown while paused was read, or is being read. */
    #hasEnd = false;

    /** The picture must be read again from the start. */
    reset() {
        this.#loaded = null;
        this.#view = null;
        this.#end = null;
        this.#changedFrom = null;
        this.#mustReload = false;
    }

    /** A step arrived or changed. */
    changed(step) {
        if (this.#changedFrom === null || step < this.#changedFrom) this.#changedFrom = step;
    }

    /**
     * The read that is due, or null. `state` is `{ now, view, layers, width, canRead, pausedEnd }`: `layers` their
     * number as far as it is known, `width` that of the cells in pixels, `canRead` whether the page is connected and
     * shown, `pausedEnd` the last step to show while paused, null while new steps are wanted.
     */
    next(state) {
        const { now, view, canRead, pausedEnd } = state;
        this.#notePause(pausedEnd);
        if (this.#isBusy || !canRead || now - this.#failedAt < AFTER_FAILURE) return null;
        const isSame = this.#view !== null && Object.keys(view).every((key) => view[key] === this.#view[key]);
        if (!isSame || this.#loaded === null) {
            return this.#begin(state, this.#wholePoints(state, Math.min(FIRST_POINTS, state.width), FIRST_CELLS));
        }
        // Columns may grow by a quarter, and each must have a pixel.
        const detail = this.#wholePoints(state, state.width / GROWTH, MORE_CELLS);
        if (!this.#loaded.isFinest && detail >= WORTH * this.#points) return this.#begin(state, detail);
        if (pausedEnd !== null && this.#hasEnd) return null;
        if (now - this.#readAt < INTERVAL) return null;
        this.#hasEnd = true;
        const changed = this.#changedFrom;
        if (pausedEnd !== null && changed !== null && changed > this.#end) return null;
        if (this.#mustReload) return this.#begin(state, this.#points);
        if (changed === null || (view.to !== null && changed > view.to)) return null;
        return this.#beginChanges(state);
    }

    /** The read succeeded; `matrix` is what the picture shows now. */
    succeeded(matrix) {
        this.#isBusy = false;
        this.#loaded = matrix;
        const end = matrix.lastSteps.at(-1) ?? null;
        if (this.#end === null || end > this.#end) this.#end = end;
    }

    /** The answer to a read of changes does not fit the picture. */
    mustReload() {
        this.#isBusy = false;
        this.#mustReload = true;
    }

    failed(now) {
        this.#isBusy = false;
        this.#failedAt = now;
        this.#mustReload = true;
    }

    #wholePoints({ layers }, wanted, cells) {
        const fit = Math.floor(cells / Math.max(1, this.#loaded?.rows ?? layers));
        return Math.max(LEAST_POINTS, Math.min(Math.floor(wanted), fit));
    }

    #notePause(pausedEnd) {
        if (pausedEnd === null) this.#hasEnd = false;
        else if (this.#end === null || pausedEnd > this.#end) {
            this.#end = pausedEnd;
            this.#hasEnd = false;
        }
    }

    #begin({ now, view, pausedEnd }, points) {
        this.#isBusy = true;
        this.#view = view;
        this.#points = points;
        this.#readAt = now;
        this.#mustReload = false;
        // While paused, a read for another metric or more detail shows no steps that came since.
        if (pausedEnd !== null && view.to === null) return { ...view, to: this.#end, points, append: false };
        this.#changedFrom = null;
        return { ...view, points, append: false };
    }

    #beginChanges(state) {
        const { steps, columns } = this.#loaded;
        const last = steps[columns - 1];
        const isTail = columns > 0 && this.#changedFrom >= last && columns < GROWTH * this.#points;
        if (!isTail) return this.#begin(state, this.#points);
        this.#isBusy = true;
        this.#readAt = state.now;
        const isPaused = state.pausedEnd !== null;
        // Later steps are read when the run is followed again.
        this.#changedFrom = isPaused ? last : null;
        const to = state.view.to ?? (isPaused ? this.#end : null);
        return { ...state.view, from: last, to, points: FIRST_POINTS, append: true };
    }
}
