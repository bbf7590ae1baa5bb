// The cursor in time: a step of the run. Moving it moves the viewed step of the page, and the other way round.

import { formatCount } from "../model/format.js";

export class TimeCursor {
    #run = null;
    #seekStep;
    /** The column to which the cursor is being moved, or null. */
    #goal = null;
    /** `{ step, shown }` while the cursor is at a step that the page cannot show, and `shown` is viewed; or null. */
    #away = null;

    /** `seekStep(step)` resolves to the step that the page shows then, or null. */
    constructor(seekStep) {
        this.#seekStep = seekStep;
    }

    /** `run` is a `SelectedRun`. */
    select(run) {
        this.#run = run;
        this.#goal = null;
        this.#away = null;
    }

    /** The viewed step, or the one at which the cursor is instead; undefined if there is none. */
    get step() {
        const viewed = this.#run.viewedRecord?.step;
        if (this.#away !== null && this.#away.shown !== viewed) this.#away = null;
        return this.#away?.step ?? viewed;
    }

    /** Why the page shows another step than that of the cursor, or "". */
    get note() {
        if (this.#away === null) return "";
        const { step, shown } = this.#away;
        return `Step ${formatCount(step)} is no longer kept; below is step ${formatCount(shown)}.`;
    }

    /** The column of the cursor; -1 if it is out of view. `range` is the one that the matrix was read for. */
    columnIn(matrix, range) {
        if (this.#goal !== null) return Math.min(this.#goal, matrix.columns - 1);
        const { step } = this;
        if (step === undefined) return -1;
        const column = matrix.columnOf(step);
        const isBehind = column === matrix.columns - 1 && step > matrix.lastSteps[column];
        return isBehind && range.to !== null ? -1 : column;
    }

    /** Moves the cursor to a column. Further moves begin there, also while the page still reads the step. */
    async moveTo(matrix, range, column) {
        const goal = Math.min(matrix.columns - 1, Math.max(0, column));
        if (goal === this.columnIn(matrix, range) && this.#run.player.isPaused) return;
        this.#goal = goal;
        await this.seek(matrix.lastSteps[goal]);
        if (this.#goal === goal) this.#goal = null;
    }

    async seek(step) {
        const run = this.#run;
        const shown = await this.#seekStep(step);
        if (run === this.#run) this.#away = shown === null || shown === step ? null : { step, shown };
    }

    /** A range of as many steps that has the cursor, if `range` does not; otherwise null. */
    rangeToFollow({ from, to }, columns) {
        const { step } = this;
        if ((from === null && to === null) || step === undefined || this.#goal !== null) return null;
        if ((from === null || step >= from) && (to === null || step <= to)) return null;
        const { history, viewedIndex } = this.#run;
        const end = history.length - 1;
        const low = from === null ? 0 : history.lowerBound(from);
        const width = Math.min(end, Math.max(columns, (to === null ? end : history.nearestIndex(to)) - low));
        const begin = Math.max(0, Math.min(viewedIndex - Math.floor(width / 2), end - width));
        const last = begin + width;
        return { from: history.at(begin).step, to: last >= end ? null : history.at(last).step };
    }
}
