// The heatmap's data: the matrix in view, when it is read again, and the open findings.

import { ConnectionLost, ReadError } from "../../feed/read.js";
import { LayerFindings } from "./findings.js";
import { appended } from "./matrix.js";
import { MatrixReads } from "./reads.js";
import { RefreshPlan } from "./refresh.js";

export class HeatmapSource {
    #reads = null;
    #abort = null;
    #plan = new RefreshPlan();
    #onChange;

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
        this.#reads = new MatrixReads(runId, this.#abort.signal);
        this.#plan = new RefreshPlan();
        this.matrix = null;
        this.findings = new LayerFindings();
        this.knowsFindings = false;
        this.failure = "";
    }

    /** The run was read from the start, or steps were dropped. */
    reset() {
        this.#plan.reset();
    }

    changed(step) {
        this.#plan.changed(step);
    }

    /** Takes the server's health answer; null if it could not be read: then the findings of before stay. */
    takeHealth(health) {
        this.knowsFindings = true;
        if (health !== null) this.findings = new LayerFindings(health);
        this.#onChange();
    }

    /** A line below the picture, or "": why there is none, or `note`. */
    status(note) {
        if (this.failure !== "") return this.failure;
        if (this.matrix === null) return "Reading the heatmap";
        if (note !== "") return note;
        return this.matrix.rows === 0 ? "No layer has this metric in these steps." : "";
    }

    /** Reads what is due; `state` is that of `RefreshPlan.next`, its view null while no metric is chosen. */
    update(state) {
        const read = state.view === null ? null : this.#plan.next(state);
        if (read !== null) this.#readMatrix(read);
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
            // The mark shows a lost connection; 404 is a run that was removed.
            const isShown = !(error instanceof ConnectionLost) && !(error instanceof ReadError && error.status === 404);
            if (isShown) this.failure = `The heatmap could not be read: ${error.message}. It is tried again in 5 s.`;
        } finally {
            if (!signal.aborted) this.#onChange();
        }
    }
}
