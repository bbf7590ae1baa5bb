// Commands with a button each that copies them.

import { instantiate, setText } from "./dom.js";

export class CommandList {
    #container;
    #shown = "";

    constructor(container) {
        this.#container = container;
    }

    /** Shows commands, `[{ label, text }]`. */
    show(commands) {
        const key = JSON.stringify(commands);
        if (key === this.#shown) return;
        this.#shown = key;
        this.#container.replaceChildren(...commands.map(commandNode));
    }
}

function commandNode({ label, text }) {
    const node = instantiate("command-template");
    const [name, code, button, status] =
        [".command-label", "code", "button", ".command-status"].map((part) => node.querySelector(part));
    setText(name, label);
    setText(code, text);
    button.setAttribute("aria-label", `Copy: ${label}`);
    button.addEventListener("click", async () => {
        const isCopied = await copy(text, code);
        setText(status, isCopied ? "Copied" : "Press Ctrl+C to copy");
    });
    return node;
}

/** Copies a text; without access to the clipboard, which plain HTTP does not have, selects the node that shows it. */
async function copy(text, node) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const range = document.createRange();
        range.selectNodeContents(node);
        const selection = getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        return document.execCommand("copy");
    }
}
