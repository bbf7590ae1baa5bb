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

    /** Stores a live step. Returns whether its number is new, or undefined when it could not be read. */
    takeStep(data) {
        const record = decodeStep(data, this.#structures);
        if (record === null) return undefined;
        const insertion = this.history.insert(record);
        const isNew = insertion === Insertion.appended || insertion === Insertion.inserted;
        if (isNew) this.player.stepArrived();
        return isNew;
    }

    /** A history is the whole truth of its moment: it replaces what was held. */
    takeHistory(data) {
        const records = (data?.steps ?? []).map((step) => decodeStep(step, this.#structures));
        this.history.replaceAll(records.filter((record) => record !== null));
        this.play((player, history) => player.historyReplaced(history));
        this.createdAt = data?.created_at ?? null;
        this.isLoading = false;
        this.isMissing = false;
    }

    takeNotFound() {
        this.isLoading = false;
        this.isMissing = true;
    }
}
