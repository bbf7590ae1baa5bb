// The dashboard: connects the live feed, the model and the views.

import { Phase } from "./feed/feed.js";
import { fetchHealth, fetchListing } from "./feed/listing.js";
import { isRunNotFound, watchRuns } from "./feed/protocol.js";
import { endReads } from "./feed/read.js";
import { Evictions } from "./model/losses.js";
import { RunDirectory } from "./model/runs/run-directory.js";
import { stateWords, tabTitle } from "./model/verdict/verdict.js";
import { excerpt, problems } from "./problems.js";
import { RunDescription } from "./run-description.js";
import { RunHealth } from "./run-health.js";
import { RunSubscription } from "./run-subscription.js";
import { RunVerdicts } from "./run-verdicts.js";
import { RunView } from "./run-view.js";
import { ConnectionBadge } from "./view/connection-badge.js";
import { FrameScheduler } from "./view/frame.js";
import { OutageBar } from "./view/outage-bar.js";
import { ProblemList } from "./view/problem-list.js";
import { RunList } from "./view/run-list.js";
import { Stage } from "./view/stage.js";
import { TabMark } from "./view/verdict/tab-mark.js";

/** Least time between two fetches of the listing (milliseconds). */
const LISTING_INTERVAL = 10_000;

const MESSAGE = "live message";

export class Dashboard {
    #feed = null;
    #runs = new RunDirectory();
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    /** The `RunHealth` and the `RunDescription` of the selected run, or null. */
    #health = null;
    #description = null;
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
    #stage = new Stage();
    #view = new RunView(() => this.#frame.request(), (text) => this.notify(text));
    #verdicts = new RunVerdicts(this.#runs, () => this.#frame.request());
    #tab = new TabMark();
    #list = new RunList({ onSelect: (id) => this.select(id), onChange: () => this.#frame.request() });
    #badge = new ConnectionBadge(() => this.#feed.retryNow());
    #outage;
    #problemList = new ProblemList(problems);
    #onPaint;

    /** `onPaint()` is called after what is shown may have changed, `onLeave()` before a link leads to another page. */
    constructor({ onPaint, onLeave }) {
        this.#onPaint = onPaint;
        this.#outage = new OutageBar({ onRetry: () => this.#feed.retryNow(), onLogin: onLeave });
    }

    /** Attaches the feed, whose handlers are `feedHandlers`, and starts it. */
    start(feed) {
        this.#feed = feed;
        feed.start();
        setInterval(() => this.#tick(), 1000);
        this.#frame.request();
    }

    /** Ends all reads: the session ends, and with it what the server is sending. */
    stop() {
        this.#selected?.stop();
        this.#health?.stop();
        this.#description?.stop();
        this.#verdicts.stop();
        endReads();
    }

    get feedHandlers() {
        return {
            onState: () => this.#frame.request(),
            onOpen: () => this.#opened(),
            onMessage: (message) => this.#receive(message),
            onUnreadable: (text, error) => this.#takeUnreadable(text, error),
        };
    }

    /** The parts of the page's address, see address.js. */
    get addressParts() {
        return [this, ...this.#view.addressParts];
    }

    get state() {
        return this.#run === null ? {} : { run: this.#run.id, runs: this.#list.filter };
    }

    restore({ run, runs = "" }) {
        this.#list.filter = runs;
        this.select(run);
    }

    /** Whether a run is on screen. */
    get hasContent() {
        return this.#run?.shownRecord !== undefined;
    }

    /** Whether the server requires a token. */
    set isProtected(isProtected) {
        this.#stage.isProtected = isProtected;
        this.#frame.request();
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
        this.#view.select(this.#selected);
        this.#verdicts.selectedId = id;
        this.#description?.stop();
        this.#description = new RunDescription(id, (data) => this.#view.describe(data));
        this.#health?.stop();
        this.#health = new RunHealth(id, {
            onChange: () => this.#frame.request(),
            onFinding: (finding) => this.#view.announce(finding),
            onHealth: (health) => this.#view.takeHealth(health),
        });
        this.#notice = "";
        this.#selected.subscribe();
        this.#frame.request();
    }

    get #run() {
        return this.#selected?.run ?? null;
    }

    #opened() {
        if (this.#selected === null) this.#feed.send(watchRuns());
        else {
            this.#health.interrupted();
            this.#selected.connected();
        }
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
                this.#description.step();
            }),
            onDescription: whileSelected((data) => {
                this.#runs.applyDescription(id, data);
                this.#health.loaded(data);
                this.#description.known(data);
                this.#view.describe(data);
            }),
            onFailure: whileSelected((text) => this.notify(text)),
        }, this.#view.firstMetrics);
    }

    #receive(message) {
        switch (message.type) {
            case "initial_runs":
                this.#takeListing(message.data ?? {});
                break;
            case "run":
                this.#runs.applyDescription(message.run_id, message.data);
                if (message.run_id === this.#run?.id) this.#view.describe(message.data);
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
                this.#health?.interrupted();
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

    /** What the message had is read again; the error stays, because other runs may lack something. */
    #takeUnreadable(text, error) {
        const why = error === undefined ? "" : ` (${error.message})`;
        problems.report(MESSAGE, `The server sent a message that cannot be read: ${excerpt(text)}${why}. The selected run `
            + "is read again; other runs may be incomplete. Reload the page; if this comes back, look for a proxy that "
            + "changes the data.");
        this.#selected?.lagged();
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

    #tick() {
        const isDue = Date.now() - this.#listingAt >= this.#listingInterval;
        if (isDue && !this.#isListing && this.#feed.state.phase === Phase.open) this.#refreshListing();
        this.#frame.request();
    }

    #paint() {
        const run = this.#run;
        const now = Date.now();
        const isConnected = this.#feed.state.phase === Phase.open;
        const hasOutage = this.#outage.show(this.#feed.state, this.hasContent, now);
        this.#badge.show(this.#feed.state, run?.player.isPaused ?? false, now, hasOutage);
        this.#paintVerdict(run, now, isConnected);
        this.#list.show(this.#runs, run?.id, now, this.#evictions.text, this.#hasListing);
        this.#verdicts.watch(this.#list.shown);
        this.#stage.show({
            run, notice: this.#notice, hasListing: this.#hasListing, limits: this.#limits, connection: this.#feed.state,
        });
        this.#view.show(isConnected);
        this.#onPaint();
    }

    /** The verdict in the header, the panel, the list and the tab. */
    #paintVerdict(run, now, isConnected) {
        if (run === null) return this.#tab.show("NNMonitor", null);
        this.#verdicts.show(run.id, this.#health.findings);
        const summary = run.isMissing ? undefined : this.#runs.get(run.id);
        const state = stateWords(summary, now, { isConnected, missingReason: run.missingReason });
        const verdict = this.#view.showVerdict(this.#health, state);
        this.#tab.show(tabTitle(run.id, verdict, state), verdict.severity);
    }
}
