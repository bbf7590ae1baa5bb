// All values of one layer at one step: read from the server, because the records of the page have few metrics.

import { RunReads } from "../../feed/reads.js";
import { derivedValue } from "../../model/derived.js";
import { readNumber } from "../../model/metrics.js";

/** Least time between two reads while the page follows the run, and after a failure (milliseconds). */
const INTERVAL = 500;
const AFTER_FAILURE = 2_000;

export class LayerValues {
    #reads = null;
    #abort = new AbortController();
    #onChange;
    #isBusy = false;
    #readAt = -Infinity;
    #failedAt = -Infinity;
    #layerId = null;
    /** The `seq` of the record for which they were read. */
    #seq = null;
    #values = new Map();
    #parameters = undefined;

    /** The step of the values, or null. */
    step = null;

    constructor(onChange) {
        this.#onChange = onChange;
    }

    /** Another run or layer. */
    select(runId, layerId) {
        this.#abort.abort();
        this.#abort = new AbortController();
        this.#reads = new RunReads(runId, this.#abort.signal);
        this.#layerId = layerId;
        this.#isBusy = false;
        this.#failedAt = -Infinity;
        this.#readAt = -Infinity;
        this.step = null;
        this.#seq = null;
        this.#values.clear();
    }

    /** Whether these are the values of a record's step, in the version that the record has. */
    isOf(record) {
        return record.step === this.step && record.seq === this.#seq;
    }

    /** The value of a metric, `{ name, isDerived }`; undefined without one. */
    of({ name, isDerived }) {
        if (!isDerived) return this.#values.get(name);
        return derivedValue(name, (input) => this.#values.get(input), this.#parameters);
    }

    /** Reads the values of the record's step, if they are not those; `isFollowing`: further steps are coming. */
    update(record, isFollowing, now) {
        if (this.isOf(record) || this.#isBusy) return;
        if (now - this.#readAt < (isFollowing ? INTERVAL : 0) || now - this.#failedAt < AFTER_FAILURE) return;
        this.#isBusy = true;
        this.#readAt = now;
        this.#read(record);
    }

    async #read({ step, seq }) {
        const { signal } = this.#abort;
        try {
            const [data] = await this.#reads.steps({ from: step, to: step, layers: [this.#layerId] });
            if (signal.aborted) return;
            this.step = step;
            // A newer version than that of the record is what the next record will have.
            this.#seq = seq;
            const columns = Object.entries(data?.metrics ?? {});
            this.#values = new Map(columns.map(([name, [value]]) => [name, readNumber(value)]));
            this.#parameters = data?.layers?.[0]?.parameters ?? undefined;
        } catch {
            if (!signal.aborted) this.#failedAt = Date.now();
        } finally {
            if (!signal.aborted) {
                this.#isBusy = false;
                this.#onChange();
            }
        }
    }
}
