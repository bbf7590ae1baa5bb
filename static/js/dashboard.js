// The dashboard: joins the live feed, the model and the views.

import { Phase } from "./feed/feed.js";
import { fetchListing } from "./feed/listing.js";
import { isRunNotFound, subscribeRun } from "./feed/protocol.js";
import { History, Insertion } from "./model/history.js";
import { Player } from "./model/player.js";
import { RunDirectory } from "./model/runs.js";
import { decodeStep } from "./model/step-record.js";
import { StructureTable } from "./model/structure.js";
import { ConnectionBadge } from "./view/connection-badge.js";
import { element, setHidden, setText } from "./view/dom.js";
import { FrameScheduler } from "./view/frame.js";
import { LayerGrid } from "./view/layer-grid.js";
import { Palette } from "./view/palette.js";
import { PlayerControls } from "./view/player-controls.js";
import { RunHeader } from "./view/run-header.js";
import { RunList } from "./view/run-list.js";

/** Least time between two fetches of the listing, and between two reloads of a lagging history (milliseconds). */
const LISTING_INTERVAL = 10_000;
const NEW_RUN_LISTING_INTERVAL = 1_000;
const RELOAD_INTERVAL = 10_000;

export class Dashboard {
    #feed = null;
    #runs = new RunDirectory();
    #selectedId = null;
    #selectedCreatedAt = null;
    #history = new History();
    #structures = new StructureTable();
    #player = new Player();
    #isLoading = false;
    #isMissing = false;
    #hasListing = false;
    #notice = "";
    #hasNewSteps = false;
    #listingAt = -Infinity;
    #isListing = false;
    #reloadTimer = null;
    #reloadedAt = -Infinity;

    #frame = new FrameScheduler(() => this.#paint());
    #palette = new Palette(() => this.#frame.request());
    #grid = new LayerGrid(element("layers"), this.#palette, () => this.#frame.request());
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

    /** Attaches the feed; its handlers are `feedHandlers`. */
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
            onOpen: () => this.#subscribe(),
            onMessage: (message) => this.#receive(message),
        };
    }

    /** A line above the run; empty for none. */
    notify(text) {
        this.#notice = text;
        this.#frame.request();
    }

    /** Shows this run, live, whether or not the server holds it yet. */
    select(id) {
        if (id === this.#selectedId) return;
        this.#selectedId = id;
        this.#selectedCreatedAt = null;
        this.#history = new History();
        this.#structures = new StructureTable();
        this.#player.live();
        this.#isMissing = false;
        this.#notice = "";
        history.replaceState(null, "", `#run=${encodeURIComponent(id)}`);
        this.#subscribe();
        this.#frame.request();
    }

    #subscribe() {
        if (this.#selectedId === null || this.#feed?.state.phase !== Phase.open) return;
        clearTimeout(this.#reloadTimer);
        this.#reloadTimer = null;
        this.#reloadedAt = Date.now();
        this.#isLoading = true;
        this.#feed.send(subscribeRun(this.#selectedId));
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
                if (message.run_id === this.#selectedId) this.#takeHistory(message.data);
                break;
            case "lagged":
                this.#reloadSoon();
                break;
            case "error":
                if (isRunNotFound(message, this.#selectedId)) this.#runNotFound();
                else if (!/^Run '.*' not found$/su.test(message.message)) this.notify(String(message.message));
                break;
        }
        this.#frame.request();
    }

    #takeListing(listing, requestedAt) {
        this.#hasListing = true;
        this.#listingAt = Date.now();
        this.#runs.applyListing(listing, requestedAt);
        if (this.#selectedId === null) this.#selectMostRecent();
        const selected = this.#runs.get(this.#selectedId);
        if (selected === undefined) {
            if (this.#selectedId !== null && this.#selectedCreatedAt !== null) this.#isMissing = true;
        } else if (this.#selectedCreatedAt !== null && selected.createdAt !== this.#selectedCreatedAt) {
            // Evicted and posted to again: the same id, but another run.
            this.#selectedCreatedAt = selected.createdAt;
            this.#subscribe();
        }
    }

    #takeStep(id, data) {
        if (typeof id !== "string" || typeof data?.step !== "number") return;
        let isNew;
        if (id === this.#selectedId) {
            const record = decodeStep(data, this.#structures);
            if (record === null) return;
            const insertion = this.#history.insert(record);
            isNew = insertion === Insertion.appended || insertion === Insertion.inserted;
            if (isNew) this.#player.stepArrived();
            if (this.#isMissing) {
                this.#isMissing = false;
                this.#subscribe();
            }
        }
        this.#hasNewSteps = true;
        if (this.#runs.applyStep(id, data.step, isNew)) this.#refreshListing(NEW_RUN_LISTING_INTERVAL);
        if (this.#selectedId === null) this.#selectMostRecent();
    }

    #takeHistory(data) {
        const records = (data?.steps ?? []).map((step) => decodeStep(step, this.#structures));
        this.#history.replaceAll(records.filter((record) => record !== null));
        this.#player.historyReplaced(this.#history);
        this.#history.pinned = this.#player.step;
        this.#selectedCreatedAt = data?.created_at ?? null;
        this.#isLoading = false;
        this.#isMissing = false;
    }

    /** What was seen of the run stays on screen; it comes back to life with its next step. */
    #runNotFound() {
        this.#isLoading = false;
        this.#isMissing = true;
    }

    #selectMostRecent() {
        const run = this.#runs.mostRecent();
        if (run !== undefined) this.select(run.id);
    }

    /** Steps were skipped for this page: the history has them. Not at once again, which would only make it lag more. */
    #reloadSoon() {
        if (this.#reloadTimer !== null) return;
        const delay = Math.max(0, this.#reloadedAt + RELOAD_INTERVAL - Date.now());
        this.#reloadTimer = setTimeout(() => this.#subscribe(), delay);
    }

    async #refreshListing(interval) {
        if (this.#isListing || Date.now() - this.#listingAt < interval) return;
        this.#isListing = true;
        const answer = await fetchListing();
        this.#isListing = false;
        this.#listingAt = Date.now();
        if (answer === null) return;
        this.#hasNewSteps = false;
        this.#runs.clockOffset = answer.clockOffset;
        this.#takeListing(answer.listing, answer.requestedAt);
        this.#frame.request();
    }

    #play(action) {
        const result = action(this.#player, this.#history);
        this.#history.pinned = this.#player.step;
        this.#frame.request();
        return result;
    }

    #tick() {
        // Only steps change the listing, so without any there is nothing to ask for.
        if (this.#hasNewSteps && this.#feed.state.phase === Phase.open) this.#refreshListing(LISTING_INTERVAL);
        this.#frame.request();
    }

    #paint() {
        const now = Date.now();
        this.#badge.show(this.#feed.state, this.#player.isPaused, now);
        this.#list.show(this.#runs.list(), this.#selectedId, now);
        const viewedIndex = this.#player.viewedIndex(this.#history);
        const hasSteps = viewedIndex >= 0;
        this.#showNotice(hasSteps);
        this.#showEmpty(hasSteps);
        setHidden(element("run"), !hasSteps);
        setText(document.querySelector("title"), this.#selectedId === null ? "NNMonitor" : `${this.#selectedId} · NNMonitor`);
        if (!hasSteps) {
            this.#grid.clear();
            return;
        }
        this.#header.show(this.#selectedId, this.#history.at(viewedIndex));
        this.#controls.show(this.#player, this.#history);
        this.#grid.show(this.#history, viewedIndex);
    }

    #showNotice(hasSteps) {
        const missing = this.#isMissing && hasSteps ? "The server no longer holds this run. What was seen of it stays here." : "";
        const text = this.#notice || missing;
        setText(element("notice"), text);
        setHidden(element("notice"), text === "");
    }

    #showEmpty(hasSteps) {
        setHidden(element("empty"), hasSteps);
        if (hasSteps) return;
        const [title, text] = this.#emptyWording();
        setText(element("empty-title"), title);
        setText(element("empty-text"), text);
    }

    #emptyWording() {
        if (this.#isMissing) return ["Run not found", `The server holds no run '${this.#selectedId}'.`];
        if (!this.#hasListing) return ["Waiting for the server", ""];
        if (this.#selectedId === null) return ["No runs yet", "A run appears with its first step, posted to /api/v1/metrics/layerwise."];
        return [this.#isLoading ? "Loading steps" : "No steps", ""];
    }
}
