// The text that narrows down the list of runs, and the keys that lead there.

import { formatCount } from "../model/format.js";
import { element, setHidden, setText } from "./dom.js";
import { goToFilter, makeFilterField } from "./filter-field.js";

export class RunFilter {
    #field = element("runs-filter");
    #status = element("runs-filter-status");

    /** `actions`: `change(text)` after the text changed, `enter()` and `down()` for these keys in the field. */
    constructor(actions) {
        const change = () => actions.change(this.text);
        makeFilterField(this.#field, "r", { ...actions, change });
    }

    get text() {
        return this.#field.value.trim();
    }

    set text(text) {
        if (text !== this.text) this.#field.value = text;
    }

    /** Goes to the field, if it is shown. */
    focus() {
        goToFilter(this.#field);
    }

    /** `hasFilter` and `matches` as `RunRows.choose` has them, and the number of all runs. */
    show({ hasFilter, matches }, count) {
        setHidden(this.#field, !hasFilter);
        const found = matches === 0 ? "No run matches" : `${formatCount(matches)} of ${formatCount(count)} match`;
        setText(this.#status, this.text === "" ? "" : found);
        setHidden(this.#status, this.text === "");
    }
}
