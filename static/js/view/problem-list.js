// What the page could not read, each with a button that dismisses it.

import { formatCount } from "../model/format.js";
import { element, instantiate, setHidden, setText } from "./dom.js";

export class ProblemList {
    #list = element("problems");
    #rows = new Map();

    /** `problems` is a `Problems`. */
    constructor(problems) {
        problems.onChange = () => this.#show(problems);
        this.#show(problems);
    }

    #show(problems) {
        const entries = problems.list;
        const keys = new Set(entries.map(({ key }) => key));
        for (const [key, row] of this.#rows) {
            if (keys.has(key)) continue;
            row.node.remove();
            this.#rows.delete(key);
        }
        for (const { key, text, count } of entries) {
            const row = this.#rows.get(key) ?? this.#add(key, problems);
            setText(row.text, count === 1 ? text : `${text} (${formatCount(count)} times)`);
        }
        setHidden(this.#list, entries.length === 0);
    }

    #add(key, problems) {
        const node = instantiate("problem-template");
        const row = { node, text: node.querySelector(".problem-text") };
        node.querySelector("button").addEventListener("click", () => problems.remove(key));
        this.#list.append(node);
        this.#rows.set(key, row);
        return row;
    }
}
