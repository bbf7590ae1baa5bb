// Which step is on screen: the newest (live), or a chosen one (paused).

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

    /** The viewed step number while paused, otherwise null. */
    get step() {
        return this.#step;
    }

    /** The number of steps that arrived since the pause began. */
    get newSteps() {
        return this.#newSteps;
    }

    /** Position in the history to show, or -1 if it is empty. */
    viewedIndex(history) {
        return this.isPaused ? history.nearestIndex(this.#step) : history.length - 1;
    }

    live() {
        this.#step = null;
        this.#newSteps = 0;
    }

    /** Pauses at the newest step. Does nothing if there is no step. */
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

    /** Shows the next step, if the player is paused and there is one. */
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

    /** Counts a step of a new number. */
    stepArrived() {
        if (this.isPaused) this.#newSteps += 1;
    }

    /** Adapts to a reloaded history, which may lack the chosen step and have steps that were missed before. */
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
