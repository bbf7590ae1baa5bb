// Reads of one run over HTTP: its description, step numbers, whole steps, and series of single layers.

import { parseExact } from "./exact-json.js";
import { read, requireMembers } from "./read.js";

export { ConnectionLost, ReadError, UnreadableAnswer } from "./read.js";

/** Most buckets in one answer of the server. */
export const MAXIMUM_POINTS = 10_000;

/**
 * A name that no step has. A series needs a metric or a scalar: this one selects the step numbers alone. In steps an
 * empty list of metrics selects all, and this one none.
 */
const NO_NAME = "?";

/** What an answer must have. */
const HEALTH = { episodes: "array", alerts: "array", rules: "array" };
const SERIES = { steps: "array", last_steps: "array" };

export class RunReads {
    #base;
    #signal;

    constructor(runId, signal) {
        this.#base = `api/v2/runs/${encodeURIComponent(runId)}`;
        this.#signal = signal;
    }

    /** The run's description. */
    describe() {
        return this.#read("the run's description", "", {}, { created_at: "string" });
    }

    /** Numbers of the steps in a range: `{ steps, last_steps, last_seq }`, the bounds of one bucket each. */
    stepNumbers({ from, to }) {
        return this.#read("the step numbers", "/series", { scalars: NO_NAME, from, to, points: MAXIMUM_POINTS }, SERIES);
    }

    /** The steps in a range, ascending; `last`: only that many, the highest; `metrics` and `layers`: by default all. */
    steps({ from, to, last, metrics, layers }) {
        const names = metrics?.length === 0 ? [NO_NAME] : metrics;
        const query = { from, to, last, metrics: listOf(names), layers: listOf(layers) };
        const parse = (text) => text.split("\n").filter((line) => line !== "").map(parseExact);
        return this.#parsed("the steps", "/steps", query, parse);
    }

    /** Series of some metrics of some layers: `{ steps, last_steps, last_seq, layers: { ID: { METRIC: SERIES } } }`. */
    series({ layers, metrics, from, to, points }) {
        const query = { metric: listOf(metrics), layers: listOf(layers), scalars: NO_NAME };
        const members = { ...SERIES, layers: "object" };
        return this.#read("the series of layers", "/series", { ...query, from, to, points }, members);
    }

    /** Series of one scalar over all kept steps, in the form of `series`. */
    scalar(name, points) {
        const query = { scalars: quotedName(name), points };
        return this.#read(`the series of ${name}`, "/series", query, { last_steps: "array", scalars: "object" });
    }

    /** Series of several scalars in a range, in the form of `series`. */
    scalars({ names, from, to, points }) {
        const query = { scalars: listOf(names), from, to, points };
        return this.#read("the series of scalars", "/series", query, { ...SERIES, scalars: "object" });
    }

    /** What the rules of layer health found; `state`: `open` or `all`; `limit`: only that many findings, the worst. */
    health(state, limit) {
        return this.#read("the findings", "/health", { state, layers: false, limit }, HEALTH);
    }

    #read(what, path, query, members) {
        return this.#parsed(what, path, query, (text) => requireMembers(parseExact(text), members));
    }

    async #parsed(what, path, query, parse) {
        const parameters = new URLSearchParams();
        for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
        const { value } = await read(`${this.#base}${path}?${parameters}`, { what, parse, signal: this.#signal });
        return value;
    }
}

function listOf(names) {
    return names?.map(quotedName).join(",");
}

/** A name as one item of a list in a query. */
export function quotedName(id) {
    return id.replace(/[\\,*]/g, "\\$&");
}
