// The selected run: what the server sends of it, and what the page reads of it.

import { subscribeRun, watchRuns } from "./feed/protocol.js";
import { RunLoader } from "./feed/run-loader.js";
import { SelectedRun } from "./model/selected-run.js";
import { isStepNumber } from "./model/step-number.js";

/** Least time between two subscriptions of a page that lags behind (milliseconds). */
const LAG_INTERVAL = 10_000;
/** Time from a failed load of the run to the next attempt (milliseconds). */
const RETRY_INTERVAL = 2_000;

export class RunSubscription {
    #handlers;
    #loader;
    /** The metrics of the live steps, and those that are in view: they become the former with the next subscription. */
    #metrics = [];
    #wanted;
    /** Layers by the structure's id in this connection. */
    #layers = new Map();
    #timer = null;
    #subscribedAt = -Infinity;
    #isStopped = false;
    /** The last move of the player; each waits for the one before. */
    #moves = Promise.resolve();

    /** The `SelectedRun`. */
    run;

    /**
     * `handlers`: `send(action)` returns whether the page is connected, `stepLimit()` the server's maximum number of
     * steps of a run or null; `onChange()`, `onStep(data, isNew)`, `onDescription(data)`, and `onFailure(text)` with an
     * error to show, empty when it is over. `metrics` are those to begin with.
     */
    constructor(runId, handlers, metrics = []) {
        this.#wanted = metrics;
        this.run = new SelectedRun(runId);
        this.#handlers = handlers;
        this.#loader = new RunLoader(this.run, {
            onChange: handlers.onChange,
            onStep: (data, layers) => this.#takeStep(data, layers),
            onLoaded: handlers.onDescription,
            onFailure: handlers.onFailure,
            onLoadFailed: () => this.#subscribeIn(RETRY_INTERVAL),
        });
    }

    /** Another run was selected. */
    stop() {
        this.#isStopped = true;
        clearTimeout(this.#timer);
        this.#loader.stop();
    }

    /** The page has a new connection. */
    connected() {
        this.#layers.clear();
        this.#metrics = this.#wanted;
        this.subscribe();
    }

    /** Requests the run from the server: what changed since the last connection, or all. */
    subscribe() {
        clearTimeout(this.#timer);
        this.#timer = null;
        // Ends the steps of a run that was selected before.
        if (this.#isStopped || !this.#handlers.send(watchRuns())) return;
        this.#subscribedAt = Date.now();
        // The answer to an earlier subscription may still be under way: what it holds has the metrics of that one.
        if (!this.run.isLoading) this.#metrics = this.#wanted;
        const { id, createdAt, followedSeq, isMissing } = this.run;
        const canResume = followedSeq !== null && !isMissing;
        const limit = this.#loader.recordsPerRead;
        this.#loader.subscribed(this.#metrics);
        const resume = canResume ? { sinceSeq: followedSeq, createdAt, limit } : null;
        this.#handlers.send(subscribeRun(id, this.#metrics, resume));
    }

    /** The server skipped messages. What they held is requested with a delay, because the answer adds to the lag. */
    lagged() {
        this.#subscribeIn(Math.max(0, this.#subscribedAt + LAG_INTERVAL - Date.now()));
    }

    /** A message about this run. */
    receive(message) {
        switch (message.type) {
            case "run":
                this.#described(message.data);
                break;
            case "structure":
                this.#layers.set(message.structure, message.layers);
                break;
            case "step":
                this.#receiveStep(message.data);
                break;
            case "run_history":
                this.#takeHistory(message);
                break;
            case "position":
                this.run.follow(message.seq);
                break;
            case "reset":
                this.#takeReset(message.from_step);
                break;
            case "run_deleted":
                this.notFound(message.reason);
                break;
        }
    }

    /** The server's list has this run, created at `createdAt`, or undefined. */
    listed(createdAt) {
        if (this.run.createdAt === null) return;
        if (createdAt === undefined) this.notFound();
        // The run was evicted, and a new run has its id.
        else if (createdAt !== this.run.createdAt) this.subscribe();
    }

    notFound(reason = null) {
        this.#loader.removed();
        this.run.takeNotFound(reason);
    }

    /**
     * Reads what is missing on screen. `metrics` are those in view: the live steps get them with the next subscription,
     * which is at once if one of them is lacking.
     */
    want(metrics) {
        this.#wanted = metrics;
        const { isLoading, isMissing } = this.run;
        const isLacking = metrics.some((metric) => !this.#metrics.includes(metric));
        if (isLacking && !isLoading && !isMissing) this.subscribe();
        else this.#loader.want();
    }

    /**
     * Plays an action after the numbers of the steps that it may choose are known, and after all moves before it.
     * `place(history, viewedIndex)` is the position at which an unread gap would hide them.
     */
    move(place, action) {
        this.#moves = this.#moves.then(async () => {
            const index = place(this.run.history, this.run.viewedIndex);
            if (this.run.history.hasGapAfter(index)) await this.#loader.fillGap(index);
            return this.play(action);
        });
        return this.#moves;
    }

    play(action) {
        const result = this.run.play(action);
        this.#handlers.onChange();
        return result;
    }

    #described(data) {
        const known = this.run.isLoading ? this.#loader.createdAt : this.run.createdAt;
        const isOther = known !== null && known !== data.created_at;
        if (isOther || (this.run.isMissing && !this.run.isLoading)) this.subscribe();
    }

    #takeHistory({ data, reset }) {
        if (this.run.followedSeq === null || reset !== false) this.#loader.load(data.created_at);
        else this.#loader.takeChanges(data, (step) => this.#layersOf(step));
    }

    #takeReset(fromStep) {
        if (this.run.isLoading || !isStepNumber(fromStep)) {
            this.#loader.load(this.run.createdAt);
        } else {
            this.#loader.stepsDropped();
            this.run.dropFrom(fromStep);
        }
    }

    #receiveStep(data) {
        if (!isStepNumber(data?.step)) throw new TypeError("the step has no number");
        const layers = this.#layersOf(data);
        if (!this.#loader.holdBack(data, layers)) this.#takeStep(data, layers);
    }

    #takeStep(data, layers) {
        if (!isStepNumber(data?.step)) return;
        const isNew = this.run.takeStep(data, { limit: this.#handlers.stepLimit(), layers, metrics: this.#metrics });
        this.#handlers.onStep(data, isNew);
        // The run was removed, so the step belongs to a new run.
        if (this.run.isMissing && !this.run.isLoading) this.subscribe();
    }

    #layersOf(step) {
        return this.#layers.get(step?.structure) ?? [];
    }

    #subscribeIn(delay) {
        if (this.#timer === null && !this.run.isMissing && !this.#isStopped) {
            this.#timer = setTimeout(() => this.subscribe(), delay);
        }
    }
}
