// What the server evicted or does not keep, in words.

import { formatCount } from "./format.js";

/** Evictions since the page was opened. */
export class Evictions {
    #last = "";
    #count = 0;

    /**
     * A run was evicted.
     * @param id the run's id
     * @param held how many runs the server held before, as the page knows
     * @param limits `{ runs, stepsPerRun }`, or null when they are not known
     */
    add(id, held, limits) {
        this.#count += 1;
        this.#last = `Run ${id} was evicted: ${cause(held, limits)}.`;
    }

    /** The last eviction in a sentence, and how many came before it; empty when there was none. */
    get text() {
        const others = this.#count - 1;
        if (others < 1) return this.#last;
        return `${this.#last} ${formatCount(others)} ${others === 1 ? "run was" : "runs were"} evicted before it.`;
    }
}

function cause(held, limits) {
    if (limits === null) return "the server holds its maximum number of runs";
    // With fewer runs than allowed, it was the memory.
    if (held < limits.runs) return "the server has no more memory for metrics (MAX_MEMORY)";
    return `the server holds at most ${formatCount(limits.runs)} runs (MAX_RUNS)`;
}

/** What the server does not hold of the selected run, in a sentence; empty when it holds everything that is known. */
export function lossOf(run, limits) {
    if (run.isMissing) {
        const seen = "The steps received so far stay visible.";
        if (run.missingReason === "evicted") return `The server has evicted this run. ${seen}`;
        if (run.missingReason === "deleted") return `This run was deleted from the server. ${seen}`;
        return `The server no longer holds this run. ${seen}`;
    }
    if (run.stepsNotKept === 0) return "";
    const steps = run.stepsNotKept === 1 ? "1 step was" : `${formatCount(run.stepsNotKept)} steps were`;
    const most = limits === null ? "the highest steps" : `the highest ${formatCount(limits.stepsPerRun)} steps`;
    return (
        `${steps} not kept by the server: it keeps ${most} of a run (MAX_STEPS_PER_RUN). ` +
        "A restarted training needs a new run_id."
    );
}
