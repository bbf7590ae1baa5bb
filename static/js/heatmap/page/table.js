// A table as the text alternative of a picture, in a fold of the page: filled only while it is open.

import { element } from "../../view/dom.js";

export class FoldedTable {
    #details;
    #table;
    #key = null;

    /** `onOpen()` is called when the fold is opened or closed. */
    constructor(detailsId, onOpen) {
        this.#details = element(detailsId);
        this.#table = this.#details.querySelector("table");
        this.#details.addEventListener("toggle", onOpen);
    }

    get isOpen() {
        return this.#details.open;
    }

    clear() {
        this.#key = null;
        this.#table.replaceChildren();
    }

    /** Shows `{ caption, head, rows }`, lists of texts; `key` changes when the content does. */
    show(key, { caption, head, rows }) {
        if (key === this.#key) return;
        this.#key = key;
        const title = document.createElement("caption");
        title.textContent = caption;
        const top = document.createElement("thead");
        top.append(rowOf(head, () => "col"));
        const body = document.createElement("tbody");
        body.append(...rows.map((texts) => rowOf(texts, (index) => (index === 0 ? "row" : null))));
        this.#table.replaceChildren(title, top, body);
    }
}

/** A row of the table; `scopeOf(index)` is the scope of a heading, or null for a cell. */
function rowOf(texts, scopeOf) {
    const row = document.createElement("tr");
    row.append(...texts.map((text, index) => {
        const scope = scopeOf(index);
        const cell = document.createElement(scope === null ? "td" : "th");
        if (scope !== null) cell.scope = scope;
        cell.textContent = text;
        return cell;
    }));
    return row;
}
