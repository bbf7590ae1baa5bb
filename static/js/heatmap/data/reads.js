// The heatmap's reads over HTTP.

import { read } from "../../feed/read.js";
import { AGGREGATES, MATRIX_TYPE, parseMatrix } from "./matrix.js";

/** Reads of one run. */
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
        const { value } = await read(`${this.#base}/matrix?${query}`, {
            what: "the heatmap", parse: parseMatrix, isBinary: true, headers: { Accept: MATRIX_TYPE },
            signal: this.#signal,
        });
        return value;
    }
}
