// The steps of the selected run: the numbers of all that the server keeps, and the records of a few.
// Of a long run the server lists buckets of steps. Between the first and the last step of a bucket is a gap: steps
// whose numbers are not known yet.

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
    /** Known step numbers, ascending. */
    #steps = [];
    /** Steps after which a gap begins; it ends at the next known step. */
    #gaps = new Set();
    /** Step number to record, the one used last at the end. */
    #records = new Map();
    #valueCount = 0;
    #maximumValues;

    /** Most steps that the server keeps of a run. */
    maximumSteps;

    /** A step that the bounds never drop: the viewed one; null if none is pinned. */
    pinned = null;

    /**
     * @param maximumSteps most steps known
     * @param maximumValues most numbers held over all records (8 bytes each), by their `size`; the default is 32 MiB
     */
    constructor({ maximumSteps = Infinity, maximumValues = 4 * 1024 * 1024 } = {}) {
        this.maximumSteps = maximumSteps;
        this.#maximumValues = maximumValues;
    }

    get length() {
        return this.#steps.length;
    }

    /** The record at a position, or `{ step }` if its record is not held, or undefined. */
    at(index) {
        const step = this.#steps[index];
        if (step === undefined) return undefined;
        return this.#records.get(step) ?? { step };
    }

    /** The record of a step, or undefined if it is not held. */
    record(step) {
        return this.#records.get(step);
    }

    get recordCount() {
        return this.#records.size;
    }

    get first() {
        return this.at(0);
    }

    get last() {
        return this.at(this.#steps.length - 1);
    }

    /** Position of the first step with a number of at least `step`; `length` if there is none. */
    lowerBound(step) {
        let low = 0;
        let high = this.#steps.length;
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (this.#steps[middle] < step) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /** Position of exactly this step, or -1. */
    indexOf(step) {
        const index = this.lowerBound(step);
        return this.#steps[index] === step ? index : -1;
    }

    /** Position of this step, or of the next lower one, or of the first; -1 if the history is empty. */
    nearestIndex(step) {
        if (this.length === 0) return -1;
        const index = this.lowerBound(step);
        if (this.#steps[index] === step) return index;
        return Math.max(0, index - 1);
    }

    /** The number of known steps that have a higher number. */
    countAfter(step) {
        return this.length - this.lowerBound(step) - (this.indexOf(step) >= 0 ? 1 : 0);
    }

    /** Whether a gap begins at this position. */
    hasGapAfter(index) {
        return this.#gaps.has(this.#steps[index]);
    }

    /** Whether a gap begins at this step or after it. */
    hasGapFrom(step) {
        for (const begin of this.#gaps) if (begin >= step) return true;
        return false;
    }

    /** Adds a step in its place, or replaces the one of the same number. Returns an `Insertion`. */
    insert(record) {
        const isKnown = this.indexOf(record.step) >= 0;
        const isLast = this.length === 0 || record.step > this.#steps[this.length - 1];
        if (!isKnown) this.addStep(record.step);
        if (this.indexOf(record.step) < 0) return Insertion.dropped;
        this.hold(record);
        if (isKnown) return Insertion.replaced;
        return isLast ? Insertion.appended : Insertion.inserted;
    }

    /** Adds a step number without a record. */
    addStep(step) {
        const index = this.lowerBound(step);
        if (this.#steps[index] === step) return;
        if (index > 0 && index < this.length && this.hasGapAfter(index - 1)) this.#gaps.add(step);
        this.#steps.splice(index, 0, step);
        this.#dropSurplus();
    }

    /** Holds the record of a known step, unless a newer one is held. */
    hold(record) {
        const existing = this.#records.get(record.step);
        if (existing !== undefined && existing.seq > record.seq) return;
        if (this.indexOf(record.step) < 0) return;
        this.#forgetRecord(record.step);
        this.#records.set(record.step, record);
        this.#valueCount += record.size;
        this.#boundRecords(record.step);
    }

    /** Replaces all steps by these records; of two with the same number the later one stays. */
    replaceAll(records) {
        this.load({ steps: records.map((record) => record.step), last_steps: [] }, records);
    }

    /** Replaces all steps by the buckets of the server, `{ steps, last_steps }`, and holds these records. */
    load(buckets, records) {
        this.#records.clear();
        this.#valueCount = 0;
        this.#steps = [];
        this.#gaps.clear();
        this.#addBuckets(buckets);
        for (const record of records) this.insert(record);
    }

    /** Replaces the step numbers from `from` to `to` by finer buckets of the server. */
    refine(from, to, buckets) {
        const begin = this.lowerBound(from);
        for (let index = begin; index < this.length && this.#steps[index] < to; index += 1) {
            this.#gaps.delete(this.#steps[index]);
        }
        this.#addBuckets(buckets);
    }

    /** Forgets a step that the server no longer keeps. */
    remove(step) {
        const index = this.indexOf(step);
        if (index < 0) return;
        this.#steps.splice(index, 1);
        this.#gaps.delete(step);
        this.#forgetRecord(step);
    }

    /** Forgets all steps from this one on. */
    dropFrom(step) {
        const index = this.lowerBound(step);
        for (const dropped of this.#steps.splice(index)) {
            this.#gaps.delete(dropped);
            this.#forgetRecord(dropped);
        }
        // The gap before the end may have lost its own end.
        if (index > 0) this.#gaps.delete(this.#steps[index - 1]);
    }

    #addBuckets({ steps, last_steps: lastSteps }) {
        const known = new Set(this.#steps);
        steps.forEach((first, index) => {
            const last = lastSteps[index] ?? first;
            known.add(first).add(last);
            if (BigInt(last) - BigInt(first) > 1n) this.#gaps.add(first);
        });
        this.#steps = [...known].sort(compareSteps);
        this.#dropSurplus();
    }

    /** Drops the lowest steps, except the pinned one and the last, beyond the maximum. */
    #dropSurplus() {
        const surplus = Math.min(this.length - this.maximumSteps, this.length - 1);
        if (surplus <= 0) return;
        const removed = this.#steps.splice(0, surplus);
        for (const step of removed) {
            this.#gaps.delete(step);
            if (step !== this.pinned) this.#forgetRecord(step);
        }
        if (removed.includes(this.pinned)) this.#steps.unshift(this.pinned);
    }

    /** Forgets the records used least recently, except the pinned, the last and the new one, until the bound holds. */
    #boundRecords(newest) {
        if (this.#valueCount <= this.#maximumValues) return;
        const last = this.#steps[this.length - 1];
        for (const step of this.#records.keys()) {
            if (this.#valueCount <= this.#maximumValues) return;
            if (step !== this.pinned && step !== last && step !== newest) this.#forgetRecord(step);
        }
    }

    #forgetRecord(step) {
        const record = this.#records.get(step);
        if (record === undefined) return;
        this.#valueCount -= record.size;
        this.#records.delete(step);
    }
}
