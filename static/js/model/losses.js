// Sentences about evicted runs, and about steps and names that the server did not keep.

import { formatCount } from "./format.js";

/** Evictions since the page was opened. */
export class Evictions {
    #last = "";
    #count = 0;

    /**
     * Counts an evicted run.
     * @param id the run's id
     * @param held the number of runs that the page knew before
     * @param limits `{ runs, stepsPerRun }`, or null if they are unknown
     */
    add(id, held, limits) {
        this.#count += 1;
        this.#last = `Run ${id} was evicted: ${cause(held, limits)}.`;
    }

    /** A sentence about the last eviction and the number of earlier ones; empty if there was none. */
    get text() {
        const others = this.#count - 1;
        if (others < 1) return this.#last;
        return `${this.#last} ${formatCount(others)} ${others === 1 ? "run was" : "runs were"} evicted before it.`;
    }
}

function cause(held, limits) {
    if (limits === null) return "the server holds its maximum number of runs";
    // With fewer runs than allowed, the cause was the memory limit.
    if (held < limits.runs) return "the server has no more memory for metrics (MAX_MEMORY)";
    return `the server holds at most ${formatCount(limits.runs)} runs (MAX_RUNS)`;
}

/** A sentence about what the server lacks of the selected run; empty if it has all steps that the page knows. */
export function lossOf(run, limits) {
    if (run.isMissing) {
        const seen = "The steps received so far stay visible.";
        if (run.missingReason === "evicted") return `The server has evicted this run. ${seen}`;
        if (run.missingReason === "deleted") return `This run was deleted from the server. ${seen}`;
        return `The server no longer holds this run: it may have restarted, or removed the run. ${seen}`;
    }
    if (run.stepsNotKept === 0) return "";
    const steps = run.stepsNotKept === 1 ? "1 step was" : `${formatCount(run.stepsNotKept)} steps were`;
    const most = limits === null ? "the highest steps" : `the highest ${formatCount(limits.stepsPerRun)} steps`;
    return (
        `${steps} not kept by the server: it keeps ${most} of a run (MAX_STEPS_PER_RUN). ` +
        "A restarted training needs a new run_id."
    );
}

/** A sentence on `ignored_names` of a run's description; empty without. */
export function ignoredText(ignored) {
    if (ignored === undefined) return "";
    const counts = ["layer", "metric", "scalar", "vector"]
        .map((word) => ({ word, count: ignored[`${word}s`] }))
        .filter(({ count }) => count > 0)
        .map(({ word, count }) => `${formatCount(count)} ${word}${count === 1 ? "" : "s"}`);
    const last = counts.pop();
    const what = counts.length === 0 ? last : `${counts.join(", ")} and ${last}`;
    return (
        `The server ignored ${what} of this run: it takes at most ${formatCount(ignored.maximum)} names of metrics, scalars, `
        + "vectors and layers from a run. To keep more, start the server with a higher NN_MONITOR_MAX_NAMES_PER_RUN."
    );
}
