// A field whose text narrows a list down, and the key that leads to it from the whole page.

import { isTyped } from "./dom.js";

/** `actions`: `change()` after the text changed, `enter()` and `down()` for these keys in the field. */
export function makeFilterField(field, pageKey, actions) {
    field.addEventListener("input", () => actions.change());
    field.addEventListener("keydown", (event) => {
        if (event.isComposing) return;
        if (event.key === "Enter") actions.enter();
        else if (event.key === "ArrowDown") actions.down();
        else if (event.key === "Escape" && field.value !== "") {
            field.value = "";
            actions.change();
        } else if (event.key === "Escape") field.blur();
        else return;
        event.preventDefault();
        event.stopPropagation();
    });
    document.addEventListener("keydown", (event) => {
        if (event.key !== pageKey || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
        const isElsewhere = isTyped(event.target) || event.target.closest("dialog:modal") !== null;
        if (isElsewhere || field.closest("[hidden]") !== null) return;
        event.preventDefault();
        goToFilter(field);
    });
}

/** Gives the field the focus; what is typed replaces its text. */
export function goToFilter(field) {
    field.focus();
    field.select();
}
