// Reads of one run over HTTP: its description, step numbers, whole steps, and series of single layers.

import { parseExact } from "./exact-json.js";
import { read, requireMembers } from "./read.js";

export { ConnectionLost, ReadError, UnreadableAnswer } from "./read.js";

/** Most buckets in one answer of the server. */
export const MAXIMUM_POINTS = 10_000;

/** A series needs a metric or a scalar; a name that no step has selects the step numbers alone. */
const NO_SCALAR = "?";

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
        return this.#read(
            "the step numbers", "/series", { scalars: NO_SCALAR, from, to, points: MAXIMUM_POINTS }, SERIES);
    }

    /** The steps in a range, ascending; `last`: only that many, the highest. */
    async steps({ from, to, last, metrics }) {
        const parse = (text) => text.split("\n").filter((line) => line !== "").map(parseExact);
        return this.#parsed("the steps", "/steps", { from, to, last, metrics: metrics.join(",") }, parse);
    }

    /** Series of some metrics of some layers: `{ steps, last_steps, layers: { ID: { METRIC: SERIES } } }`. */
    series({ layers, metrics, from, to, points }) {
        const query = { metric: metrics.join(","), layers: layers.map(quotedName).join(","), scalars: NO_SCALAR };
        const members = { ...SERIES, layers: "object" };
        return this.#read("the series of layers", "/series", { ...query, from, to, points }, members);
    }

    /** Series of one scalar over all kept steps, in the form of `series`. */
    scalar(name, points) {
        const query = { scalars: quotedName(name), points };
        return this.#read(`the series of ${name}`, "/series", query, { last_steps: "array", scalars: "object" });
    }

    /** What the rules of layer health found; `state`: `open` or `all`. */
    health(state) {
        return this.#read("the findings", "/health", { state, layers: false }, HEALTH);
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

/** A layer id as one item of a list in a query. */
export function quotedName(id) {
    return id.replace(/[\\,*]/g, "\\$&");
}
