// The server's descriptions of its runs over HTTP, which the list of runs of the WebSocket does not have.

import { parseExact } from "./exact-json.js";
import { read, requireMembers } from "./read.js";

const PAGE_SIZE = 200;
/** Runs that are read in pages, those updated last; an older one is cheaper to read alone. */
const MOST_RUNS = 1000;

export class DescriptionPages {
    /** Undefined before the first page was read, null after the last one. */
    #cursor;
    #requested = 0;
    #signal;

    constructor(signal) {
        this.#signal = signal;
    }

    /** Whether the first page was read, or is not to be requested again. */
    get isBegun() {
        return this.#cursor !== undefined || this.isEnded;
    }

    /** Whether there is no other page. */
    get isEnded() {
        return this.#cursor === null || this.#requested >= MOST_RUNS;
    }

    /** The descriptions of the next page; the runs that were updated last come first. */
    async next() {
        this.#requested += PAGE_SIZE;
        const cursor = this.#cursor === undefined ? {} : { cursor: this.#cursor };
        const { value: { runs, next } } = await read(`api/v2/runs?${new URLSearchParams({ limit: PAGE_SIZE, ...cursor })}`, {
            what: "the descriptions of the runs", signal: this.#signal,
            parse: (text) => requireMembers(parseExact(text), { runs: "array" }),
        });
        this.#cursor = next;
        return runs;
    }
}
