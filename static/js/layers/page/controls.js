// What narrows the table down: a text, and choices of type, group and finding. And the keys that lead there.

import { closeLikeMenu, element, setText } from "../../view/dom.js";
import { makeFilterField } from "../../view/filter-field.js";

/** Choices of one list; further types or groups are found by text. */
const MOST_CHOICES = 500;

export class FilterControls {
    #text = element("layers-filter");
    #type = element("layers-type");
    #group = element("layers-group");
    #finding = element("layers-finding");
    #offered = { type: "", group: "" };

    /** `actions`: `change()` after the user chose, `enter()` and `down()` for these keys in the text. */
    constructor(actions) {
        makeFilterField(this.#text, "/", actions);
        for (const select of [this.#type, this.#group, this.#finding]) select.addEventListener("change", actions.change);
        this.offer([], []);
    }

    /** The types and groups to choose from. */
    offer(types, groups) {
        fill(this.#type, types, "all types", this.#offered, "type");
        fill(this.#group, groups, "all groups", this.#offered, "group");
    }

    get filter() {
        return {
            text: this.#text.value.trim(), type: this.#type.value, group: this.#group.value, finding: this.#finding.value,
        };
    }

    set filter({ text, type, group, finding }) {
        this.#text.value = text;
        select(this.#type, type);
        select(this.#group, group);
        this.#finding.value = finding;
    }
}

/** Selects a value, also one that is not offered yet: a restored filter may come before the run's layers. */
function select(list, value) {
    if (value !== "" && ![...list.options].some((option) => option.value === value)) list.add(new Option(value, value));
    list.value = value;
}

function fill(list, values, all, offered, name) {
    const shown = values.slice(0, MOST_CHOICES);
    const key = JSON.stringify(shown);
    if (key === offered[name]) return;
    offered[name] = key;
    const chosen = list.value;
    list.replaceChildren(new Option(all, ""), ...shown.map((value) => new Option(value, value)));
    select(list, chosen);
    list.closest(".layers-field").hidden = values.length < 2 && chosen === "";
}

export class MetricMenu {
    #menu = element("layers-metrics");
    #list = element("layers-metrics-list");
    #note = element("layers-metrics-note");
    #reset = element("layers-metrics-reset");
    #shown = "";
    #chosen = [];

    /** `choose(names)` is called with the chosen metrics, null for those that the page chooses. */
    constructor(choose) {
        this.#list.addEventListener("change", (event) => {
            const name = event.target.value;
            const others = this.#chosen.filter((other) => other !== name);
            // Kept at once: the next choice may come before the next paint.
            this.#chosen = event.target.checked ? [...others, name] : others;
            choose(this.#chosen);
        });
        this.#reset.addEventListener("click", () => choose(null));
        closeLikeMenu(this.#menu);
    }

    /** `offered` are the run's metrics, `chosen` the names of those in the table, at most `most`. */
    show(offered, chosen, most) {
        const key = JSON.stringify([offered, chosen]);
        if (key === this.#shown) return;
        this.#shown = key;
        this.#chosen = chosen;
        setText(this.#note, `Columns of the table, at most ${most}`);
        const focused = this.#list.contains(document.activeElement) ? document.activeElement.value : null;
        this.#list.replaceChildren(...offered.map(({ name, isDerived }) => {
            const item = document.createElement("li");
            const label = document.createElement("label");
            const box = document.createElement("input");
            box.type = "checkbox";
            box.value = name;
            box.checked = chosen.includes(name);
            // The last one stays, and no more than `most` can be added.
            box.disabled = box.checked ? chosen.length === 1 : chosen.length >= most;
            label.append(box, isDerived ? `${name} (computed)` : name);
            item.append(label);
            return item;
        }));
        if (focused !== null) [...this.#list.querySelectorAll("input")].find(({ value }) => value === focused)?.focus();
    }
}
