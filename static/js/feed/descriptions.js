// The server's descriptions of its runs over HTTP, which the list of runs of the WebSocket does not have.

import { parseExact } from "./exact-json.js";
import { read, requireMembers } from "./read.js";

const PAGE_SIZE = 200;
/** Runs that are read in pages, those updated last; an older one is cheaper to read alone. */
const MOST_RUNS = 1000;

export class DescriptionPages {
    #cursor = null;
    #count = 0;
    #signal;

    constructor(signal) {
        this.#signal = signal;
    }

    /** Whether there is no other page. */
    isEnded = false;

    /** The descriptions of the next page; the runs that were updated last come first. */
    async next() {
        const parameters = new URLSearchParams({ limit: PAGE_SIZE, ...(this.#cursor === null ? {} : { cursor: this.#cursor }) });
        const { value: { runs, next } } = await read(`api/v2/runs?${parameters}`, {
            what: "the descriptions of the runs", signal: this.#signal,
            parse: (text) => requireMembers(parseExact(text), { runs: "array" }),
        });
        this.#cursor = next;
        this.#count += PAGE_SIZE;
        this.isEnded = next === null || this.#count >= MOST_RUNS;
        return runs;
    }
}
