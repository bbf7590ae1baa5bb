// The verdict of each run with a row in the list: its state, and the worst open finding.

import { DescriptionPages } from "./feed/descriptions.js";
import { ReadError, RunReads } from "./feed/reads.js";
import { Findings, titleText } from "./model/verdict/findings.js";
import { worse } from "./model/verdict/severity.js";

/** Time from a live alert to a read of the findings of its run (milliseconds). */
const READ_DELAY = 2_000;
/** Time from a failed read to the next one (milliseconds). */
const RETRY_DELAY = 10_000;
/** Runs whose findings are read, from the top of the rows; others show numbers of alerts. */
const MOST_READS = 20;
/** With more runs to describe than this after the first page, another one costs less than a read of each. */
const MOST_SINGLE_READS = 10;

export class RunVerdicts {
    #runs;
    #onChange;
    /** The runs with a row, from above. */
    #shown = [];
    /** Ids of runs whose findings changed with a live alert, and those of them whose delay has passed. */
    #alerted = new Set();
    #wanted = new Set();
    #timer = null;
    /** The timer of the next read after one failed, or null. */
    #retryTimer = null;
    #isReading = false;
    /** The pages since the last listing; null before the first one. */
    #pages = null;
    /** Ids of runs that were described, and of those whose findings were read, since the last listing. */
    #described = new Set();
    #read = new Set();
    #abort = new AbortController();

    /** The run whose findings are read anyway, see `show`; or null. */
    selectedId = null;

    /** `runs` is the `RunDirectory`. */
    constructor(runs, onChange) {
        this.#runs = runs;
        this.#onChange = onChange;
    }

    /** Ends all reads, for good. */
    stop() {
        this.#abort.abort();
        clearTimeout(this.#timer);
        clearTimeout(this.#retryTimer);
    }

    /** The list of runs was taken from the server: what is known of the runs may be old. */
    listed() {
        this.#pages = new DescriptionPages(this.#abort.signal);
        this.#described.clear();
        this.#read.clear();
        clearTimeout(this.#retryTimer);
        this.#retryTimer = null;
        this.#readAll();
    }

    /** The runs with a row, from above: reads what is not known of them. Other runs are not read. */
    watch(shown) {
        this.#shown = shown;
        this.#readAll();
    }

    /** A live alert of any run. */
    takeAlert(id, alert) {
        const run = this.#runs.get(id);
        if (run === undefined || alert.source === "trainer") return;
        const { severity, first_step: sinceStep } = alert;
        const title = titleText(alert.title);
        const isWorst = run.finding === null || worse(run.finding.severity, severity) !== run.finding.severity;
        if (alert.state === "open" && isWorst) run.finding = { severity, title, sinceStep };
        this.#alerted.add(id);
        this.#timer ??= setTimeout(() => {
            this.#timer = null;
            for (const alerted of this.#alerted) this.#wanted.add(alerted);
            this.#alerted.clear();
            this.#readAll();
        }, READ_DELAY);
    }

    /** The findings of this run are known. */
    show(id, findings) {
        const run = this.#runs.get(id);
        if (run === undefined || findings.status === null) return;
        this.#wanted.delete(id);
        take(run, findings);
    }

    /** One read after the other, until all that is shown is known. */
    async #readAll() {
        if (this.#isReading) return;
        this.#isReading = true;
        for (let read = this.#next(); read !== null; read = this.#next()) {
            await read();
            this.#onChange();
        }
        this.#isReading = false;
    }

    /** What to read next, as a function; null for nothing. */
    #next() {
        if (this.#pages === null || this.#shown.length === 0 || this.#retryTimer !== null || this.#abort.signal.aborted) return null;
        const isKnown = ({ id, status }) => this.#described.has(id) || (id === this.selectedId && status !== null);
        const unknown = this.#shown.filter((run) => !isKnown(run));
        const isPageWorth = !this.#pages.isBegun || unknown.length > MOST_SINGLE_READS;
        if (isPageWorth && !this.#pages.isEnded) return () => this.#readPage(this.#pages);
        if (unknown.length > 0) return () => this.#describe(unknown[0].id);
        const sick = this.#shown.filter((run) => hasOpenAlerts(run) && run.id !== this.selectedId);
        const isUnknown = (run) => run.finding === null && !this.#read.has(run.id);
        const run = sick.find(({ id }) => this.#wanted.has(id)) ?? sick.slice(0, MOST_READS).find(isUnknown);
        return run === undefined ? null : () => this.#readFinding(run);
    }

    async #readPage(pages) {
        await this.#attempt(async () => {
            for (const data of await pages.next()) this.#take(data.run_id, data);
        });
    }

    async #describe(id) {
        // Once also where it fails, or describes a newer run of this id.
        this.#described.add(id);
        await this.#attempt(async () => this.#take(id, await new RunReads(id, this.#abort.signal).describe()));
    }

    async #readFinding(run) {
        this.#wanted.delete(run.id);
        this.#read.add(run.id);
        await this.#attempt(async () => {
            const findings = new Findings();
            findings.load(await new RunReads(run.id, this.#abort.signal).health("open", 1));
            take(run, findings);
        });
    }

    /** A run that was removed is skipped. After other failures the reads pause. */
    async #attempt(read) {
        try {
            await read();
        } catch (error) {
            const isRemoved = error instanceof ReadError && error.status === 404;
            if (isRemoved || this.#abort.signal.aborted) return;
            this.#retryTimer = setTimeout(() => {
                this.#retryTimer = null;
                this.#readAll();
            }, RETRY_DELAY);
        }
    }

    #take(id, data) {
        const run = this.#runs.get(id);
        // A description that the WebSocket sent in the meantime is newer.
        if (run?.createdAt === data.created_at && data.last_seq >= run.lastSeq) this.#runs.applyStatus(id, data);
        this.#described.add(id);
    }
}

function hasOpenAlerts({ status }) {
    return status !== null && status.critical + status.warning > 0;
}

function take(run, findings) {
    const worst = findings.open[0];
    run.finding = worst === undefined ? null
        : { severity: worst.severity, title: worst.title, sinceStep: worst.sinceStep };
}
