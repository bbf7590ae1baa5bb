// The steps of the selected run, sorted by number, each number once, bounded in count and memory.

import { compareSteps } from "./step-number.js";

/** What `insert` did. */
export const Insertion = Object.freeze({
    appended: "appended",
    inserted: "inserted",
    replaced: "replaced",
    /** Lower than every kept step while the history is full: not kept, as on the server. */
    dropped: "dropped",
});

export class History {
    #records = [];
    #valueCount = 0;
    #maximumSteps;
    #maximumValues;

    /**
     * A step that the bounds never drop: the viewed one; null if none is pinned.
     */
    pinned = null;

    /**
     * @param maximumSteps most steps kept
     * @param maximumValues most numbers kept over all steps (8 bytes each); the default is 192 MiB
     */
    constructor({ maximumSteps = 5000, maximumValues = 24 * 1024 * 1024 } = {}) {
        this.#maximumSteps = maximumSteps;
        this.#maximumValues = maximumValues;
    }

    get length() {
        return this.#records.length;
    }

    /** The record at a position, or undefined. */
    at(index) {
        return this.#records[index];
    }

    get first() {
        return this.#records[0];
    }

    get last() {
        return this.#records[this.#records.length - 1];
    }

    /** Position of the first record with a number of at least `step`; `length` if there is none. */
    lowerBound(step) {
        let low = 0;
        let high = this.#records.length;
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (this.#records[middle].step < step) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /** Position of exactly this step, or -1. */
    indexOf(step) {
        const index = this.lowerBound(step);
        return this.#records[index]?.step === step ? index : -1;
    }

    /** Position of this step, or of the next lower one, or of the first; -1 if the history is empty. */
    nearestIndex(step) {
        if (this.length === 0) return -1;
        const index = this.lowerBound(step);
        if (this.#records[index]?.step === step) return index;
        return Math.max(0, index - 1);
    }

    /** The number of kept steps that have a higher number. */
    countAfter(step) {
        return this.length - this.lowerBound(step) - (this.indexOf(step) >= 0 ? 1 : 0);
    }

    /** Adds a step in its place, or replaces the one of the same number. Returns an `Insertion`. */
    insert(record) {
        const index = this.lowerBound(record.step);
        const existing = this.#records[index];
        if (existing?.step === record.step) {
            this.#records[index] = record;
            this.#valueCount += record.values.length - existing.values.length;
            this.#enforceBounds();
            return Insertion.replaced;
        }
        const outcome = index === this.length ? Insertion.appended : Insertion.inserted;
        this.#records.splice(index, 0, record);
        this.#valueCount += record.values.length;
        this.#enforceBounds();
        return this.indexOf(record.step) >= 0 ? outcome : Insertion.dropped;
    }

    /** Replaces all records by these; of two with the same number the later one stays. */
    replaceAll(records) {
        const byStep = new Map(records.map((record) => [record.step, record]));
        this.#records = [...byStep.values()].sort((a, b) => compareSteps(a.step, b.step));
        this.#valueCount = this.#records.reduce((sum, record) => sum + record.values.length, 0);
        this.#enforceBounds();
    }

    /** Drops the lowest steps, except the pinned one and the last, until both bounds hold. */
    #enforceBounds() {
        let surplus = 0;
        let freed = 0;
        while (
            this.length - surplus > 1 &&
            (this.length - surplus > this.#maximumSteps || this.#valueCount - freed > this.#maximumValues)
        ) {
            freed += this.#records[surplus].values.length;
            surplus += 1;
        }
        if (surplus === 0) return;
        const removed = this.#records.splice(0, surplus);
        const pinned = removed.find((record) => record.step === this.pinned);
        if (pinned !== undefined) {
            this.#records.unshift(pinned);
            freed -= pinned.values.length;
        }
        this.#valueCount -= freed;
    }
}
