// The dashboard: connects the live feed, the model and the views.

import { Phase } from "./feed/feed.js";
import { fetchHealth, fetchListing } from "./feed/listing.js";
import { isRunNotFound, watchRuns } from "./feed/protocol.js";
import { Heatmap } from "./heatmap/heatmap.js";
import { Evictions } from "./model/losses.js";
import { RunDirectory } from "./model/runs.js";
import { healthVerdict, lossVerdict, sinceText, stateWords, tabTitle } from "./model/verdict/verdict.js";
import { RunHealth } from "./run-health.js";
import { RunSubscription } from "./run-subscription.js";
import { RunVerdicts } from "./run-verdicts.js";
import { ConnectionBadge } from "./view/connection-badge.js";
import { element } from "./view/dom.js";
import { FrameScheduler } from "./view/frame.js";
import { LayerGrid } from "./view/layer-grid.js";
import { Palette } from "./view/palette.js";
import { PlayerControls } from "./view/player-controls.js";
import { RunHeader } from "./view/run-header.js";
import { RunList } from "./view/run-list.js";
import { Stage } from "./view/stage.js";
import { FindingsPanel } from "./view/verdict/findings-panel.js";
import { TabMark } from "./view/verdict/tab-mark.js";
import { VerdictBar } from "./view/verdict/verdict-bar.js";

/** Least time between two fetches of the listing (milliseconds). */
const LISTING_INTERVAL = 10_000;

const UNREADABLE = "The server sent a message that cannot be read. The page may be incomplete; reload it.";

export class Dashboard {
    #feed = null;
    #runs = new RunDirectory();
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    /** The `RunHealth` of the selected run, or null. */
    #health = null;
    #notice = "";
    /** The server's limits, `{ runs, stepsPerRun }`; null until they are known. */
    #limits = null;
    #evictions = new Evictions();

    #hasListing = false;
    #listingAt = -Infinity;
    #isListing = false;
    /** Milliseconds from the last listing to the next; finite once messages were skipped for this page. */
    #listingInterval = Infinity;

    #frame = new FrameScheduler(() => this.#paint());
    #palette = new Palette(() => this.#frame.request());
    #grid = new LayerGrid(element("layers"), this.#palette, () => this.#frame.request());
    #stage = new Stage();
    #header = new RunHeader();
    #verdicts = new RunVerdicts(this.#runs, () => this.#frame.request());
    #verdictBar = new VerdictBar((finding) => this.#travel(finding));
    #findings = new FindingsPanel((finding) => this.#travel(finding));
    #tab = new TabMark();
    #list = new RunList((id) => this.select(id));
    #badge = new ConnectionBadge(() => this.#feed.retryNow());
    #controls = new PlayerControls({
        back: () => this.#move((history, index) => index - 1, (player, history) => player.back(history)),
        toggle: () => this.#play((player, history) => player.toggle(history)),
        forward: () => this.#move((history, index) => index, (player, history) => player.forward(history)),
        live: () => this.#play((player) => player.live()),
        seekIndex: (index) => this.#play((player, history) => player.seekIndex(history, index)),
        seekStep: (step) => this.#seekStep(step),
    });
    #heatmap = new Heatmap({
        seekStep: (step) => this.#seekStep(step), requestPaint: () => this.#frame.request(),
    });

    /** Attaches the feed, whose handlers are `feedHandlers`, and starts it. */
    start(feed, selectedId) {
        this.#feed = feed;
        if (selectedId !== null) this.select(selectedId);
        feed.start();
        setInterval(() => this.#tick(), 1000);
        this.#frame.request();
    }

    /** Ends all reads: the session ends, and with it what the server is sending. */
    stop() {
        this.#selected?.stop();
        this.#health?.stop();
        this.#verdicts.stop();
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
        this.#selected?.stop();
        this.#selected = this.#subscription(id);
        this.#heatmap.select(this.#run);
        this.#verdicts.selectedId = id;
        this.#health?.stop();
        this.#health = new RunHealth(id, {
            onChange: () => this.#frame.request(),
            onFinding: (finding) => this.#announce(finding),
            onHealth: (health) => this.#heatmap.takeHealth(health),
        });
        this.#notice = "";
        history.replaceState(null, "", `#run=${encodeURIComponent(id)}`);
        this.#selected.subscribe();
        this.#frame.request();
    }

    get #run() {
        return this.#selected?.run ?? null;
    }

    #opened() {
        if (this.#selected === null) this.#feed.send(watchRuns());
        else this.#selected.connected();
        // For each connection, because a restarted server may have other limits.
        fetchHealth().then((health) => {
            if (health === null) return;
            this.#limits = health.limits;
            this.#runs.clockOffset = health.clockOffset;
        });
    }

    #subscription(id) {
        const whileSelected = (action) => (...values) => {
            if (id === this.#run?.id) action(...values);
        };
        return new RunSubscription(id, {
            send: (text) => this.#feed?.send(text) ?? false,
            stepLimit: () => this.#limits?.stepsPerRun ?? null,
            onChange: whileSelected(() => this.#frame.request()),
            onStep: whileSelected((data, isNew) => {
                this.#runs.applyStep(id, data.step, isNew);
                this.#health.step(data);
            }),
            onDescription: whileSelected((data) => {
                this.#runs.applyDescription(id, data);
                this.#health.loaded(data);
                this.#heatmap.describe(data);
            }),
            onFailure: whileSelected((text) => this.notify(text)),
        });
    }

    #receive(message) {
        switch (message.type) {
            case "initial_runs":
                this.#takeListing(message.data ?? {});
                break;
            case "run":
                this.#runs.applyDescription(message.run_id, message.data);
                if (message.run_id === this.#run?.id) this.#heatmap.describe(message.data);
                if (this.#selected === null) this.#selectMostRecent();
                break;
            case "run_deleted":
                if (message.reason === "evicted") this.#evictions.add(message.run_id, this.#runs.size, this.#limits);
                this.#runs.remove(message.run_id);
                break;
            case "alert":
                this.#verdicts.takeAlert(message.run_id, message.data);
                break;
            case "lagged":
                this.#selected?.lagged();
                this.#listingInterval = LISTING_INTERVAL;
                break;
            case "error":
                this.#takeError(message);
                break;
        }
        if (message.run_id !== undefined && message.run_id === this.#run?.id) {
            this.#selected.receive(message);
            this.#health.receive(message);
        }
        this.#frame.request();
    }

    #takeListing(listing, requestedAt) {
        this.#hasListing = true;
        this.#listingAt = Date.now();
        this.#listingInterval = Infinity;
        this.#runs.applyListing(listing, requestedAt);
        this.#verdicts.listed();
        if (this.#selected === null) this.#selectMostRecent();
        else this.#selected.listed(this.#runs.get(this.#run.id)?.createdAt);
    }

    #takeError(message) {
        if (this.#run !== null && isRunNotFound(message, this.#run.id)) this.#selected.notFound();
        // The error may also be about a run that was selected before; then it is not shown.
        else if (!/^Run '.*' not found$/su.test(message.message)) this.notify(String(message.message));
    }

    #selectMostRecent() {
        const summary = this.#runs.mostRecent();
        if (summary !== undefined) this.select(summary.id);
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

    async #move(place, action) {
        return (await this.#selected?.move(place, action)) ?? null;
    }

    #seekStep(step) {
        return this.#move(
            (history) => (history.indexOf(step) < 0 ? history.nearestIndex(step) : -1),
            (player, history) => player.seekStep(history, step),
        );
    }

    #play(action) {
        return this.#selected?.play(action) ?? null;
    }

    /** Shows the step where a finding began, and the layer. */
    async #travel(finding) {
        if (finding === null || finding.firstStep === null) return;
        const wanted = finding.firstStep;
        const shown = await this.#move(
            (history) => (history.indexOf(wanted) < 0 ? history.nearestIndex(wanted) : -1),
            (player, history) => player.seekStep(history, wanted),
        );
        const hasCard = this.#grid.reveal(finding.layer);
        const step = shown === wanted ? `Step ${wanted}` : `Step ${wanted} is not kept; step ${shown}`;
        this.#findings.announce(`${step}${hasCard ? `, layer ${finding.layer}` : ""}`);
    }

    #announce(finding) {
        const news = finding.isFromTrainer ? "From the trainer" : "New finding";
        this.#findings.announce(`${news}, ${finding.severity}: ${finding.title}, ${sinceText(finding)}`);
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
        this.#paintVerdict(run, now);
        this.#list.show(this.#runs.list(), run?.id, now, this.#evictions.text);
        this.#stage.show(run, this.#notice, this.#hasListing, this.#limits);
        const record = run?.shownRecord;
        if (record === undefined) {
            this.#grid.clear();
            return;
        }
        this.#header.show(run.id, record);
        this.#controls.show(run.player, run.history);
        this.#heatmap.show(this.#feed.state.phase === Phase.open);
        this.#grid.show(record, run);
        if (this.#feed.state.phase === Phase.open) this.#selected.want(this.#grid.visibleLayers);
    }

    /** The verdict in the header, the panel, the list and the tab. */
    #paintVerdict(run, now) {
        if (run === null) return this.#tab.show("NNMonitor", null);
        const { findings, loss } = this.#health;
        this.#verdicts.show(run.id, findings);
        const health = healthVerdict(findings);
        const summary = run.isMissing ? undefined : this.#runs.get(run.id);
        const isConnected = this.#feed.state.phase === Phase.open;
        const state = stateWords(summary, now, { isConnected, missingReason: run.missingReason });
        this.#verdictBar.show(state, health, loss, lossVerdict(loss));
        this.#findings.show(findings);
        this.#tab.show(tabTitle(run.id, health, state), health.severity);
    }
}
