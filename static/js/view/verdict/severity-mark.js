// The icon of a severity, next to its word. Its shape differs, so that colour is not needed to read it.

import { setAttribute } from "../dom.js";

const SYMBOLS = new Set(["critical", "warning", "info", "ok"]);

/** Shows the icon of `severity` in an `svg` with one `use`; a hollow circle for anything unknown. */
export function showMark(svg, severity) {
    setAttribute(svg.firstElementChild, "href", `#mark-${SYMBOLS.has(severity) ? severity : "none"}`);
}
