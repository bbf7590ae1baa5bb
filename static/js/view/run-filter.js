// The text that narrows down the list of runs, and the keys that lead there.

import { formatCount } from "../model/format.js";
import { element, setHidden, setText } from "./dom.js";

export class RunFilter {
    #field = element("runs-filter");
    #status = element("runs-filter-status");

    /** `actions`: `change(text)` after the text changed, `enter()` and `down()` for these keys in the field. */
    constructor(actions) {
        this.#field.addEventListener("input", () => actions.change(this.text));
        this.#field.addEventListener("keydown", (event) => {
            if (event.isComposing) return;
            if (event.key === "Enter") actions.enter();
            else if (event.key === "ArrowDown") actions.down();
            else if (event.key === "Escape" && this.#field.value !== "") {
                this.#field.value = "";
                actions.change("");
            } else if (event.key === "Escape") this.#field.blur();
            else return;
            event.preventDefault();
            event.stopPropagation();
        });
        document.addEventListener("keydown", (event) => {
            if (event.key !== "r" || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
            if (event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, dialog:modal")) return;
            if (this.#field.hidden) return;
            event.preventDefault();
            this.focus();
        });
    }

    get text() {
        return this.#field.value.trim();
    }

    set text(text) {
        if (text !== this.text) this.#field.value = text;
    }

    /** Goes to the field, if it is shown. */
    focus() {
        this.#field.focus();
        this.#field.select();
    }

    /** `hasFilter` and `matches` as `RunRows.choose` has them, and the number of all runs. */
    show({ hasFilter, matches }, count) {
        setHidden(this.#field, !hasFilter);
        const found = matches === 0 ? "No run matches" : `${formatCount(matches)} of ${formatCount(count)} match`;
        setText(this.#status, this.text === "" ? "" : found);
        setHidden(this.#status, this.text === "");
    }
}
