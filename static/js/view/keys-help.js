// The list of all keys, in a dialog that `?` opens.

import { KEY_GROUPS } from "../keys.js";
import { element, isTyped } from "./dom.js";

export class KeysHelp {
    #dialog = element("keys-help");

    constructor() {
        element("keys-rows").replaceChildren(...KEY_GROUPS.flatMap(rowsOf));
        element("keys-open").addEventListener("click", () => this.#open());
        element("keys-close").addEventListener("click", () => this.#dialog.close());
        // A click beside the dialog is on the dialog itself.
        this.#dialog.addEventListener("click", ({ target }) => {
            if (target === this.#dialog) this.#dialog.close();
        });
        document.addEventListener("keydown", (event) => this.#key(event));
    }

    #key(event) {
        if (event.key !== "?" || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
        if (isTyped(event.target)) return;
        event.preventDefault();
        if (this.#dialog.open) this.#dialog.close();
        else this.#open();
    }

    /** The browser returns the focus when the dialog is closed. */
    #open() {
        if (!this.#dialog.open) this.#dialog.showModal();
    }
}

function rowsOf({ title, keys }) {
    const head = document.createElement("tr");
    const name = document.createElement("th");
    name.colSpan = 2;
    name.scope = "rowgroup";
    name.textContent = title;
    head.append(name);
    return [head, ...keys.map(([names, action]) => {
        const row = document.createElement("tr");
        const first = document.createElement("th");
        const second = document.createElement("td");
        first.scope = "row";
        // Keys have short names; words are those of the mouse.
        const isKeys = names.split(" ").every((part) => part.length <= 3 || /^(Space|Home|End|Enter|Page\w+)$/u.test(part));
        first.append(...(isKeys ? names.split(" ").flatMap((part) => [keyOf(part), " "]) : [names]));
        second.textContent = action;
        row.append(first, second);
        return row;
    })];
}

function keyOf(name) {
    const key = document.createElement("kbd");
    key.textContent = name;
    return key;
}
