// A number of each layer over the whole run, for sorting: read only while the table is sorted by it.

import { MATRIX_TYPE, matrixLists } from "../../heatmap/data/matrix.js";
import { ReadError } from "../../feed/reads.js";
import { medianOf } from "./series.js";

/** Most points, and most numbers of a read. */
const MOST_POINTS = 100;
const MOST_NUMBERS = 100_000;
/** Least time between two reads of one column (milliseconds). */
const INTERVAL = 10_000;

/**
 * The least or the greatest number of a layer's buckets (`column` is `min` or `max`), or their median (`change`);
 * undefined without one.
 */
export function reduced(column, numbers) {
    const finite = numbers.filter(Number.isFinite);
    if (column === "change") return medianOf(finite.filter((number) => number !== 0).map(Math.abs));
    if (finite.length === 0) return undefined;
    return finite.reduce((a, b) => ((column === "min") === (a < b) ? a : b));
}

export class WholeRun {
    #base = "";
    #abort = new AbortController();
    #onChange;
    #isBusy = false;
    #readAt = -Infinity;
    #hasNews = false;
    /** Column and metric of `#numbers`. */
    #key = "";
    #numbers = new Map();

    /** Increases with each answer. */
    version = 0;

    constructor(onChange) {
        this.#onChange = onChange;
    }

    /** Shows another run, or the same with other steps. */
    select(runId) {
        this.#abort.abort();
        this.#abort = new AbortController();
        this.#base = `api/v2/runs/${encodeURIComponent(runId)}`;
        this.#isBusy = false;
        this.#key = "";
        this.#numbers.clear();
    }

    changed() {
        this.#hasNews = true;
    }

    /** The number of a layer: `min` or `max` of the run, or for `change` the median; undefined until it is read. */
    of(layerId) {
        return this.#numbers.get(layerId);
    }

    /** Reads what a sort needs. `layers` is their number, `isFollowing` whether new steps are wanted. */
    update({ now, sort: { column, metric }, isDerived, layers, canRead, isFollowing }) {
        const key = `${column} ${metric}`;
        if (this.#isBusy || !canRead) return;
        const isDue = key !== this.#key || (this.#hasNews && isFollowing);
        if (!isDue || (key === this.#key && now - this.#readAt < INTERVAL)) return;
        if (key !== this.#key) this.#numbers.clear();
        this.#key = key;
        this.#readAt = now;
        this.#hasNews = false;
        // The server has no extremes of derived metrics: they are those of the buckets' last values.
        const agg = column === "change" || isDerived ? "last" : column;
        const fitting = Math.floor(MOST_NUMBERS / Math.max(1, layers));
        const points = agg === "last" ? Math.max(1, Math.min(MOST_POINTS, fitting)) : 1;
        this.#read(column, { metric, agg, points: String(points) });
    }

    async #read(column, query) {
        const { signal } = this.#abort;
        this.#isBusy = true;
        try {
            const answer = await fetch(`${this.#base}/matrix?${new URLSearchParams(query)}`, {
                headers: { Accept: MATRIX_TYPE }, cache: "no-store", signal,
            });
            if (!answer.ok) throw new ReadError(answer.status, `the server answered with status ${answer.status}`);
            const { head, list } = matrixLists(await answer.arrayBuffer());
            const numbers = list(query.agg);
            const columns = head.steps.length;
            this.#numbers = new Map(head.layers.map((id, row) => {
                return [id, reduced(column, Array.from(numbers.subarray(row * columns, (row + 1) * columns)))];
            }));
            this.version += 1;
        } catch {
            // It is read again after the interval; until then the rows keep their order.
            this.#hasNews = true;
        } finally {
            if (!signal.aborted) {
                this.#isBusy = false;
                this.#onChange();
            }
        }
    }
}
