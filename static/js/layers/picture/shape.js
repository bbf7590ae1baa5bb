// The curve through a metric's buckets, in columns of equal width as in the heatmap.

/**
 * `{ lines, bands, broken }`: `lines` are runs of points `{ column, place }` through the last values, `bands` runs of
 * `{ column, low, high }` between the extremes of each bucket, `broken` the columns with values that are not finite.
 * A bucket without a value ends a run.
 */
export function curveShape({ min, max, last, nonfinite }, scale) {
    const lines = [];
    const bands = [];
    const broken = [];
    let line = null;
    last.forEach((value, column) => {
        if (nonfinite[column] > 0 || (value !== undefined && !Number.isFinite(value))) broken.push(column);
        const low = Number.isFinite(min[column]) ? min[column] : value;
        if (!Number.isFinite(value) && !Number.isFinite(low)) {
            line = null;
            return;
        }
        if (line === null) {
            line = { points: [], edges: [] };
            lines.push(line.points);
            bands.push(line.edges);
        }
        const high = Number.isFinite(max[column]) ? max[column] : low;
        // A bucket whose last value is not finite is still drawn by its finite ones.
        line.points.push({ column, place: scale.place(Number.isFinite(value) ? value : low) });
        line.edges.push({ column, low: scale.place(low), high: scale.place(high) });
    });
    return { lines, bands, broken };
}
