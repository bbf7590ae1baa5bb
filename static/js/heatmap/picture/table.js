// The text alternative: the layers of one column with their values.

import { formatCell, formatSteps, ratioText } from "./text.js";

/** Layers in the table. */
const MOST_ROWS = 12;

/**
 * The layers of a column that stand out, as `{ caption, head, rows }`: first those whose value is not finite, then
 * those with findings, then those with the largest weight on the scale. The picture is that of `scaledMatrix`.
 */
export function columnTable({ matrix, scale, medians, findings }, column) {
    const rows = [];
    matrix.layers.forEach((layer, row) => {
        const index = row * matrix.columns + column;
        if (matrix.isMissing(index)) return;
        const entry = findings.of(layer);
        const weight = scale.weight(matrix.last[index], row);
        rows.push({ layer, row, index, entry, weight, rank: (matrix.isBroken(index) ? 2 : 0) + (entry ? 1 : 0) });
    });
    const size = ({ weight }) => (Number.isNaN(weight) ? Infinity : weight);
    rows.sort((a, b) => b.rank - a.rank || compare(size(b), size(a)) || a.row - b.row);
    const shown = rows.slice(0, MOST_ROWS);
    return {
        caption: `${matrix.metric} at ${formatSteps(matrix.steps[column], matrix.lastSteps[column])}: `
            + `${shown.length} of ${rows.length} layers, those that stand out most`,
        head: ["Layer", "Value", "Of its median", "Finding"],
        rows: shown.map(({ layer, row, index, entry }) => [
            layer, formatCell(matrix, index), ratioText(matrix.last[index], medians[row]),
            entry === undefined ? "" : entry.alerts.map(({ rule }) => rule).join(", "),
        ]),
    };
}

function compare(a, b) {
    return a === b ? 0 : a - b;
}
