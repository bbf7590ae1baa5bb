// The run on screen: its history, and what of it is looked at.

import { History, Insertion } from "./history.js";
import { Player } from "./player.js";
import { decodeStep } from "./step-record.js";
import { StructureTable } from "./structure.js";

export class SelectedRun {
    #structures = new StructureTable();

    history = new History();
    player = new Player();
    /** A history has been asked for and not come yet. */
    isLoading = false;
    /** The server does not hold the run (any more). What was seen of it stays. */
    isMissing = false;
    /** Why the server no longer holds the run: "deleted", "evicted", or null when it is not known. */
    missingReason = null;
    /** Steps that came and that the server does not keep, because it holds as many higher ones as it may. */
    stepsNotKept = 0;
    /** When the server created the run, as it says; null until a history has come. */
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

    /** Does something with the player: `action(player, history)`. Returns its result. */
    play(action) {
        const result = action(this.player, this.history);
        this.history.pinned = this.player.step;
        return result;
    }

    /**
     * Stores a live step. `limit` is how many steps of a run the server holds at most, or null.
     * Returns whether its number is new, or undefined when it could not be read.
     */
    takeStep(data, limit = null) {
        const record = decodeStep(data, this.#structures);
        if (record === null) return undefined;
        const insertion = this.history.insert(record);
        // The page has all steps that the server holds, and those are the highest.
        if (limit !== null && this.history.countAfter(record.step) >= limit) this.stepsNotKept += 1;
        const isNew = insertion === Insertion.appended || insertion === Insertion.inserted;
        if (isNew) this.player.stepArrived();
        return isNew;
    }

    /** A history is the whole truth of its moment: it replaces what was held. */
    takeHistory(data) {
        const records = (data?.steps ?? []).map((step) => decodeStep(step, this.#structures));
        this.history.replaceAll(records.filter((record) => record !== null));
        this.play((player, history) => player.historyReplaced(history));
        this.beginAgain(data?.created_at ?? null);
        this.isLoading = false;
        this.isMissing = false;
        this.missingReason = null;
    }

    /** The server holds another run under this id: it was removed and posted to again. */
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
