// The list of runs. Rows are kept by run id and changed in place.

import { formatAge, formatCount } from "../model/format.js";
import { listVerdict } from "../model/verdict/verdict.js";
import { element, instantiate, setAttribute, setHidden, setText } from "./dom.js";
import { showMark } from "./verdict/severity-mark.js";

/** A run counts as live this long after its last step, in milliseconds. */
const LIVE_FOR = 30_000;

export class RunList {
    #list = element("runs");
    #count = element("run-count");
    #empty = element("runs-empty");
    #evictions = element("evictions");
    #rows = new Map();

    /** `onSelect(runId)` is called when a run is chosen. */
    constructor(onSelect) {
        this.#list.addEventListener("click", (event) => {
            const item = event.target.closest("li");
            for (const [id, row] of this.#rows) if (row.item === item) onSelect(id);
        });
    }

    /** `evictions` is a sentence on what the server evicted, or "", `isKnown` whether the server has sent its list. */
    show(runs, selectedId, now, evictions, isKnown = true) {
        const wanted = new Set(runs.map((run) => run.id));
        for (const [id, row] of this.#rows) {
            if (wanted.has(id)) continue;
            row.item.remove();
            this.#rows.delete(id);
        }
        runs.forEach((run, index) => {
            const row = this.#row(run.id);
            if (this.#list.children[index] !== row.item) {
                this.#list.insertBefore(row.item, this.#list.children[index] ?? null);
            }
            const age = now - run.lastUpdate;
            setText(row.age, formatAge(age / 1000));
            setText(row.meta, `${formatCount(run.stepCount)} steps · latest ${formatCount(run.latestStep)}`);
            setAttribute(row.button, "aria-current", String(run.id === selectedId));
            const verdict = listVerdict(run, now);
            const mayBeLive = verdict.kind === "running" || verdict.kind === "unknown";
            setAttribute(row.button, "data-live", String(mayBeLive && age < LIVE_FOR));
            setText(row.verdict, verdict.text);
            setAttribute(row.button, "data-severity", verdict.severity ?? verdict.kind);
            // An SVG element has no property `hidden`.
            row.mark.toggleAttribute("hidden", verdict.severity === null);
            if (verdict.severity !== null) {
                showMark(row.mark, verdict.severity);
                setAttribute(row.mark, "aria-label", verdict.severity);
            }
        });
        setText(this.#count, runs.length > 0 ? formatCount(runs.length) : "");
        setHidden(this.#empty, runs.length > 0 || !isKnown);
        setText(this.#evictions, evictions);
        setHidden(this.#evictions, evictions === "");
    }

    #row(id) {
        let row = this.#rows.get(id);
        if (row === undefined) {
            const item = instantiate("run-template");
            const part = (name) => item.querySelector(`.${name}`);
            row = {
                item, button: part("run"), age: part("run-age"), meta: part("run-meta"),
                verdict: part("run-verdict-text"), mark: part("mark"),
            };
            part("run-name").textContent = id;
            row.button.title = id;
            row.button.dataset.run = id;
            this.#rows.set(id, row);
        }
        return row;
    }
}
