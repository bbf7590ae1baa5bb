// Reads the open findings of a run, and again when new steps may have brought others.

import { parseExact } from "../../feed/exact-json.js";

/** Least time between two reads (milliseconds). */
const INTERVAL = 4_000;

export class HealthWatch {
    #onHealth;
    #abort = null;
    #runId = null;
    #readAt = -Infinity;
    #readSeq = null;
    #isReading = false;

    /** `onHealth(health)` gets each answer, null for a failed read. */
    constructor(onHealth) {
        this.#onHealth = onHealth;
    }

    select(runId) {
        this.#abort?.abort();
        this.#abort = new AbortController();
        this.#runId = runId;
        this.#readAt = -Infinity;
        this.#readSeq = null;
        this.#isReading = false;
    }

    /** Reads if it is due; `seq` is the number of the last change of the run that the page knows. */
    async update(now, seq) {
        if (this.#isReading || seq === this.#readSeq || now - this.#readAt < INTERVAL) return;
        this.#isReading = true;
        this.#readAt = now;
        this.#readSeq = seq;
        const { signal } = this.#abort;
        let health = null;
        try {
            const address = `api/v2/runs/${encodeURIComponent(this.#runId)}/health?state=open&layers=false`;
            const answer = await fetch(address, { cache: "no-store", signal });
            if (answer.ok) health = parseExact(await answer.text());
        } catch {
            // The picture is shown without them; they are read again with new steps.
        }
        if (signal.aborted) return;
        this.#isReading = false;
        this.#onHealth(health);
    }
}
