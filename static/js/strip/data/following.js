// The scalars of a run whose heatmap is shown: in the columns of the heatmap's matrix, and read whenever that changed.
// So they are live, paused and zoomed with it.

import { inColumns } from "./scalars.js";

/** Milliseconds without a read after one failed. */
const AFTER_FAILURE = 5_000;
/** Least number of points in a read: buckets finer than the columns are joined. */
const LEAST_POINTS = 250;

/**
 * Decides on reads and keeps their answers. A read is `{ names, from, to, points }`; the answer is given to `succeeded`
 * as `ScalarColumns`.
 */
export class FollowingScalars {
    /** What was read last, in the columns of that time, and the names of the read; null before. */
    #scalars = null;
    #names = "";
    #reading = null;
    #failedAt = -Infinity;
    /** The last result of `shownIn`, and for what it was made. */
    #shown = { axis: null, scalars: null, result: null };

    /** The read that is due, or null. `axis` are the columns of the heatmap, `names` the scalars to draw. */
    next({ now, axis, names, canRead }) {
        if (this.#reading !== null || !canRead || names.length === 0 || axis.columns === 0) return null;
        if (now - this.#failedAt < AFTER_FAILURE) return null;
        const key = names.join("\n");
        const known = this.#scalars;
        const isContinued = known !== null && key === this.#names && known.base === axis.base;
        const to = axis.lastSteps.at(-1);
        if (isContinued && known.lastSeq >= axis.lastSeq && known.lastSteps.at(-1) === to) return null;
        const begin = isContinued ? Math.min(known.columns, axis.columns) - 1 : 0;
        this.#reading = { axis, key, kept: isContinued && begin > 0 ? { scalars: known, columns: begin } : null };
        return { names, from: axis.steps[begin], to, points: Math.max(LEAST_POINTS, axis.columns - begin) };
    }

    succeeded(scalars) {
        const { axis, key, kept } = this.#reading;
        this.#reading = null;
        this.#scalars = inColumns(axis, scalars, kept);
        this.#names = key;
    }

    failed(now) {
        this.#reading = null;
        this.#failedAt = now;
    }

    /** What was read last, in these columns; null before the first read. */
    shownIn(axis) {
        const scalars = this.#scalars;
        if (scalars === null || scalars.steps === axis.steps) return scalars;
        if (this.#shown.axis !== axis.steps || this.#shown.scalars !== scalars) {
            this.#shown = { axis: axis.steps, scalars, result: inColumns(axis, scalars) };
        }
        return this.#shown.result;
    }
}
