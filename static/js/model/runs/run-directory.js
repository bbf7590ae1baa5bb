// Summaries of all runs, for the list. They contain no steps.

import { highest } from "../step-number.js";
import { runStatus } from "../verdict/verdict.js";

/** A run in the list. Times are milliseconds of this browser's clock. */
class RunSummary {
    constructor(id) {
        this.id = id;
        this.createdAt = "";
        this.lastUpdate = 0;
        this.stepCount = 0;
        this.latestStep = null;
        /** The `seq` of the last accepted step, from the server. */
        this.lastSeq = 0;
        /** When a live message of this run was last seen, 0 for never. */
        this.lastSeen = 0;
        /** Its state and numbers of open alerts, see `runStatus`; null until the server has described the run. */
        this.status = null;
        /** The worst open finding, `{ severity, title, sinceStep }`; null if there is none or it is not known. */
        this.finding = null;
    }
}

/** The order of the list: the newest first. Of runs created at the same time the one that came last is first. */
export function newestFirst(a, b) {
    return a.createdAt === b.createdAt ? b.arrival - a.arrival : a.createdAt < b.createdAt ? 1 : -1;
}

export class RunDirectory {
    #runs = new Map();
    /** The runs in their order; replaced by another array when a run came, went, or was created anew. */
    #sorted = Object.freeze([]);
    #isSorted = true;
    #arrival = 0;
    #clock;

    #clockOffset = 0;

    constructor(clock = () => Date.now()) {
        this.#clock = clock;
    }

    /** Milliseconds to add to a time of the server to get one of this browser. */
    get clockOffset() {
        return this.#clockOffset;
    }

    set clockOffset(offset) {
        for (const run of this.#runs.values()) {
            // A live message's time is this browser's.
            if (run.lastUpdate !== run.lastSeen) run.lastUpdate += offset - this.#clockOffset;
        }
        this.#clockOffset = offset;
    }

    get size() {
        return this.#runs.size;
    }

    get(id) {
        return this.#runs.get(id);
    }

    /**
     * Newest first. Run ids such as "7" lose their place in a JavaScript object, so the creation time decides.
     * Returns the same array until the order changes, so a live step does not sort all runs.
     */
    list() {
        if (!this.#isSorted) {
            this.#sorted = Object.freeze([...this.#runs.values()].sort(newestFirst));
            this.#isSorted = true;
        }
        return this.#sorted;
    }

    /** The run updated last, or undefined. */
    mostRecent() {
        const later = (best, run) => (best === undefined || run.lastUpdate > best.lastUpdate ? run : best);
        return this.list().reduce(later, undefined);
    }

    /**
     * Makes the runs equal to a listing of the server. Runs with a live message since `requestedAt` stay, because the
     * listing may be older than they are.
     */
    applyListing(listing, requestedAt = Infinity) {
        const named = new Set();
        for (const [id, entry] of Object.entries(listing)) {
            // Before the run is added: an entry that cannot be read throws here.
            const { created_at: createdAt } = entry;
            named.add(id);
            const run = this.#ensure(id);
            const isNewer = run.lastSeen < requestedAt || run.createdAt !== createdAt;
            if (run.createdAt !== createdAt) this.#forgetVerdict(run);
            this.#setCreatedAt(run, createdAt);
            run.lastUpdate = Math.max(run.lastSeen, Date.parse(entry.last_update) + this.clockOffset);
            run.stepCount = entry.step_count;
            run.lastSeq = entry.last_seq ?? 0;
            run.latestStep = isNewer ? entry.latest_step : highest(run.latestStep, entry.latest_step ?? null);
        }
        for (const [id, run] of this.#runs) {
            if (!named.has(id) && run.lastSeen < requestedAt) this.remove(id);
        }
    }

    /** Applies the server's description of one run. Returns whether the run is another one than before. */
    applyDescription(id, data) {
        const run = this.#ensure(id);
        const isOther = run.createdAt !== data.created_at;
        // Other changes, such as a new name, do not make the run live.
        const hasNewStep = isOther ? data.last_seq > 0 : data.last_seq > run.lastSeq;
        if (isOther) this.#forgetVerdict(run);
        this.applyStatus(id, data);
        this.#setCreatedAt(run, data.created_at);
        run.lastSeq = data.last_seq;
        run.stepCount = data.step_count;
        run.latestStep = data.last_step;
        if (hasNewStep) run.lastSeen = this.#clock();
        const changedAt = Date.parse(data.last_update) + this.clockOffset;
        run.lastUpdate = Math.max(run.lastSeen, Number.isNaN(changedAt) ? 0 : changedAt);
        return isOther;
    }

    /** Applies state and open alerts of the server's description of a run. A run that is not in the list is ignored. */
    applyStatus(id, data) {
        const run = this.#runs.get(id);
        if (run === undefined) return;
        run.status = runStatus(data);
        if (run.status.critical + run.status.warning === 0) run.finding = null;
    }

    /**
     * Applies a live step. `isNew` is whether the run had no step of this number, or undefined if that is unknown:
     * then a number above the latest counts as new, and the next listing corrects the count.
     * Returns true if the run was unknown.
     */
    applyStep(id, step, isNew) {
        const isUnknown = !this.#runs.has(id);
        const run = this.#ensure(id);
        if (isUnknown) this.#setCreatedAt(run, new Date(this.#clock() - this.clockOffset).toISOString());
        run.lastSeen = this.#clock();
        run.lastUpdate = run.lastSeen;
        if (isNew ?? (run.latestStep === null || step > run.latestStep)) run.stepCount += 1;
        run.latestStep = highest(run.latestStep, step);
        return isUnknown;
    }

    /** The server no longer holds this run. */
    remove(id) {
        if (this.#runs.delete(id)) this.#isSorted = false;
    }

    #setCreatedAt(run, createdAt) {
        if (run.createdAt === createdAt) return;
        run.createdAt = createdAt;
        this.#isSorted = false;
    }

    #forgetVerdict(run) {
        run.status = null;
        run.finding = null;
    }

    #ensure(id) {
        let run = this.#runs.get(id);
        if (run === undefined) {
            run = new RunSummary(id);
            run.arrival = this.#arrival++;
            this.#runs.set(id, run);
            this.#isSorted = false;
        }
        return run;
    }
}
