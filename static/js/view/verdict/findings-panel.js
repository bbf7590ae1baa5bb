// All findings of a run: open ones, then closed ones, and the checks that could not run.
// Rows are kept by the finding's id and changed in place, so that an opened advice stays open and the focus stays.

import { formatCount } from "../../model/format.js";
import { MISSING_NOTE, missingCheck, missingTitle } from "../../model/verdict/missing-checks.js";
import { checksText, layersText, sinceText, spreadText } from "../../model/verdict/verdict.js";
import { element, instantiate, setAttribute, setHidden, setText } from "../dom.js";
import { showMark } from "./severity-mark.js";

/** Rows of each list; the first line has the number of all. */
const MOST_ROWS = 100;

export class FindingsPanel {
    #panel = element("findings");
    #summary = element("findings-summary");
    #empty = element("findings-empty");
    #open = new FindingList(element("findings-open"), (finding) => this.#onTravel(finding));
    #closed = new FindingList(element("findings-closed"), (finding) => this.#onTravel(finding));
    #closedFold = element("findings-closed-fold");
    #closedTitle = element("findings-closed-title");
    #missingFold = element("findings-missing-fold");
    #missingNote = element("findings-missing-note");
    #missingTitle = element("findings-missing-title");
    #missing = element("findings-missing");
    #status = element("findings-status");
    #onTravel;
    #shown = { findings: null, version: -1, isUnread: true };

    /** `onTravel(finding)` is called when a finding is chosen. */
    constructor(onTravel) {
        this.#onTravel = onTravel;
        // Beside the run the panel is always open; above it, it would push the run down.
        const isBeside = matchMedia("(min-width: 1280px)");
        this.#panel.open = isBeside.matches;
        setText(this.#missingNote, MISSING_NOTE);
        isBeside.addEventListener("change", () => {
            this.#panel.open = isBeside.matches;
        });
        this.#closedFold.addEventListener("toggle", () => this.#showClosed());
    }

    show(findings) {
        if (this.#shown.findings === findings && this.#shown.version === findings.version) return;
        if (this.#shown.findings !== findings) this.#status.textContent = "";
        const isFirst = this.#shown.findings !== findings || this.#shown.isUnread;
        this.#shown = { findings, version: findings.version, isUnread: findings.status === null };
        const { open, closed, missingRules } = findings;
        setText(this.#summary, summary(findings));
        const note = emptyText(findings);
        setText(this.#empty, note);
        setHidden(this.#empty, note === "");
        // A run without open findings shows what is past.
        if (isFirst) this.#closedFold.open = open.length === 0 && closed.length > 0;
        this.#open.show(open, findings);
        setHidden(this.#closedFold, closed.length === 0);
        const forgotten = findings.forgotten > 0 ? `, ${formatCount(findings.forgotten)} older ones are not kept` : "";
        setText(this.#closedTitle, `${formatCount(closed.length)} closed${forgotten}`);
        this.#showClosed();
        setHidden(this.#missingFold, missingRules.length === 0);
        setText(this.#missingTitle, missingTitle(missingRules.length));
        this.#missing.replaceChildren(...missingRules.map((rule) => checkRow(missingCheck(rule))));
    }

    /** Reads this to a screen reader, and moves nothing. */
    announce(text) {
        this.#status.textContent = text;
    }

    #showClosed() {
        const { findings } = this.#shown;
        this.#closed.show(this.#closedFold.open && findings !== null ? findings.closed : [], findings);
    }
}

class FindingList {
    #list;
    #rows = new Map();

    constructor(list, onTravel) {
        this.#list = list;
        list.addEventListener("click", (event) => {
            const item = event.target.closest(".finding-travel")?.closest(".finding");
            for (const row of this.#rows.values()) if (row.item === item) onTravel(row.finding);
        });
    }

    /** `all` are the `Findings` to which the listed ones belong. */
    show(findings, all) {
        const shown = findings.slice(0, MOST_ROWS);
        const wanted = new Set(shown.map(({ id }) => id));
        for (const [id, { item }] of this.#rows) {
            if (wanted.has(id)) continue;
            item.remove();
            this.#rows.delete(id);
        }
        shown.forEach((finding, index) => {
            const row = this.#row(finding, all);
            if (this.#list.children[index] !== row.item) {
                this.#list.insertBefore(row.item, this.#list.children[index] ?? null);
            }
        });
    }

    #row(finding, all) {
        const { id } = finding;
        const row = this.#rows.get(id) ?? makeRow();
        this.#rows.set(id, row);
        row.finding = finding;
        setAttribute(row.item, "data-severity", finding.severity);
        setAttribute(row.item, "data-state", finding.state);
        showMark(row.mark, finding.severity);
        setText(row.severity, finding.isFromTrainer ? `${finding.severity}, from the trainer` : finding.severity);
        setText(row.title, finding.title);
        setText(row.since, [sinceText(finding), layersText(finding)].filter(Boolean).join(" · "));
        setText(row.message, finding.message ?? "");
        const spread = spreadText(finding, all.spreadOf(finding));
        setText(row.spread, spread);
        setHidden(row.spread, spread === "");
        setHidden(row.fold, !finding.advice);
        setText(row.advice, finding.advice ?? "");
        return row;
    }
}

function makeRow() {
    const item = instantiate("finding-template");
    const part = (name) => item.querySelector(`.finding-${name}`);
    return {
        item, mark: part("mark"), severity: part("severity"), title: part("title"), since: part("since"),
        message: part("message"), spread: part("spread"), fold: part("fold"), advice: part("advice"),
    };
}

/** "Dead units: post dead_fraction (for layers before a ReLU)". */
function checkRow({ title, needs, onlyFor }) {
    const item = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = title;
    item.append(name, needs.length > 0 ? ": post " : "");
    needs.forEach((need, index) => {
        const code = document.createElement("code");
        code.textContent = need;
        item.append(index === 0 ? "" : index === needs.length - 1 ? " and " : ", ", code);
    });
    if (onlyFor !== "") item.append(` (for ${onlyFor})`);
    return item;
}

function summary(findings) {
    if (findings.status === null) return "";
    const count = (severity) => findings.open.filter((finding) => finding.severity === severity).length;
    const words = [[count("critical"), "critical"], [count("warning"), "warning"], [count("info"), "info"]]
        .filter(([number]) => number > 0).map(([number, word]) => `${formatCount(number)} ${word}`);
    return words.length > 0 ? words.join(", ") : "none open";
}

/** Why there is no row; empty where that needs no words. */
function emptyText(findings) {
    if (findings.open.length > 0) return "";
    if (findings.hasFailed) return "The findings cannot be read from the server. The page tries again.";
    if (findings.status === "waiting") return "No check could judge a step yet.";
    return findings.status === null ? "" : `${checksText(findings.runningRules)}.`;
}
