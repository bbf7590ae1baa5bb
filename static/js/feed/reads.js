// Reads of one run over HTTP: its description, step numbers, whole steps, and series of single layers.

import { parseExact } from "./exact-json.js";

/** The server refused a read; `status` is that of its answer. */
export class ReadError extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}

/** Most buckets in one answer of the server. */
export const MAXIMUM_POINTS = 10_000;

/**
 * A name that no step has. A series needs a metric or a scalar: this one selects the step numbers alone. In steps an
 * empty list of metrics selects all, and this one none.
 */
const NO_NAME = "?";

export class RunReads {
    #base;
    #signal;

    constructor(runId, signal) {
        this.#base = `/api/v2/runs/${encodeURIComponent(runId)}`;
        this.#signal = signal;
    }

    /** The run's description. */
    async describe() {
        return parseExact(await this.#read(""));
    }

    /** Numbers of the steps in a range: `{ steps, last_steps, last_seq }`, the bounds of one bucket each. */
    async stepNumbers({ from, to }) {
        return parseExact(await this.#read("/series", { scalars: NO_NAME, from, to, points: MAXIMUM_POINTS }));
    }

    /** The steps in a range, ascending; `last`: only that many, the highest; `metrics` and `layers`: by default all. */
    async steps({ from, to, last, metrics, layers }) {
        const names = metrics?.length === 0 ? [NO_NAME] : metrics;
        const text = await this.#read("/steps", { from, to, last, metrics: listOf(names), layers: listOf(layers) });
        return text.split("\n").filter((line) => line !== "").map(parseExact);
    }

    /** Series of some metrics of some layers: `{ steps, last_steps, last_seq, layers: { ID: { METRIC: SERIES } } }`. */
    async series({ layers, metrics, from, to, points }) {
        const query = { metric: listOf(metrics), layers: listOf(layers), scalars: NO_NAME };
        return parseExact(await this.#read("/series", { ...query, from, to, points }));
    }

    /** Series of one scalar over all kept steps, in the form of `series`. */
    async scalar(name, points) {
        return parseExact(await this.#read("/series", { scalars: quotedName(name), points }));
    }

    /** What the rules of layer health found; `state`: `open` or `all`. */
    async health(state) {
        return parseExact(await this.#read("/health", { state, layers: false }));
    }

    async #read(path, query = {}) {
        const parameters = new URLSearchParams();
        for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
        const answer = await fetch(`${this.#base}${path}?${parameters}`, { cache: "no-store", signal: this.#signal });
        const text = await answer.text();
        if (!answer.ok) throw new ReadError(answer.status, `the server answered with status ${answer.status}`);
        return text;
    }
}

function listOf(names) {
    return names?.map(quotedName).join(",");
}

/** A name as one item of a list in a query. */
export function quotedName(id) {
    return id.replace(/[\\,*]/g, "\\$&");
}
