// The run on screen: its history and the viewed step.

import { History, Insertion } from "./history.js";
import { Player } from "./player.js";
import { decodeStep } from "./step-record.js";
import { StructureTable } from "./structure.js";

export class SelectedRun {
    #structures = new StructureTable();

    history = new History();
    player = new Player();
    /** A history was requested and has not arrived yet. */
    isLoading = false;
    /** The server does not have the run, or no longer. The steps received before stay visible. */
    isMissing = false;
    /** Why the server no longer holds the run: "deleted", "evicted", or null when it is not known. */
    missingReason = null;
    /** The number of received steps that the server did not keep: it had its maximum of higher steps. */
    stepsNotKept = 0;
    /** When the run was created, from the server; null until a history has arrived. */
    createdAt = null;

    constructor(id) {
        this.id = id;
    }

    get viewedIndex() {
        return this.player.viewedIndex(this.history);
    }

    get viewedRecord() {
        return this.history.at(this.viewedIndex);
    }

    /** Calls `action(player, history)`, pins the step that it chose, and returns its result. */
    play(action) {
        const result = action(this.player, this.history);
        this.history.pinned = this.player.step;
        return result;
    }

    /**
     * Stores a live step. `limit` is the server's maximum number of steps of a run, or null.
     * Returns whether its number is new, or undefined if the step is invalid.
     */
    takeStep(data, limit = null) {
        const record = decodeStep(data, this.#structures);
        if (record === null) return undefined;
        const insertion = this.history.insert(record);
        // The page has all steps that the server has, which are the highest ones.
        if (limit !== null && this.history.countAfter(record.step) >= limit) this.stepsNotKept += 1;
        const isNew = insertion === Insertion.appended || insertion === Insertion.inserted;
        if (isNew) this.player.stepArrived();
        return isNew;
    }

    /** Replaces all steps by those of a history. */
    takeHistory(data) {
        const records = (data?.steps ?? []).map((step) => decodeStep(step, this.#structures));
        this.history.replaceAll(records.filter((record) => record !== null));
        this.play((player, history) => player.historyReplaced(history));
        this.beginAgain(data?.created_at ?? null);
        this.isLoading = false;
        this.isMissing = false;
        this.missingReason = null;
    }

    /** The server has a new run of this id, created after the previous one was removed. */
    beginAgain(createdAt) {
        if (createdAt !== this.createdAt) this.stepsNotKept = 0;
        this.createdAt = createdAt;
    }

    takeNotFound(reason = null) {
        this.isLoading = false;
        this.isMissing = true;
        this.missingReason ??= reason;
    }
}
