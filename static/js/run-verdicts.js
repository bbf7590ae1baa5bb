// The verdict of each run in the list: its state, and the worst open finding.

import { readDescriptions } from "./feed/descriptions.js";
import { RunReads } from "./feed/reads.js";
import { Findings, titleText } from "./model/verdict/findings.js";
import { worse } from "./model/verdict/severity.js";

/** Time from a live alert to a read of the findings of its run (milliseconds). */
const READ_DELAY = 2_000;
/** Runs whose findings are read after a listing, from the top of the list; others show numbers of alerts. */
const MOST_READS = 20;

export class RunVerdicts {
    #runs;
    #onChange;
    /** Ids of runs whose worst finding is to be read. */
    #wanted = new Set();
    #timer = null;
    #isReading = false;
    #listings = 0;
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
    }

    /** The list of runs was taken from the server: reads what it does not have. */
    async listed() {
        const count = (this.#listings += 1);
        await readDescriptions((id, data) => {
            // A description that the WebSocket sent in the meantime is newer.
            const run = this.#runs.get(id);
            if (run?.createdAt === data.created_at && data.last_seq >= run.lastSeq) this.#runs.applyStatus(id, data);
        }, this.#abort.signal);
        if (count !== this.#listings || this.#abort.signal.aborted) return;
        const isUnknown = (run) => run.finding === null && run.id !== this.selectedId && hasOpenAlerts(run);
        const sick = this.#runs.list().filter(isUnknown);
        for (const run of sick.slice(0, MOST_READS)) this.#wanted.add(run.id);
        this.#onChange();
        this.#readNext();
    }

    /** A live alert of any run. */
    takeAlert(id, alert) {
        const run = this.#runs.get(id);
        if (run === undefined || alert.source === "trainer") return;
        const { severity, first_step: sinceStep } = alert;
        const title = titleText(alert.title);
        const isWorst = run.finding === null || worse(run.finding.severity, severity) !== run.finding.severity;
        if (alert.state === "open" && isWorst) run.finding = { severity, title, sinceStep };
        this.#wanted.add(id);
        this.#timer ??= setTimeout(() => {
            this.#timer = null;
            this.#readNext();
        }, READ_DELAY);
    }

    /** The findings of this run are known. */
    show(id, findings) {
        const run = this.#runs.get(id);
        if (run === undefined || findings.status === null) return;
        this.#wanted.delete(id);
        take(run, findings);
    }

    async #readNext() {
        const [id] = this.#wanted;
        if (this.#isReading || id === undefined || this.#abort.signal.aborted) return;
        this.#wanted.delete(id);
        const run = this.#runs.get(id);
        if (run !== undefined && hasOpenAlerts(run)) {
            this.#isReading = true;
            await this.#read(run);
            this.#isReading = false;
            this.#onChange();
        }
        this.#readNext();
    }

    async #read(run) {
        const findings = new Findings();
        try {
            findings.load(await new RunReads(run.id, this.#abort.signal).health("open", 1));
            take(run, findings);
        } catch {
            // The row shows the numbers of alerts.
        }
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
