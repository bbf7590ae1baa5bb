// Which runs have a row in the list: the newest ones, more on demand, and while a text is given only those that match.

import { newestFirst } from "./run-directory.js";

/** Rows at first, and how many each request for more adds. */
export const ROWS_AT_ONCE = 100;

/** With more runs than this the list can be narrowed down by a text. */
const FILTER_FROM = 20;

export class RunRows {
    #limit = ROWS_AT_ONCE;
    #text = "";
    /** The runs that match, made of the array `#of`. */
    #matching = [];
    #of = null;

    /** A part of the ids of the wanted runs; empty for all runs. */
    get text() {
        return this.#text;
    }

    set text(text) {
        if (text === this.#text) return;
        this.#text = text;
        this.#limit = ROWS_AT_ONCE;
        this.#of = null;
    }

    more() {
        this.#limit += ROWS_AT_ONCE;
    }

    /**
     * `{ rows, apart, matches, left, next, hasFilter }`: the runs with a row, newest first; of the ids in `kept` those
     * that match and are older than the rows, which have a row too; the number of runs that match, of those without a
     * row, and of the rows that `more` adds; whether a text can be given. Costs the rows unless the order changed.
     * @param directory the `RunDirectory`
     * @param kept ids of runs that keep their row
     */
    choose(directory, kept) {
        const runs = directory.list();
        if (runs !== this.#of) {
            this.#of = runs;
            this.#matching = this.#text === "" ? runs : runs.filter(this.#test);
        }
        const matches = this.#matching.length;
        const rows = this.#matching.slice(0, this.#limit);
        const isApart = (run) => run !== undefined && !rows.includes(run) && (this.#text === "" || this.#test(run));
        const apart = [...new Set(kept)].map((id) => directory.get(id)).filter(isApart).sort(newestFirst);
        const left = matches - rows.length - apart.length;
        const hasFilter = runs.length > FILTER_FROM || this.#text !== "";
        return { rows, apart, matches, left, next: Math.min(left, ROWS_AT_ONCE), hasFilter };
    }

    get #test() {
        const wanted = this.#text.toLowerCase();
        return ({ id }) => id.toLowerCase().includes(wanted);
    }
}
