// The run on screen: its steps, the viewed step, and how far the page has followed the run.

import { History, Insertion } from "./history.js";
import { Player } from "./player.js";
import { decodeStep } from "./step-record.js";
import { StructureTable } from "./structure.js";

export class SelectedRun {
    #structures = new StructureTable();
    #shown = undefined;

    history = new History();
    player = new Player();
    /** The run was requested and has not arrived yet. */
    isLoading = false;
    /** The page will go to another step as soon as the run is read: what it shows before is not wanted. */
    isMoving = false;
    /** The server does not have the run, or no longer. The steps received before stay visible. */
    isMissing = false;
    /** Why the server no longer holds the run: "deleted", "evicted", or null when it is not known. */
    missingReason = null;
    /** The number of received steps that the server did not keep: it had its maximum of higher steps. */
    stepsNotKept = 0;
    /** When the run was created, from the server; null until the run has arrived. */
    createdAt = null;
    /** The page has every change of the run up to this `seq`; null until the run has arrived. */
    followedSeq = null;
    /** How often all steps were replaced, or some dropped. */
    generation = 0;
    /** For each reader of `takeChangedFrom` the lowest step that was stored since its last call, or null. */
    #changedFrom = new Map();

    constructor(id) {
        this.id = id;
    }

    get viewedIndex() {
        return this.player.viewedIndex(this.history);
    }

    /** The viewed step, or undefined; `{ step }` if its record is not held. */
    get viewedRecord() {
        return this.history.at(this.viewedIndex);
    }

    /** The record to show: that of the viewed step, or until it is read the one shown before; undefined if none. */
    get shownRecord() {
        const viewed = this.viewedRecord;
        if (viewed?.structure !== undefined) this.#shown = viewed;
        return this.#shown;
    }

    /** Calls `action(player, history)`, pins the step that it chose, and returns its result. */
    play(action) {
        const result = action(this.player, this.history);
        this.history.pinned = this.player.step;
        return result;
    }

    /** The lowest step that was stored since the last call of this reader, or null. */
    takeChangedFrom(reader = "heatmap") {
        const step = this.#changedFrom.get(reader) ?? null;
        this.#changedFrom.set(reader, null);
        return step;
    }

    /**
     * The record of a step of the server, or null if it is none. `layers`: those of its structure; `metrics`: those
     * that the server was asked for, null for all.
     */
    decode(data, { layers, metrics = null } = {}) {
        return decodeStep(data, this.#structures, { layers, metrics });
    }

    /**
     * Stores a live step. `limit` is the server's maximum number of steps of a run, or null.
     * Returns whether its number is new, or undefined if the step is invalid.
     */
    takeStep(data, { limit = null, layers, metrics = null } = {}) {
        const record = this.decode(data, { layers, metrics });
        if (record === null) return undefined;
        for (const [reader, lowest] of this.#changedFrom) {
            if (lowest === null || record.step < lowest) this.#changedFrom.set(reader, record.step);
        }
        if (record.seq === this.followedSeq + 1) this.followedSeq = record.seq;
        this.history.maximumSteps = limit ?? Infinity;
        // The page knows all steps that the server has, which are the highest ones.
        if (limit !== null && this.history.countAfter(record.step) >= limit) this.stepsNotKept += 1;
        const insertion = this.history.insert(record);
        return insertion === Insertion.appended || insertion === Insertion.inserted;
    }

    /** Replaces all steps by those that were read: `buckets` of all numbers, and `records` of the last ones. */
    takeRun({ createdAt, buckets, records, lastSeq }) {
        this.history.load(buckets, records);
        this.generation += 1;
        this.play((player, history) => player.historyReplaced(history));
        if (createdAt !== this.createdAt) this.stepsNotKept = 0;
        this.createdAt = createdAt;
        this.followedSeq = lastSeq;
        this.becameKnown();
    }

    /** The server holds the run, and the page has what it sent. */
    becameKnown() {
        this.isLoading = false;
        this.isMissing = false;
        this.missingReason = null;
    }

    /** The server dropped the steps from this one on. */
    dropFrom(step) {
        this.history.dropFrom(step);
        this.generation += 1;
        this.play((player, history) => player.historyReplaced(history));
    }

    /** The server no longer keeps this step. */
    forget(step) {
        this.history.remove(step);
        this.play((player, history) => player.historyReplaced(history));
    }

    /** The page has every change up to this `seq`. The server omits changes that later ones replaced. */
    follow(seq) {
        if (!this.isLoading && this.followedSeq !== null && seq > this.followedSeq) this.followedSeq = seq;
    }

    takeNotFound(reason = null) {
        this.isLoading = false;
        this.isMissing = true;
        this.missingReason ??= reason;
    }
}
