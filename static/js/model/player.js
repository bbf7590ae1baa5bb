// What of the history is on screen: the newest step (live), or one chosen step (paused).

/**
 * The state machine behind the player's buttons.
 * States: `live`, and `paused` at a step number. It holds no data; the history is passed in.
 */
export class Player {
    #step = null;
    #latestWhenPaused = 0;
    #newSteps = 0;

    get isPaused() {
        return this.#step !== null;
    }

    /** The step number looked at while paused, else null. */
    get step() {
        return this.#step;
    }

    /** Steps that came since the pause began. */
    get newSteps() {
        return this.#newSteps;
    }

    /** Position in the history to show, or -1 when there is nothing. */
    viewedIndex(history) {
        return this.isPaused ? history.nearestIndex(this.#step) : history.length - 1;
    }

    live() {
        this.#step = null;
        this.#newSteps = 0;
    }

    /** Stops at the newest step. Without any step there is nothing to stop at. */
    pause(history) {
        if (!this.isPaused) this.#showIndex(history, history.length - 1);
    }

    toggle(history) {
        if (this.isPaused) this.live();
        else this.pause(history);
    }

    back(history) {
        this.#showIndex(history, Math.max(0, this.viewedIndex(history) - 1));
    }

    /** One step on; stays at the last. In live there is nothing ahead. */
    forward(history) {
        if (this.isPaused) this.#showIndex(history, Math.min(history.length - 1, this.viewedIndex(history) + 1));
    }

    /** Shows the record at a position of the history (the slider). */
    seekIndex(history, index) {
        this.#showIndex(history, Math.min(Math.max(0, index), history.length - 1));
    }

    /** Shows this step, or the nearest lower one that is kept. Returns the number shown, or null. */
    seekStep(history, step) {
        this.#showIndex(history, history.nearestIndex(step));
        return this.#step;
    }

    /** A step that was not there before has been stored. */
    stepArrived() {
        if (this.isPaused) this.#newSteps += 1;
    }

    /** The history was loaded anew: the chosen step may be gone from it, and some steps may have been missed. */
    historyReplaced(history) {
        if (!this.isPaused) return;
        if (history.length === 0) return this.live();
        this.#step = history.at(history.nearestIndex(this.#step)).step;
        this.#newSteps = history.countAfter(this.#latestWhenPaused);
    }

    #showIndex(history, index) {
        const record = history.at(index);
        if (record === undefined) return;
        if (!this.isPaused) {
            this.#latestWhenPaused = history.last.step;
            this.#newSteps = 0;
        }
        this.#step = record.step;
    }
}
