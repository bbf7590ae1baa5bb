/**
 * An element with attributes and children. Strings become text, with `code` between backticks;
 * null and undefined are left out.
 */
export function node(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    for (const child of children.flat()) {
        if (child === null || child === undefined) continue;
        if (typeof child === "string") made.append(...textWithCode(child));
        else made.append(child);
    }
    return made;
}

function textWithCode(text) {
    return text.split("`").map((part, index) => {
        if (index % 2 === 0) return part;
        const code = document.createElement("code");
        code.textContent = part;
        return code;
    });
}
