// The depth profile: the value of each line of the heatmap at the cursor.

import { formatNumber } from "../../model/format.js";
import { formatSteps } from "../picture/text.js";
import { State } from "./values.js";

/** Rows of the table. */
const MOST_ROWS = 100;

/**
 * The lines in view, `{ line, layer, sharing, value, state }`: of layers that share a line, `shownOf` chooses the one
 * whose value is shown.
 */
export function profileLines(window, now, shownOf) {
    const lines = [];
    for (let line = 0; line < window.lines; line += 1) {
        const range = window.layersOf(line);
        const [begin, end] = range;
        const layer = end - begin === 1 ? begin : Math.max(begin, shownOf(range));
        lines.push({ line, layer, sharing: end - begin, value: now.values[layer], state: now.states[layer] });
    }
    return lines;
}

/** The value of a layer as text. */
export function valueText(values, row) {
    if (values === null || values.states[row] === State.missing) return "no value";
    const text = formatNumber(values.values[row]);
    return values.states[row] === State.broken && Number.isFinite(values.values[row])
        ? `${text}, with values that are not finite` : text;
}

/** One line as text: `"block3/attn: 1.200e4, first 0.8000"`. */
export function lineText({ layer, sharing }, names, now, first) {
    const shared = sharing > 1 ? ` (of ${sharing} layers)` : "";
    const before = first === null ? "" : `, first ${valueText(first, layer)}`;
    return `${names[layer]}${shared}: ${valueText(now, layer)}${before}`;
}

/** The table of the lines: `{ caption, head, rows }`. */
export function profileTable(lines, { metric, names, kinds, now, first, findings }) {
    const rows = lines.slice(0, MOST_ROWS).map(({ layer, sharing }) => [
        sharing > 1 ? `${names[layer]} (of ${sharing} layers)` : names[layer],
        valueText(now, layer),
        first === null ? "" : valueText(first, layer),
        (findings.of(names[layer])?.alerts ?? []).map(({ rule }) => rule.replaceAll("_", " ")).join(", "),
        kinds.typeOf(layer),
    ]);
    const more = lines.length > rows.length ? `; the first ${rows.length} of ${lines.length} rows, zoom to see others` : "";
    const since = first === null ? "" : `, and at the first report, ${formatSteps(...first.steps)}`;
    const head = ["Layer", "Value", "First report", "Finding", "Type"];
    return { head, caption: `${metric} by depth at ${formatSteps(...now.steps)}${since}${more}`, rows };
}
