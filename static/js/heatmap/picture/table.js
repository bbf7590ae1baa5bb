// The text alternative: the layers of one column with their values.

import { formatCell, ratioText } from "./text.js";

/** Layers in the table. */
const MOST_ROWS = 12;

/**
 * The layers of a column that stand out, `{ layer, value, ratio, finding }`: first those whose value is not finite,
 * then those with findings, then those with the largest weight on the scale.
 */
export function columnTable(matrix, column, scale, medians, findings) {
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
    return {
        total: rows.length,
        rows: rows.slice(0, MOST_ROWS).map(({ layer, row, index, entry }) => ({
            layer,
            value: formatCell(matrix, index),
            ratio: ratioText(matrix.last[index], medians[row]),
            finding: entry === undefined ? "" : entry.alerts.map(({ rule }) => rule).join(", "),
        })),
    };
}

function compare(a, b) {
    return a === b ? 0 : a - b;
}
