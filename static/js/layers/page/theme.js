// The colours of curves, from the style sheet, in the page's scheme.

const SCHEME = matchMedia("(prefers-color-scheme: dark)");

/** NaN and infinities, as in the heatmap. */
const BROKEN = "#c2188f";

export class CurveTheme {
    #colours = null;

    /** `onChange` is called when the scheme changes between light and dark. */
    constructor(onChange) {
        SCHEME.addEventListener("change", () => {
            this.#colours = null;
            onChange();
        });
    }

    /** `{ line, broken, cursor, text, grid, severity(name) }`; another object after the scheme changed. */
    get colours() {
        return (this.#colours ??= readColours());
    }
}

function readColours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const severities = { critical: colour("alarm"), warning: colour("paused"), info: colour("accent") };
    return {
        line: colour("std"),
        broken: SCHEME.matches ? "#f06cc8" : BROKEN,
        cursor: colour("text"),
        text: colour("text-soft"),
        grid: colour("border"),
        surface: colour("surface"),
        severity: (name) => severities[name] ?? severities.info,
    };
}
