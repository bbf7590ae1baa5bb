// The description of the selected run while steps come: a metric that begins later is not announced by the server.

import { RunReads } from "./feed/reads.js";

/** Time from a live step to the next read (milliseconds): the first one, and how it grows while nothing new is found. */
const FIRST_DELAY = 2_000;
const GROWTH = 2;
/** The longest such time, and what each layer adds to it, because the answer lists all of them. */
const LONGEST_DELAY = 20_000;
const DELAY_PER_LAYER = 20;

export class RunDescription {
    #reads;
    #abort = new AbortController();
    #onDescription;
    #timer = null;
    #delay = FIRST_DELAY;
    #names = "";

    /** `onDescription(data)` gets each description that was read. */
    constructor(runId, onDescription) {
        this.#reads = new RunReads(runId, this.#abort.signal);
        this.#onDescription = onDescription;
    }

    stop() {
        this.#abort.abort();
        clearTimeout(this.#timer);
    }

    /** The page has this description. */
    known({ metrics, scalars, derived }) {
        const names = JSON.stringify([metrics, scalars, derived]);
        if (names !== this.#names) this.#delay = FIRST_DELAY;
        this.#names = names;
    }

    /** A live step came. */
    step() {
        if (this.#timer === null && !this.#abort.signal.aborted) this.#timer = setTimeout(() => this.#read(), this.#delay);
    }

    async #read() {
        this.#timer = null;
        // Without a step in the meantime, nothing is read; a hidden page reads with the next step after it is shown.
        if (document.hidden) return;
        try {
            const data = await this.#reads.describe();
            const longest = LONGEST_DELAY + DELAY_PER_LAYER * (data.layer_count ?? 0);
            this.#delay = Math.min(longest, GROWTH * this.#delay);
            this.known(data);
            this.#onDescription(data);
        } catch {
            // The next step tries again.
        }
    }
}
