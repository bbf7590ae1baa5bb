// The heatmap's reads over HTTP.

import { ReadError } from "../../feed/reads.js";
import { AGGREGATES, MATRIX_TYPE, parseMatrix } from "./matrix.js";

/** Reads of one run. The addresses are relative to the page. */
export class MatrixReads {
    #base;
    #signal;

    constructor(runId, signal) {
        this.#base = `api/v2/runs/${encodeURIComponent(runId)}`;
        this.#signal = signal;
    }

    async matrix({ metric, from, to, points }) {
        const query = new URLSearchParams({ metric, agg: AGGREGATES.join(","), points: String(points) });
        if (from !== null) query.set("from", String(from));
        if (to !== null) query.set("to", String(to));
        const answer = await fetch(`${this.#base}/matrix?${query}`, {
            headers: { Accept: MATRIX_TYPE }, cache: "no-store", signal: this.#signal,
        });
        if (!answer.ok) throw new ReadError(answer.status, `the server answered with status ${answer.status}`);
        return parseMatrix(await answer.arrayBuffer());
    }
}
