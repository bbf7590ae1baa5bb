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
