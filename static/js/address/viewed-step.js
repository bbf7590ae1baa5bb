// The viewed step in the address: `step=N` while paused, absent while live.

import { stepOf } from "./address.js";

export class ViewedStep {
    #actions;
    #run = null;
    /** The step to go to when the run is read; null when it was done. */
    #wanted = null;
    #isMoving = false;
    /** The step that is shown instead of the wanted one, or null. */
    #other = null;

    /**
     * `actions`: `seekStep(step)` resolves to the step shown then, `live()`, and `onOther(wanted, shown)` when another
     * step is shown than the wanted one, with null when that is over.
     */
    constructor(actions) {
        this.#actions = actions;
    }

    /** Shows another run, live. `run` is a `SelectedRun`. */
    select(run) {
        this.#run = run;
        this.#other = null;
        this.#want(null);
    }

    get state() {
        const step = this.#wanted ?? this.#run?.player.step ?? null;
        return step === null ? {} : { step: String(step) };
    }

    restore({ step }) {
        const wanted = stepOf(step);
        this.#want(wanted);
        if (wanted === null && this.#run?.player.isPaused) this.#actions.live();
        this.show();
    }

    /** Goes to the wanted step as soon as the run is read. */
    async show() {
        const run = this.#run;
        if (this.#other !== null && this.#other !== run.player.step) {
            this.#other = null;
            this.#actions.onOther(null);
        }
        const canMove = !this.#isMoving && !run.isLoading && !run.isMissing && run.history.length > 0;
        if (this.#wanted === null || !canMove) return;
        const wanted = this.#wanted;
        this.#isMoving = true;
        const shown = await this.#actions.seekStep(wanted);
        this.#isMoving = false;
        if (run !== this.#run || wanted !== this.#wanted) return void this.show();
        this.#want(null);
        if (shown === null || shown === wanted) return;
        this.#other = shown;
        this.#actions.onOther(wanted, shown);
    }

    #want(step) {
        this.#wanted = step;
        if (this.#run !== null) this.#run.isMoving = step !== null;
    }
}
