// The icon of a severity, next to its word. Its shape differs, so that colour is not needed to read it.

import { setAttribute } from "../dom.js";

const SYMBOLS = new Set(["critical", "warning", "info", "ok"]);

const SVG = "http://www.w3.org/2000/svg";

/** An `svg` for an icon, beside a word that says the same. */
export function makeMark() {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "mark");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(SVG, "use"));
    return svg;
}

/** Shows the icon of `severity` in an `svg` with one `use`; a hollow circle for anything unknown. */
export function showMark(svg, severity) {
    setAttribute(svg.firstElementChild, "href", `#mark-${SYMBOLS.has(severity) ? severity : "none"}`);
}
