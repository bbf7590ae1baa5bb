// The strip's reads: of the heatmap's columns, or of columns of its own for a run without layers.

import { ReadError, RunReads } from "../../feed/reads.js";
import { RefreshPlan } from "../../heatmap/data/refresh.js";
import { FollowingScalars } from "./following.js";
import { continued, parseScalars } from "./scalars.js";

export class StripSource {
    #onChange;
    #abort = null;
    #reads = null;
    #following = new FollowingScalars();
    #plan = new RefreshPlan();

    /** The columns of a run without heatmap, a `ScalarColumns`; null until they are read. */
    own = null;
    /** An error to show, or "". */
    failure = "";

    constructor(onChange) {
        this.#onChange = onChange;
    }

    select(runId) {
        this.#abort?.abort();
        this.#abort = new AbortController();
        this.#reads = new RunReads(runId, this.#abort.signal);
        this.#following = new FollowingScalars();
        this.#plan = new RefreshPlan();
        this.own = null;
        this.failure = "";
    }

    /** All steps were replaced, or some were dropped. */
    reset() {
        this.#plan.reset();
    }

    changed(step) {
        this.#plan.changed(step);
    }

    /** The scalars in the columns of the heatmap; null until they are read. */
    shownIn(axis) {
        return this.#following.shownIn(axis);
    }

    /** Reads what is due in the columns of the heatmap. `state` is that of `FollowingScalars.next`. */
    follow(state) {
        const following = this.#following;
        const read = following.next(state);
        if (read === null) return;
        this.#read(read, following, (scalars) => following.succeeded(scalars));
    }

    /** Reads what is due of a run without heatmap. `state` is that of `RefreshPlan.next`, its view with `names`. */
    update(names, state) {
        const plan = this.#plan;
        const read = names.length === 0 ? null : plan.next(state);
        if (read === null) return;
        const shown = this.own;
        const { from, to, points, append } = read;
        this.#read({ names, from: from ?? undefined, to: to ?? undefined, points }, plan, (fresh) => {
            const scalars = append ? continued(shown, fresh) : fresh;
            if (scalars === null) return void plan.mustReload();
            this.own = scalars;
            plan.succeeded(scalars);
        });
    }

    async #read(query, plan, apply) {
        const { signal } = this.#abort;
        try {
            const scalars = parseScalars(await this.#reads.scalars(query), query.names);
            if (signal.aborted) return;
            this.failure = "";
            apply(scalars);
        } catch (error) {
            if (signal.aborted) return;
            plan.failed(Date.now());
            // A TypeError of fetch is a lost connection, which the mark shows; 404 is a run that was removed.
            const isShown = !(error instanceof TypeError) && !(error instanceof ReadError && error.status === 404);
            if (isShown) this.failure = `The scalars could not be read: ${error.message}. They are read again in 5 s.`;
        } finally {
            if (!signal.aborted) this.#onChange();
        }
    }
}
