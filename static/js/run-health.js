// The findings and the loss of the selected run: what the page reads of them, and what live messages change.

import { ConnectionLost, ReadError, RunReads } from "./feed/reads.js";
import { Findings } from "./model/verdict/findings.js";
import { LOSS_POINTS, LossSeries, lossName } from "./model/verdict/loss.js";

/** Time from a live alert to a read of the findings (milliseconds): a fault opens many alerts at once. */
const READ_DELAY = 1_000;
/** Time from a failed read to the next attempt. */
const RETRY_DELAY = 10_000;

export class RunHealth {
    #reads;
    #abort = new AbortController();
    #handlers;
    #timer = null;
    #isReading = false;
    #isReadWanted = false;
    #mayLackAlerts = false;
    /** Alerts since the read that is under way was requested. */
    #alertsSince = [];
    #lossRead = 0;
    #createdAt = null;

    findings = new Findings();
    loss = new LossSeries();

    /**
     * `handlers`: `onChange()`, `onFinding(finding)` for a finding that was opened or became worse, and optionally
     * `onHealth(health)` with each answer of the server, null for a failed read.
     */
    constructor(runId, handlers) {
        this.#handlers = handlers;
        this.#reads = new RunReads(runId, this.#abort.signal);
    }

    stop() {
        this.#abort.abort();
        clearTimeout(this.#timer);
    }

    /** The run was read from the start; `description` is that of the server. */
    loaded(description) {
        // A new run of the same id may have lower steps than the old one.
        if (this.#createdAt !== null && this.#createdAt !== description.created_at) this.loss.clear();
        this.#createdAt = description.created_at;
        this.read();
        this.#readLoss(lossName(description.scalars ?? []));
    }

    /** A live step, or one that was missed. */
    step({ step, scalars }) {
        this.loss.add(step, scalars);
    }

    /** The page has a new connection, or missed messages: alerts may have come that it does not have. */
    interrupted() {
        this.#mayLackAlerts = true;
    }

    /** A message about the run. */
    receive(message) {
        if (message.type === "alert") this.#takeAlert(message.data);
        // The page continues. It also subscribes again for other metrics; then it has all alerts.
        else if (message.type === "run_history" && message.reset === false && this.#mayLackAlerts) this.read();
        else if (message.type === "reset") this.#takeReset();
        else if (message.type === "run_deleted") clearTimeout(this.#timer);
    }

    /** Reads the findings; if they are being read, once more after that. */
    async read() {
        clearTimeout(this.#timer);
        this.#timer = null;
        this.#isReadWanted = this.#isReading;
        if (this.#isReading) return;
        this.#isReading = true;
        this.#mayLackAlerts = false;
        this.#alertsSince = [];
        try {
            const health = await this.#reads.health("all");
            this.findings.load(health, this.#alertsSince);
            this.#handlers.onHealth?.(health);
        } catch (error) {
            this.#failed(error);
            if (!this.#abort.signal.aborted) this.#handlers.onHealth?.(null);
        }
        this.#isReading = false;
        if (this.#abort.signal.aborted) return;
        this.#handlers.onChange();
        if (this.#isReadWanted) this.#readIn(READ_DELAY);
    }

    #failed(error) {
        // The mark shows a lost connection; 404 is a run that was removed.
        if (this.#abort.signal.aborted || error instanceof ConnectionLost) return;
        this.findings.failed();
        if (!(error instanceof ReadError) || error.status !== 404) this.#readIn(RETRY_DELAY);
    }

    #takeAlert(alert) {
        if (this.#isReading) this.#alertsSince.push(alert);
        const news = this.findings.takeAlert(alert);
        // A closed one can be news only as the word of a trainer.
        if (news !== null && (news.state === "open" || news.isFromTrainer)) this.#handlers.onFinding(news);
        this.#readIn(READ_DELAY);
    }

    #takeReset() {
        this.loss.clear();
        this.#readLoss(this.loss.name);
        this.#readIn(READ_DELAY);
    }

    async #readLoss(name) {
        if (name === null) return;
        const count = (this.#lossRead += 1);
        try {
            const answer = await this.#reads.scalar(name, LOSS_POINTS);
            if (count === this.#lossRead) this.loss.load(name, answer);
        } catch {
            // The loss is shown from the next live step on.
        }
        if (!this.#abort.signal.aborted) this.#handlers.onChange();
    }

    #readIn(delay) {
        if (this.#timer === null && !this.#abort.signal.aborted) this.#timer = setTimeout(() => this.read(), delay);
    }
}
