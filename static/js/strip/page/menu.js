// The list from which scalars are chosen.

import { closeLikeMenu, element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { MOST_CHOSEN } from "../data/choices.js";

/** From this number of names on, there is a field to search in them. */
const SEARCH_FROM = 12;
/** Names in the list; the others are found by searching. */
const MOST_NAMES = 200;

export class ScalarMenu {
    #menu = element("strip-choice");
    #count = element("strip-count");
    #search = element("strip-search");
    #names = element("strip-names");
    #note = element("strip-note");
    #usual = element("strip-usual");
    #known = [];
    #chosen = [];
    #listed = "";

    /** `onChoose(names)` is called after a choice, with null for the usual ones. */
    constructor(onChoose) {
        this.#names.addEventListener("change", ({ target }) => {
            const others = this.#chosen.filter((name) => name !== target.value);
            this.#chosen = target.checked ? [...others, target.value] : others;
            onChoose(this.#chosen);
        });
        this.#usual.addEventListener("click", () => onChoose(null));
        this.#search.addEventListener("input", () => this.#list());
        this.#menu.addEventListener("toggle", () => this.#list());
        closeLikeMenu(this.#menu);
    }

    /** Offers these names; `chosen` are drawn. */
    show(names, chosen) {
        this.#known = names;
        this.#chosen = chosen;
        setText(this.#count, `${chosen.length} of ${names.length}`);
        if (this.#menu.open) this.#list();
    }

    #list() {
        if (!this.#menu.open) return;
        const hasSearch = this.#known.length >= SEARCH_FROM;
        setHidden(this.#search, !hasSearch);
        const wanted = hasSearch ? this.#search.value.toLowerCase() : "";
        const matching = this.#known.filter((name) => name.toLowerCase().includes(wanted));
        // Chosen names come first in a list that is cut, so that each can be removed.
        const isChosen = (name) => this.#chosen.includes(name);
        const sorted = [...matching.filter(isChosen), ...matching.filter((name) => !isChosen(name))];
        const shown = sorted.length > MOST_NAMES ? sorted.slice(0, MOST_NAMES) : matching;
        this.#fill(shown);
        const isFull = this.#chosen.length >= MOST_CHOSEN;
        for (const box of this.#names.querySelectorAll("input")) {
            box.checked = isChosen(box.value);
            box.disabled = isFull && !box.checked;
        }
        const hidden = matching.length - shown.length;
        setText(this.#note, [
            hidden > 0 ? `${hidden} more names: search for them.` : "",
            matching.length === 0 ? "No scalar has this in its name." : "",
            isFull ? `At most ${MOST_CHOSEN} are drawn at once.` : "",
        ].filter(Boolean).join(" "));
    }

    /** Rebuilds the list if its names changed: boxes that stay keep the focus. */
    #fill(names) {
        const key = names.join("\n");
        if (key === this.#listed) return;
        this.#listed = key;
        this.#names.replaceChildren(...names.map((name) => {
            const item = document.createElement("li");
            const label = document.createElement("label");
            const box = document.createElement("input");
            box.type = "checkbox";
            box.value = name;
            setAttribute(label, "title", name);
            label.append(box, name);
            item.append(label);
            return item;
        }));
    }
}
