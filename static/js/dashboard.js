// The dashboard: connects the live feed, the model and the views.

import { Phase } from "./feed/feed.js";
import { fetchLimits, fetchListing } from "./feed/listing.js";
import { isRunNotFound, subscribeRun } from "./feed/protocol.js";
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

/** Least time between two fetches of the listing, and between two reloads of a lagging history (milliseconds). */
const LISTING_INTERVAL = 10_000;
const NEW_RUN_LISTING_INTERVAL = 1_000;
const RELOAD_INTERVAL = 10_000;

export class Dashboard {
    #feed = null;
    #runs = new RunDirectory();
    /** The `SelectedRun`, or null. */
    #run = null;
    #notice = "";
    /** The server's limits, `{ runs, stepsPerRun }`; null until they are known. */
    #limits = null;
    #evictions = new Evictions();

    #hasListing = false;
    #listingAt = -Infinity;
    #isListing = false;
    /** Milliseconds from the last listing to the next; finite once steps arrived that the last one does not count. */
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
        back: () => this.#play((player, history) => player.back(history)),
        toggle: () => this.#play((player, history) => player.toggle(history)),
        forward: () => this.#play((player, history) => player.forward(history)),
        live: () => this.#play((player) => player.live()),
        seekIndex: (index) => this.#play((player, history) => player.seekIndex(history, index)),
        seekStep: (step) => this.#play((player, history) => player.seekStep(history, step)),
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
        this.#run = new SelectedRun(id);
        this.#notice = "";
        history.replaceState(null, "", `#run=${encodeURIComponent(id)}`);
        this.#subscribe();
        this.#frame.request();
    }

    #opened() {
        this.#subscribe();
        // For each connection, because a restarted server may have other limits.
        fetchLimits().then((limits) => (this.#limits = limits ?? this.#limits));
    }

    #subscribe() {
        clearTimeout(this.#reloadTimer);
        this.#reloadTimer = null;
        if (this.#run === null || this.#feed?.state.phase !== Phase.open) return;
        this.#reloadedAt = Date.now();
        this.#run.isLoading = true;
        this.#feed.send(subscribeRun(this.#run.id));
    }

    #receive(message) {
        switch (message.type) {
            case "initial_runs":
                this.#takeListing(message.data ?? {});
                break;
            case "new_metrics":
                this.#takeStep(message.run_id, message.data);
                break;
            case "run_history":
                if (message.run_id === this.#run?.id) this.#run.takeHistory(message.data);
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
            this.#run.beginAgain(summary.createdAt);
            this.#subscribe();
        }
    }

    #takeStep(id, data) {
        if (typeof id !== "string" || !isStepNumber(data?.step)) return;
        let isNew;
        if (id === this.#run?.id) {
            isNew = this.#run.takeStep(data, this.#limits?.stepsPerRun ?? null);
            // The run was removed, so the step belongs to a new run; its history has that run's steps.
            if (this.#run.isMissing && !this.#run.isLoading) this.#subscribe();
        }
        const isUnknown = this.#runs.applyStep(id, data.step, isNew);
        if (this.#run === null) this.#selectMostRecent();
        // A new run may have evicted another one.
        this.#listingInterval = Math.min(this.#listingInterval, isUnknown ? NEW_RUN_LISTING_INTERVAL : LISTING_INTERVAL);
    }

    #dropRun(id, reason) {
        if (reason === "evicted") this.#evictions.add(id, this.#runs.size, this.#limits);
        this.#runs.remove(id);
        if (id === this.#run?.id) this.#run.takeNotFound(reason);
    }

    #takeError(message) {
        if (this.#run !== null && isRunNotFound(message, this.#run.id)) this.#run.takeNotFound();
        // The error may also be about a run that was selected before; then it is not shown.
        else if (!/^Run '.*' not found$/su.test(message.message)) this.notify(String(message.message));
    }

    #selectMostRecent() {
        const summary = this.#runs.mostRecent();
        if (summary !== undefined) this.select(summary.id);
    }

    /** Reloads the history after the server skipped steps for this page; delayed, because a reload adds to the lag. */
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
        if (run === null || run.history.length === 0) {
            this.#grid.clear();
            return;
        }
        this.#header.show(run.id, run.viewedRecord);
        this.#controls.show(run.player, run.history);
        this.#grid.show(run.history, run.viewedIndex);
    }
}
