// Reads what the page shows of the selected run, and no more: the numbers of its steps, the record of the viewed step
// and of its neighbours, with the metrics in view.

import { AHEAD_SECONDS, stepsAhead } from "./read-ahead.js";
import { ConnectionLost, ReadError, RunReads, UnreadableAnswer } from "./reads.js";

/** Numbers in one read of several records. It bounds the bytes of a read, whatever the number of layers. */
const RECORDS_BUDGET = 8_000;
/** Records in one read at most, and the steps before the viewed one whose numbers are read. */
const NEAR_STEPS = 120;
/** Numbers in one read of the steps that come next while playing. */
const AHEAD_BUDGET = 64_000;
/** What a run without steps has. */
const NO_STEPS = Object.freeze({ steps: [], last_steps: [] });
/** Milliseconds without a read after one failed. */
const PAUSE_AFTER_FAILURE = 2_000;

export class RunLoader {
    #run;
    #reads;
    #abort = new AbortController();
    #handlers;
    /** Live steps since the subscription, `{ data, layers }`, until the run is read; null otherwise. */
    #waiting = null;
    #loadCount = 0;
    /** Whether the neighbours of the latest step were read since the last load. */
    #hasNeighbours = false;
    /** The metrics of the records that are read. */
    #metrics = [];
    #busy = new Set();
    #pausedUntil = 0;
    #hasFailed = false;

    /** When the run that is being read was created, as far as it is known; null before. */
    createdAt = null;

    /**
     * `handlers`: `onChange()`, `onStep(data, layers)` for live steps that had to wait, `onLoaded(description)`,
     * `onLoadFailed()`, `onFailure(text)` for an error to show, empty when a later read succeeded.
     */
    constructor(run, handlers) {
        this.#run = run;
        this.#handlers = handlers;
        this.#reads = new RunReads(run.id, this.#abort.signal);
    }

    /** Ignores the answers of all reads. */
    stop() {
        this.#abort.abort();
    }

    /** Most steps that a reconnecting page takes as messages: what it would read at once anyway. */
    get recordsPerRead() {
        return this.#stepsWithin(RECORDS_BUDGET, NEAR_STEPS);
    }

    /** The steps that have at most this many numbers together: at least one, and no more than `most`. */
    #stepsWithin(budget, most) {
        const layers = this.#run.shownRecord?.structure.length ?? 0;
        const perStep = Math.max(1, layers * this.#metrics.length);
        return Math.max(1, Math.min(most, Math.floor(budget / perStep)));
    }

    /** The run was subscribed to with these metrics: live steps wait until its history or changes have arrived. */
    subscribed(metrics) {
        this.#metrics = metrics;
        this.#loadCount += 1;
        this.#waiting = [];
        this.createdAt = null;
        this.#run.isLoading = true;
    }

    /** The run was removed: nothing of it is waited for, and what was received of it may not mix with a new run. */
    removed() {
        this.#loadCount += 1;
        this.#waiting = null;
    }

    /** Steps were dropped: the answers of reads that have begun may still have them, and are ignored. */
    stepsDropped() {
        this.#loadCount += 1;
    }

    /** Applies the steps that changed since the page lost the connection. `layersOf` finds those of a step. */
    takeChanges(data, layersOf) {
        for (const step of data.steps) this.#handlers.onStep(step, layersOf(step));
        this.#run.followedSeq = data.last_seq;
        this.#run.becameKnown();
        this.#release();
    }

    /** Keeps a live step until the run is read; returns false if it need not wait. */
    holdBack(data, layers) {
        if (this.#waiting === null) return false;
        this.#waiting.push({ data, layers });
        return true;
    }

    /** Reads the run from the start. The server must send its live steps already, so that none is missed. */
    async load(createdAt) {
        const count = (this.#loadCount += 1);
        const isStale = () => count !== this.#loadCount;
        this.#waiting ??= [];
        this.#hasNeighbours = false;
        this.#run.isLoading = true;
        this.createdAt = createdAt;
        await this.#attempt("load", async () => {
            const [latest, description] = await Promise.all([
                this.#reads.steps({ last: 1, metrics: this.#metrics }), this.#reads.describe(),
            ]);
            if (isStale()) return;
            const first = description.first_step;
            const records = this.#decode(latest);
            this.createdAt = description.created_at;
            const load = { createdAt: description.created_at, records, lastSeq: description.last_seq };
            const buckets = first === null ? NO_STEPS : await this.#reads.stepNumbers({ from: first });
            if (isStale()) return;
            this.#run.takeRun({ ...load, buckets: clipped(buckets, first), lastSeq: buckets.last_seq ?? load.lastSeq });
            this.#handlers.onLoaded(description);
            this.#release();
        }, isStale);
    }

    /** Reads what is missing on screen. */
    want() {
        if (this.#run.isLoading || this.#run.isMissing || this.#run.history.length === 0) return;
        if (Date.now() < this.#pausedUntil) return;
        this.#wantRecord();
        this.#wantAhead();
        this.#wantNumbers();
    }

    /** The viewed record, and as many before it as one read may have. */
    #wantRecord() {
        const record = this.#run.viewedRecord;
        const { step } = record;
        const isHeld = record.structure !== undefined && record.covers(this.#metrics);
        if (isHeld && (this.#hasNeighbours || this.recordsPerRead === 1)) return;
        const last = this.recordsPerRead;
        this.#once("record", this.#reads.steps, { to: step, last, metrics: this.#metrics }, (steps) => {
            const records = this.#decode(steps);
            this.#hasNeighbours = true;
            if (!records.some((record) => record.step === step)) this.#run.forget(step);
            for (const record of records) this.#run.history.insert(record);
        });
    }

    /** While playing: the records of the next steps, in one read. */
    #wantAhead() {
        const { history, player, viewedIndex } = this.#run;
        if (!player.isPlaying) return;
        const due = stepsAhead(history, viewedIndex, this.#stepsWithin(AHEAD_BUDGET, AHEAD_SECONDS * player.speed));
        if (due?.gap !== undefined) this.#once("gap", () => this.fillGap(due.gap), {}, () => {});
        if (due?.steps === undefined) return;
        const query = { from: due.steps[0], to: due.steps.at(-1), metrics: this.#metrics };
        this.#once("ahead", this.#reads.steps, query, (answer) => {
            const records = this.#decode(answer);
            const found = new Set(records.map(({ step }) => step));
            for (const step of due.steps) if (!found.has(step)) this.#run.forget(step);
            for (const record of records) history.insert(record);
        });
    }

    /** The numbers in the gaps beside the viewed step and before it, as far as a player soon comes. */
    #wantNumbers() {
        const { history, viewedIndex } = this.#run;
        let from = null;
        let to = null;
        let hidden = 0n;
        for (let index = viewedIndex + 1; index >= 0 && index > viewedIndex - NEAR_STEPS; index -= 1) {
            if (!history.hasGapAfter(index)) continue;
            const [begin, end] = [history.at(index).step, history.at(index + 1).step];
            from = begin;
            to ??= end;
            hidden += BigInt(end) - BigInt(begin);
            if (hidden >= NEAR_STEPS) break;
        }
        if (from === null) return;
        this.#once("numbers", this.#reads.stepNumbers, { from, to }, (numbers) => {
            history.refine(from, to, clipped(numbers, from, to));
        });
    }

    /** Reads the numbers of the steps in the gap at this position of the history. */
    async fillGap(index) {
        const { history } = this.#run;
        const [from, to] = [history.at(index).step, history.at(index + 1).step];
        const count = this.#loadCount;
        try {
            const numbers = await this.#reads.stepNumbers({ from, to });
            if (count === this.#loadCount) history.refine(from, to, clipped(numbers, from, to));
        } catch (error) {
            if (!this.#abort.signal.aborted) this.#failed("numbers", error);
        }
    }

    #decode(steps) {
        const metrics = this.#metrics;
        return steps.map((step) => this.#run.decode(step, { metrics })).filter((record) => record !== null);
    }

    /** Applies the live steps that came during the load, except those that it has. */
    #release() {
        const waiting = this.#waiting;
        const lastSeq = this.#run.followedSeq;
        this.#waiting = null;
        for (const { data, layers } of waiting) if (data.seq > lastSeq) this.#handlers.onStep(data, layers);
    }

    /** One read of a kind at a time; after it, `want` reads what is missing then. */
    #once(kind, read, query, apply) {
        if (this.#busy.has(kind)) return;
        this.#busy.add(kind);
        const count = this.#loadCount;
        const isStale = () => count !== this.#loadCount;
        this.#attempt(kind, async () => {
            try {
                const answer = await read.call(this.#reads, query);
                // After a reload the answer may be about another run of this id.
                if (!isStale()) apply(answer);
            } finally {
                this.#busy.delete(kind);
            }
        }, isStale);
    }

    async #attempt(kind, read, isStale) {
        try {
            await read();
            if (this.#hasFailed && !isStale()) this.#handlers.onFailure("");
            this.#hasFailed = false;
        } catch (error) {
            if (this.#abort.signal.aborted || isStale()) return;
            this.#failed(kind, error);
        }
        if (!this.#abort.signal.aborted) this.#handlers.onChange();
    }

    #failed(kind, error) {
        this.#pausedUntil = Date.now() + PAUSE_AFTER_FAILURE;
        if (kind === "load") this.#waiting = null;
        if (error instanceof ReadError && error.status === 404) {
            this.#run.takeNotFound();
        } else if (!(error instanceof ConnectionLost || error instanceof UnreadableAnswer)) {
            // The mark shows a lost connection, and an answer that cannot be read is among the problems of the page.
            this.#hasFailed = true;
            this.#handlers.onFailure(`The server's answer for this run cannot be read: ${error.message}.`);
        }
        if (kind === "load") this.#handlers.onLoadFailed();
    }
}

/** Buckets without numbers outside of the range: a bucket of older steps may begin before it. */
function clipped({ steps, last_steps: lastSteps, last_seq: lastSeq }, from, to = null) {
    const low = (step) => (step < from ? from : step);
    const high = (step) => (to !== null && step > to ? to : step);
    const clip = (step) => high(low(step));
    return { steps: steps.map(clip), last_steps: lastSteps.map(clip), last_seq: lastSeq };
}
