// The dashboard: connects the live feed, the model and the views.

import { Phase } from "./feed/feed.js";
import { fetchLimits, fetchListing } from "./feed/listing.js";
import { isRunNotFound, subscribeRun, watchRuns } from "./feed/protocol.js";
import { RunLoader } from "./feed/run-loader.js";
import { Evictions } from "./model/losses.js";
import { RunDirectory } from "./model/runs.js";
import { SelectedRun } from "./model/selected-run.js";
import { isStepNumber } from "./model/step-number.js";
import { ConnectionBadge } from "./view/connection-badge.js";
import { element } from "./view/dom.js";
import { FrameScheduler } from "./view/frame.js";
import { LayerGrid } from "./view/layer-grid.js";
import { Palette } from "./view/palette.js";
import { PlayerControls } from "./view/player-controls.js";
import { RunHeader } from "./view/run-header.js";
import { RunList } from "./view/run-list.js";
import { Stage } from "./view/stage.js";

/** Least time between two fetches of the listing, and between two subscriptions of a lagging page (milliseconds). */
const LISTING_INTERVAL = 10_000;
/** Time from a failed load of the run to the next attempt (milliseconds). */
const LOAD_RETRY_INTERVAL = 2_000;
const RELOAD_INTERVAL = 10_000;

const UNREADABLE = "The server sent a message that cannot be read. The page may be incomplete; reload it.";

export class Dashboard {
    #feed = null;
    #runs = new RunDirectory();
    /** The `SelectedRun`, or null. */
    #run = null;
    /** The `RunLoader` of the selected run, or null. */
    #loader = null;
    /** Layers by the structure's id in this connection, for the selected run. */
    #layersOfStructure = new Map();
    /** The last move of the player; each waits for the one before. */
    #moves = Promise.resolve();
    #notice = "";
    /** The server's limits, `{ runs, stepsPerRun }`; null until they are known. */
    #limits = null;
    #evictions = new Evictions();

    #hasListing = false;
    #listingAt = -Infinity;
    #isListing = false;
    /** Milliseconds from the last listing to the next; finite once messages were skipped for this page. */
    #listingInterval = Infinity;
    #reloadTimer = null;
    #reloadedAt = -Infinity;

    #frame = new FrameScheduler(() => this.#paint());
    #palette = new Palette(() => this.#frame.request());
    #grid = new LayerGrid(element("layers"), this.#palette, () => this.#frame.request());
    #stage = new Stage();
    #header = new RunHeader();
    #list = new RunList((id) => this.select(id));
    #badge = new ConnectionBadge(() => this.#feed.retryNow());
    #controls = new PlayerControls({
        back: () => this.#move((history, index) => index - 1, (player, history) => player.back(history)),
        toggle: () => this.#play((player, history) => player.toggle(history)),
        forward: () => this.#move((history, index) => index, (player, history) => player.forward(history)),
        live: () => this.#play((player) => player.live()),
        seekIndex: (index) => this.#play((player, history) => player.seekIndex(history, index)),
        seekStep: (step) => this.#move(
            (history) => (history.indexOf(step) < 0 ? history.nearestIndex(step) : -1),
            (player, history) => player.seekStep(history, step)),
    });

    /** Attaches the feed, whose handlers are `feedHandlers`, and starts it. */
    start(feed, selectedId) {
        this.#feed = feed;
        if (selectedId !== null) this.select(selectedId);
        feed.start();
        setInterval(() => this.#tick(), 1000);
        this.#frame.request();
    }

    get feedHandlers() {
        return {
            onState: () => this.#frame.request(),
            onOpen: () => this.#opened(),
            onMessage: (message) => this.#receive(message),
            onUnreadable: () => this.notify(UNREADABLE),
        };
    }

    /** Shows a line above the run; empty for none. */
    notify(text) {
        this.#notice = text;
        this.#frame.request();
    }

    /** Selects this run, live. The server need not have it yet. */
    select(id) {
        if (id === this.#run?.id) return;
        this.#loader?.stop();
        this.#run = new SelectedRun(id);
        this.#loader = this.#makeLoader(this.#run);
        this.#notice = "";
        history.replaceState(null, "", `#run=${encodeURIComponent(id)}`);
        this.#subscribe();
        this.#frame.request();
    }

    #opened() {
        this.#layersOfStructure.clear();
        if (this.#run === null) this.#feed.send(watchRuns());
        else this.#subscribe();
        // For each connection, because a restarted server may have other limits.
        fetchLimits().then((limits) => (this.#limits = limits ?? this.#limits));
    }

    #subscribe() {
        clearTimeout(this.#reloadTimer);
        this.#reloadTimer = null;
        if (this.#run === null || this.#feed?.state.phase !== Phase.open) return;
        this.#reloadedAt = Date.now();
        const { id, createdAt, followedSeq } = this.#run;
        const resume = followedSeq === null || this.#run.isMissing
            ? null : { sinceSeq: followedSeq, createdAt, limit: this.#loader.recordsPerRead };
        this.#loader.subscribed();
        // Ends the steps of a run that was selected before.
        this.#feed.send(watchRuns());
        this.#feed.send(subscribeRun(id, resume));
    }

    #makeLoader(run) {
        const whileSelected = (action) => (...values) => {
            if (run === this.#run) action(...values);
        };
        return new RunLoader(run, {
            onChange: whileSelected(() => this.#frame.request()),
            onStep: whileSelected((data, layers) => this.#takeStep(data, layers)),
            onLoaded: whileSelected((description) => this.#runs.applyDescription(run.id, description)),
            onFailure: whileSelected((text) => this.notify(text)),
            onLoadFailed: whileSelected(() => this.#retryLoad()),
        });
    }

    #retryLoad() {
        if (this.#run.isMissing || this.#reloadTimer !== null) return;
        this.#reloadTimer = setTimeout(() => this.#subscribe(), LOAD_RETRY_INTERVAL);
    }

    #receive(message) {
        switch (message.type) {
            case "initial_runs":
                this.#takeListing(message.data ?? {});
                break;
            case "run":
                this.#takeDescription(message.run_id, message.data);
                break;
            case "structure":
                if (message.run_id === this.#run?.id) this.#layersOfStructure.set(message.structure, message.layers);
                break;
            case "step":
                if (message.run_id === this.#run?.id) this.#receiveStep(message.data);
                break;
            case "run_history":
                if (message.run_id === this.#run?.id) this.#takeHistory(message);
                break;
            case "reset":
                if (message.run_id === this.#run?.id) this.#takeReset(message.from_step);
                break;
            case "run_deleted":
                this.#dropRun(message.run_id, message.reason);
                break;
            case "lagged":
                this.#reloadSoon();
                break;
            case "error":
                this.#takeError(message);
                break;
        }
        this.#frame.request();
    }

    #takeListing(listing, requestedAt) {
        this.#hasListing = true;
        this.#listingAt = Date.now();
        this.#listingInterval = Infinity;
        this.#runs.applyListing(listing, requestedAt);
        if (this.#run === null) this.#selectMostRecent();
        if (this.#run === null || this.#run.createdAt === null) return;
        const summary = this.#runs.get(this.#run.id);
        if (summary === undefined) {
            this.#run.takeNotFound();
        } else if (summary.createdAt !== this.#run.createdAt) {
            // The run was evicted, and a new run has its id.
            this.#subscribe();
        }
    }

    #takeDescription(id, data) {
        this.#runs.applyDescription(id, data);
        if (this.#run === null) this.#selectMostRecent();
        if (id !== this.#run?.id) return;
        const known = this.#run.isLoading ? this.#loader.createdAt : this.#run.createdAt;
        const isOther = known !== null && known !== data.created_at;
        if (isOther || (this.#run.isMissing && !this.#run.isLoading)) this.#subscribe();
    }

    #takeHistory({ data, reset }) {
        if (this.#run.followedSeq === null || reset !== false) this.#loader.load(data.created_at);
        else this.#loader.takeChanges(data, (step) => this.#layersOfStructure.get(step.structure) ?? []);
    }

    #takeReset(fromStep) {
        if (this.#run.isLoading || !isStepNumber(fromStep)) this.#loader.load(this.#run.createdAt);
        else this.#run.dropFrom(fromStep);
    }

    #receiveStep(data) {
        const layers = this.#layersOfStructure.get(data?.structure) ?? [];
        if (!this.#loader.holdBack(data, layers)) this.#takeStep(data, layers);
    }

    #takeStep(data, layers) {
        if (!isStepNumber(data?.step)) return;
        const isNew = this.#run.takeStep(data, { limit: this.#limits?.stepsPerRun ?? null, layers });
        this.#runs.applyStep(this.#run.id, data.step, isNew);
        // The run was removed, so the step belongs to a new run.
        if (this.#run.isMissing && !this.#run.isLoading) this.#subscribe();
    }

    #dropRun(id, reason) {
        if (reason === "evicted") this.#evictions.add(id, this.#runs.size, this.#limits);
        this.#runs.remove(id);
        if (id !== this.#run?.id) return;
        this.#loader.removed();
        this.#run.takeNotFound(reason);
    }

    #takeError(message) {
        if (this.#run !== null && isRunNotFound(message, this.#run.id)) {
            this.#loader.removed();
            this.#run.takeNotFound();
        }
        // The error may also be about a run that was selected before; then it is not shown.
        else if (!/^Run '.*' not found$/su.test(message.message)) this.notify(String(message.message));
    }

    #selectMostRecent() {
        const summary = this.#runs.mostRecent();
        if (summary !== undefined) this.select(summary.id);
    }

    /** Asks for what the server skipped for this page; delayed, because the answer adds to the lag. */
    #reloadSoon() {
        if (this.#reloadTimer !== null) return;
        const delay = Math.max(0, this.#reloadedAt + RELOAD_INTERVAL - Date.now());
        this.#reloadTimer = setTimeout(() => this.#subscribe(), delay);
        this.#listingInterval = Math.min(this.#listingInterval, LISTING_INTERVAL);
    }

    async #refreshListing() {
        this.#isListing = true;
        // Steps that arrive from here on need another listing.
        this.#listingInterval = Infinity;
        const answer = await fetchListing();
        this.#isListing = false;
        const wantedSince = this.#listingInterval;
        this.#listingAt = Date.now();
        if (answer === null) return;
        this.#runs.clockOffset = answer.clockOffset;
        this.#takeListing(answer.listing, answer.requestedAt);
        this.#listingInterval = wantedSince;
        this.#frame.request();
    }

    /**
     * Plays an action after the numbers of the steps that it may choose are known, and after all moves before it.
     * `place(history, viewedIndex)` is the position at which an unread gap would hide them.
     */
    #move(place, action) {
        const run = this.#run;
        const move = async () => {
            if (run === null || run !== this.#run) return null;
            const index = place(run.history, run.viewedIndex);
            if (run.history.hasGapAfter(index)) await this.#loader.fillGap(index);
            return run === this.#run ? this.#play(action) : null;
        };
        this.#moves = this.#moves.then(move);
        return this.#moves;
    }

    #play(action) {
        const result = this.#run?.play(action) ?? null;
        this.#frame.request();
        return result;
    }

    #tick() {
        const isDue = Date.now() - this.#listingAt >= this.#listingInterval;
        if (isDue && !this.#isListing && this.#feed.state.phase === Phase.open) this.#refreshListing();
        this.#frame.request();
    }

    #paint() {
        const run = this.#run;
        const now = Date.now();
        this.#badge.show(this.#feed.state, run?.player.isPaused ?? false, now);
        this.#list.show(this.#runs.list(), run?.id, now, this.#evictions.text);
        this.#stage.show(run, this.#notice, this.#hasListing, this.#limits);
        const record = run?.shownRecord;
        if (record === undefined) {
            this.#grid.clear();
            return;
        }
        this.#header.show(run.id, record);
        this.#controls.show(run.player, run.history);
        this.#grid.show(record, run);
        if (this.#feed.state.phase === Phase.open) this.#loader.want(this.#grid.visibleLayers);
    }
}
