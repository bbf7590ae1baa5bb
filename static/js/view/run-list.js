// The list of runs. Rows are kept by run id and changed in place; their number does not grow with that of the runs.

import { formatAge, formatCount } from "../model/format.js";
import { RunRows } from "../model/runs/run-rows.js";
import { listVerdict } from "../model/verdict/verdict.js";
import { element, instantiate, setAttribute, setHidden, setText } from "./dom.js";
import { RunFilter } from "./run-filter.js";
import { showMark } from "./verdict/severity-mark.js";

/** A run counts as live this long after its last step, in milliseconds. */
const LIVE_FOR = 30_000;

export class RunList {
    #list = element("runs");
    #count = element("run-count");
    #empty = element("runs-empty");
    #evictions = element("evictions");
    #moreItem = element("runs-more-item");
    #more = element("runs-more");
    #chosen = new RunRows();
    #filter;
    #rows = new Map();
    #shown = [];
    /** The place of the first row that is to be focused once it exists, or null. */
    #focusPlace = null;
    #onChange;

    /** `onSelect(runId)` is called when a run is chosen, `onChange()` when other rows are to be shown. */
    constructor({ onSelect, onChange }) {
        this.#onChange = onChange;
        this.#list.addEventListener("click", (event) => {
            const { run } = event.target.closest(".run")?.dataset ?? {};
            if (run !== undefined) onSelect(run);
        });
        this.#list.addEventListener("keydown", (event) => this.#key(event));
        this.#more.addEventListener("click", () => {
            // The row that comes where the button is.
            this.#focusPlace = this.#places.indexOf(this.#more);
            this.#chosen.more();
            onChange();
        });
        this.#filter = new RunFilter({
            change: (text) => {
                this.#chosen.text = text;
                onChange();
            },
            enter: () => {
                if (this.#shown.length > 0) onSelect(this.#shown[0].id);
            },
            down: () => this.#places[0]?.focus(),
        });
    }

    /** The text that the list is narrowed down by. */
    get filter() {
        return this.#chosen.text;
    }

    set filter(text) {
        this.#filter.text = text;
        this.#chosen.text = text;
        this.#onChange();
    }

    /** The runs with a row, from above. */
    get shown() {
        return this.#shown;
    }

    /**
     * @param runs the `RunDirectory`
     * @param evictions a sentence on what the server evicted, or ""
     * @param isKnown whether the server has sent its list
     */
    show(runs, selectedId, now, evictions, isKnown = true) {
        const focusedId = this.#list.contains(document.activeElement) ? document.activeElement.dataset.run : undefined;
        const chosen = this.#chosen.choose(runs, [selectedId, focusedId].filter((id) => id !== undefined));
        this.#shown = [...chosen.rows, ...chosen.apart];
        this.#place(chosen);
        for (const run of this.#shown) this.#fill(this.#rows.get(run.id), run, run.id === selectedId, now);
        setHidden(this.#moreItem, chosen.left === 0);
        setText(this.#more, `Show ${formatCount(chosen.next)} more (${formatCount(chosen.left)} left)`);
        setText(this.#count, runs.size > 0 ? formatCount(runs.size) : "");
        this.#filter.show(chosen, runs.size);
        setHidden(this.#empty, runs.size > 0 || !isKnown);
        setText(this.#evictions, evictions);
        setHidden(this.#evictions, evictions === "");
        if (this.#focusPlace !== null) this.#places[this.#focusPlace]?.focus();
        this.#focusPlace = null;
    }

    /** Makes the items of the list those of the chosen runs, in their order; runs apart come below the button. */
    #place({ rows, apart }) {
        const focused = document.activeElement;
        const wanted = new Set(this.#shown.map(({ id }) => id));
        for (const [id, row] of this.#rows) {
            if (wanted.has(id)) continue;
            row.item.remove();
            this.#rows.delete(id);
        }
        const itemOf = (run) => this.#row(run.id).item;
        let next = this.#list.firstElementChild;
        for (const item of [...rows.map(itemOf), this.#moreItem, ...apart.map(itemOf)]) {
            if (item === next) next = next.nextElementSibling;
            else this.#list.insertBefore(item, next);
        }
        // An item that is moved loses the focus.
        if (focused !== document.activeElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
    }

    #fill(row, run, isSelected, now) {
        const age = now - run.lastUpdate;
        setText(row.age, formatAge(age / 1000));
        const steps = run.stepCount === 1 ? "1 step" : `${formatCount(run.stepCount)} steps`;
        setText(row.meta, `${steps} · latest ${formatCount(run.latestStep)}`);
        setAttribute(row.button, "aria-current", String(isSelected));
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

    /** The buttons of the list from above: the rows, and the one for more. */
    get #places() {
        return [...this.#list.querySelectorAll("li:not([hidden]) > button")];
    }

    #key(event) {
        const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (by === undefined || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        const places = this.#places;
        const place = places.indexOf(document.activeElement) + by;
        if (place < 0) this.#filter.focus();
        else places[place]?.focus();
    }
}
