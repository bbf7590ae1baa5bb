// The fan as text: what stands out at a column, and a table of columns.

import { formatCount, formatNumber } from "../../model/format.js";
import { formatShort, formatSteps } from "../picture/text.js";
import { SHARES } from "./quantiles.js";

/** Columns of the matrix in the table. */
const MOST_ROWS = 25;
const MEDIAN = SHARES.indexOf(0.5);

/** A column in words: `"max: block3/attn 1.2e4 · median: 0.8 · min: head 0.1"`. */
export function spreadText(spread, matrix, column) {
    const parts = [];
    const broken = spread.broken[column];
    if (broken > 0) {
        const first = matrix.layers[spread.firstBroken[column]];
        parts.push(`NaN or infinite: ${first}${broken > 1 ? ` and ${formatCount(broken - 1)} more` : ""}`);
    }
    if (spread.counts[column] > 0) {
        const value = (place) => formatShort(spread.quantiles[place][column]);
        parts.push(
            `max: ${matrix.layers[spread.highest[column]]} ${value(SHARES.length - 1)}`,
            `median: ${value(MEDIAN)}`,
            `min: ${matrix.layers[spread.lowest[column]]} ${value(0)}`,
        );
    } else if (broken === 0) parts.push("no value");
    return parts.join(" · ");
}

/** `{ caption, head, rows }`: the column of the cursor and others at equal distances. */
export function spreadTable(spread, matrix, cursor) {
    const stride = Math.max(1, Math.ceil(matrix.columns / (MOST_ROWS - 1)));
    const columns = new Set(cursor >= 0 ? [cursor] : []);
    for (let column = 0; column < matrix.columns; column += stride) columns.add(column);
    const rows = [...columns].sort((a, b) => a - b).map((column) => [
        formatSteps(matrix.steps[column], matrix.lastSteps[column]),
        ...spread.quantiles.map((values) => (spread.counts[column] > 0 ? formatNumber(values[column]) : "–")),
        matrix.layers[spread.highest[column]] ?? "–",
        formatCount(spread.broken[column]),
    ]);
    const names = SHARES.map((share) => (share === 0 ? "min" : share === 1 ? "max" : share === 0.5 ? "median"
        : `${100 * share} %`));
    const shown = rows.length < matrix.columns ? `${rows.length} of ${matrix.columns} columns` : "all columns";
    return {
        caption: `${matrix.metric} over the layers: ${shown} of the heatmap`,
        head: ["Steps", ...names, "Layer with the max", "Layers not finite"],
        rows,
    };
}
