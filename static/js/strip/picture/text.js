// Numbers of the strip as text.

import { formatSteps } from "../../heatmap/picture/text.js";
import { exactNumber, formatCount, formatNumber } from "../../model/format.js";
import { ScalarColumns } from "../data/scalars.js";

/** Rows of the table that show columns. */
const TABLE_COLUMNS = 20;

/** The column with the last value of a scalar up to this one; -1 if there is none. */
export function valueColumn(series, column) {
    let place = column;
    while (place >= 0 && ScalarColumns.isMissing(series, place)) place -= 1;
    return place;
}

/**
 * What a row shows of its scalar: `{ text, exact, title, isEarlier, isBroken }`. `exact` is the value at the viewed
 * step, where the page has it; otherwise the last one of the column counts, or that of an earlier column.
 */
export function rowValue(scalars, series, column, exact) {
    const usual = { isEarlier: false, isBroken: false };
    if (exact !== undefined) {
        const text = exactNumber(exact);
        return { ...usual, text: formatNumber(exact), exact: text, title: text, isBroken: !Number.isFinite(exact) };
    }
    const place = series === undefined || column < 0 ? -1 : valueColumn(series, column);
    if (place < 0) return { ...usual, text: formatNumber(undefined), exact: "", title: "no value" };
    const value = series.last[place];
    const count = series.nonfinite[place];
    const steps = formatSteps(scalars.steps[place], scalars.lastSteps[place]);
    const others = count > 0 ? `, ${formatCount(count)} not finite` : "";
    return {
        text: formatNumber(value), exact: exactNumber(value), title: `${exactNumber(value)}, ${steps}${others}`,
        isEarlier: place < column, isBroken: count > 0,
    };
}

/** One cell of the table: the last value of a column, with its range where it has several. */
export function cellText(series, column) {
    if (series === undefined || ScalarColumns.isMissing(series, column)) return formatNumber(undefined);
    const { min, max, last, nonfinite } = series;
    const range = min[column] < max[column] ? ` (${formatNumber(min[column])} to ${formatNumber(max[column])})` : "";
    const count = nonfinite[column];
    const others = count > 0 && Number.isFinite(last[column]) ? `, ${formatCount(count)} not finite` : "";
    return `${formatNumber(last[column])}${range}${others}`;
}

/**
 * The picture as a table: `{ caption, head, rows }`; the first rows are the cursor and the extremes, then columns at
 * equal distances, and the seams among them.
 */
export function scalarTable({ scalars, names, scales, cursor, seams }) {
    const { columns, steps, lastSteps } = scalars;
    const all = names.map((name) => scalars.series.get(name));
    const row = (title, texts) => ({ title, texts });
    const rows = [];
    if (cursor >= 0) {
        const title = `at the cursor, ${formatSteps(steps[cursor], lastSteps[cursor])}`;
        rows.push(row(title, all.map((series) => cellText(series, cursor))));
    }
    rows.push(row("lowest", scales.map((scale) => formatNumber(scale?.low))));
    rows.push(row("highest", scales.map((scale) => formatNumber(scale?.high))));
    const count = (series) => series?.nonfinite.reduce((sum, number) => sum + number, 0) ?? 0;
    if (all.some((series) => count(series) > 0)) {
        rows.push(row("number of values that are not finite", all.map((series) => formatCount(count(series)))));
    }
    const shown = Math.min(columns, TABLE_COLUMNS);
    let next = 0;
    for (let index = 0; index < shown; index += 1) {
        const column = shown < 2 ? 0 : Math.round((index * (columns - 1)) / (shown - 1));
        for (; next < seams.length && seams[next].column <= column; next += 1) rows.push(row(seams[next].text, []));
        const title = formatSteps(steps[column], lastSteps[column]);
        rows.push(row(title, all.map((series) => cellText(series, column))));
    }
    for (; next < seams.length; next += 1) rows.push(row(seams[next].text, []));
    const range = columns === 0 ? "no steps" : formatSteps(steps[0], lastSteps[columns - 1]);
    return { caption: `Scalars, ${range}: ${shown} of ${formatCount(columns)} columns`, head: names, rows };
}
