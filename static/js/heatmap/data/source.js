// The heatmap's data: the matrix in view and the open findings, and when they are read again.

import { ReadError } from "../../feed/reads.js";
import { LayerFindings } from "./findings.js";
import { appended } from "./matrix.js";
import { HeatmapReads } from "./reads.js";
import { RefreshPlan } from "./refresh.js";

/** Least time between two reads of the findings (milliseconds). */
const FINDINGS_INTERVAL = 4_000;

export class HeatmapSource {
    #reads = null;
    #abort = null;
    #plan = new RefreshPlan();
    #onChange;
    #findingsAt = -Infinity;
    #isReadingFindings = false;

    /** The picture, or null until it is read. A picture is never changed: each read gives another one. */
    matrix = null;
    findings = new LayerFindings();
    /** Whether the findings were read, or could not be read. */
    knowsFindings = false;
    /** An error to show, or "". */
    failure = "";

    constructor(onChange) {
        this.#onChange = onChange;
    }

    select(runId) {
        this.#abort?.abort();
        this.#abort = new AbortController();
        this.#reads = new HeatmapReads(runId, this.#abort.signal);
        this.#plan = new RefreshPlan();
        this.#findingsAt = -Infinity;
        this.#isReadingFindings = false;
        this.matrix = null;
        this.findings = new LayerFindings();
        this.knowsFindings = false;
        this.failure = "";
    }

    /** The run was read from the start, or steps were dropped. */
    reset() {
        this.#plan.reset();
        this.#findingsAt = -Infinity;
    }

    changed(step) {
        this.#plan.changed(step);
    }

    /** Reads what is due; `state` is that of `RefreshPlan.next`, its view null while no metric is chosen. */
    update(state) {
        if (!state.canRead) return;
        if (!this.knowsFindings) return void this.#readFindings(state.now);
        if (state.view === null) return;
        const read = this.#plan.next(state);
        if (read === null) return;
        this.#readMatrix(read);
        // New steps may have brought new findings.
        if (state.now - this.#findingsAt >= FINDINGS_INTERVAL) this.#readFindings(state.now);
    }

    async #readMatrix({ append, ...query }) {
        const [plan, signal, shown] = [this.#plan, this.#abort.signal, this.matrix];
        try {
            const fresh = await this.#reads.matrix(query);
            if (signal.aborted) return;
            const matrix = append ? appended(shown, fresh) : fresh;
            this.failure = "";
            if (matrix === null) return void plan.mustReload();
            this.matrix = matrix;
            plan.succeeded(matrix);
        } catch (error) {
            if (signal.aborted) return;
            plan.failed(Date.now());
            // A TypeError of fetch is a lost connection, which the mark shows; 404 is a run that was removed.
            const isShown = !(error instanceof TypeError) && !(error instanceof ReadError && error.status === 404);
            if (isShown) this.failure = `The heatmap could not be read: ${error.message}. It is tried again in 5 s.`;
        } finally {
            if (!signal.aborted) this.#onChange();
        }
    }

    async #readFindings(now) {
        if (this.#isReadingFindings) return;
        this.#isReadingFindings = true;
        this.#findingsAt = now;
        const { signal } = this.#abort;
        let findings = null;
        try {
            findings = new LayerFindings(await this.#reads.health());
        } catch {
            // The picture is shown without them; they are read again with new steps.
        }
        if (signal.aborted) return;
        this.#isReadingFindings = false;
        this.knowsFindings = true;
        if (findings !== null) this.findings = findings;
        this.#onChange();
    }
}
