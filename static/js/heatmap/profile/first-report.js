// The first report of a run: what the depth profile compares the cursor with. It is read once for each metric.

import { MatrixReads } from "../data/reads.js";

/** Time after a failed read to the next one (milliseconds). */
const AFTER_FAILURE = 5_000;

export class FirstReport {
    #run = null;
    #reads = null;
    #abort = null;
    #onChange;
    /** The metric and the generation of the run that were read or are being read. */
    #metric = null;
    #generation = -1;
    #failedAt = -Infinity;

    /** A matrix of one column, or null until it is read. */
    matrix = null;

    constructor(onChange) {
        this.#onChange = onChange;
    }

    /** `run` is a `SelectedRun`. */
    select(run) {
        this.#abort?.abort();
        this.#abort = new AbortController();
        this.#reads = new MatrixReads(run.id, this.#abort.signal);
        this.#run = run;
        this.#metric = null;
        this.#failedAt = -Infinity;
        this.matrix = null;
    }

    /** Reads the first report, if it is not known. */
    update(metric, canRead) {
        const { generation, history } = this.#run;
        if (metric === this.#metric && generation === this.#generation) return;
        this.matrix = null;
        if (!canRead || history.length === 0 || Date.now() - this.#failedAt < AFTER_FAILURE) return;
        this.#metric = metric;
        this.#generation = generation;
        this.#read(metric, history.at(0).step, this.#abort.signal);
    }

    async #read(metric, step, signal) {
        const generation = this.#generation;
        const isStale = () => signal.aborted || metric !== this.#metric || generation !== this.#generation;
        try {
            const matrix = await this.#reads.matrix({ metric, from: step, to: step, points: 1 });
            if (isStale()) return;
            this.matrix = matrix;
            this.#onChange();
        } catch {
            // The profile shows the cursor alone until a later read succeeds.
            if (isStale()) return;
            this.#metric = null;
            this.#failedAt = Date.now();
        }
    }
}
