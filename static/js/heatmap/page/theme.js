// The heatmap's colours in the page's scheme, light or dark.

import { colourTable, cssColour, pixel } from "../picture/colours.js";

/** Cells that are not finite, in both schemes: no scale has this colour. */
const BROKEN = "c2188f";
const HATCH = "#ffffff";

export class HeatmapTheme {
    #tables = new Map();
    #marks = null;
    #scheme = matchMedia("(prefers-color-scheme: dark)");

    constructor(onChange) {
        this.#scheme.addEventListener("change", () => {
            this.#marks = null;
            onChange();
        });
    }

    /** The colours of a picture whose scale has `kind`, and of the marks on it. */
    colours(kind) {
        const key = `${kind} ${this.#scheme.matches ? "dark" : "light"}`;
        if (!this.#tables.has(key)) this.#tables.set(key, colourTable(kind, this.#scheme.matches));
        this.#marks ??= readMarks();
        const broken = pixel(BROKEN);
        return {
            ...this.#marks, key, table: this.#tables.get(key), broken, brokenColour: cssColour(broken), hatchColour: HATCH,
        };
    }
}

function readMarks() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const bySeverity = { critical: colour("alarm"), warning: colour("paused"), info: colour("accent") };
    return {
        text: colour("text"),
        textSoft: colour("text-soft"),
        border: colour("border"),
        borderStrong: colour("border-strong"),
        surface: colour("surface"),
        accent: colour("accent"),
        kinds: [1, 2, 3, 4].map((number) => colour(`kind-${number}`)),
        severity: (name) => bySeverity[name] ?? bySeverity.info,
    };
}
