// DOM updates that do not touch a node if nothing changes. Text is never interpreted as markup.

/** The element with this id; throws if there is none. */
export function element(id) {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`the page has no element #${id}`);
    return found;
}

/** A copy of the one element in a template. */
export function instantiate(templateId) {
    return element(templateId).content.firstElementChild.cloneNode(true);
}

export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function setHidden(node, isHidden) {
    if (node.hidden !== isHidden) node.hidden = isHidden;
}

/** Whether a key at this element is typed into a field: then it is none of the page's keys. */
export function isTyped(target) {
    return target.closest("input:not([type=range]):not([type=checkbox]), textarea, select") !== null;
}

/** Makes a `<details>` node a menu: Escape and a press beside it close it. */
export function closeLikeMenu(details) {
    details.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !details.open) return;
        // Escape closes nothing else.
        event.preventDefault();
        event.stopPropagation();
        details.open = false;
        details.querySelector("summary").focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
        if (!details.contains(target)) details.open = false;
    });
}
