// The line of one scalar, its band, and what is not finite.

import { ScalarColumns } from "../data/scalars.js";

/** Where the columns of a line are apart by more than this part of all, each value also is a dot. */
const SPARSE = 0.02;

/**
 * The marks of a scalar in columns: `{ points, band, dots, broken }`, each of columns. `points` are
 * `{ column, y }` of the last values, and `band` `{ column, low, high }` where a bucket has more than one value, all
 * from 0 to 1 on the scale; `dots` are points without neighbours; `broken` are columns with values that are not finite.
 */
export function scalarMarks(series, columns, scale) {
    const points = [];
    const band = [];
    const broken = [];
    for (let column = 0; column < columns; column += 1) {
        if (ScalarColumns.isMissing(series, column)) continue;
        if (series.nonfinite[column] > 0) broken.push(column);
        if (scale === null) continue;
        const [low, high, last] = [series.min[column], series.max[column], series.last[column]];
        if (low < high) band.push({ column, low: scale.place(low), high: scale.place(high) });
        if (Number.isFinite(last)) points.push({ column, y: scale.place(last) });
    }
    const gap = Math.max(1, SPARSE * columns);
    const dots = points.filter(({ column }, index) => {
        const isNear = (other) => other !== undefined && Math.abs(other.column - column) <= gap;
        return !isNear(points[index - 1]) && !isNear(points[index + 1]);
    });
    return { points, band, dots, broken };
}

/**
 * The end of a chart where a number at its top or bottom has room beside the marks: `left`, or `right` if marks are in
 * the way on the left alone. `width` is the part of the columns that the number covers, `height` the part of the scale.
 */
export function freeEnd({ points, band }, columns, { width, height, isTop }) {
    const covers = (low, high) => (isTop ? high > 1 - height : low < height);
    const isFree = (from, to) => {
        const isIn = ({ column }) => column >= from && column <= to;
        return !points.some((point) => isIn(point) && covers(point.y, point.y))
            && !band.some((part) => isIn(part) && covers(part.low, part.high));
    };
    const covered = width * columns;
    return isFree(0, covered) || !isFree(columns - 1 - covered, columns - 1) ? "left" : "right";
}

/** Points in runs that are drawn as one line: a value that is not finite between two points interrupts it. */
export function lineSegments({ points, broken }) {
    const segments = [];
    let next = 0;
    let previous = null;
    for (const point of points) {
        while (next < broken.length && broken[next] <= (previous?.column ?? -1)) next += 1;
        if (previous === null || (next < broken.length && broken[next] < point.column)) segments.push([]);
        segments.at(-1).push(point);
        previous = point;
    }
    return segments;
}
