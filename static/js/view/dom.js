// Small steps on the DOM that leave a node alone when nothing changes. Text is always text, never markup.

/** The element with this id; throws when the page lacks it. */
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
