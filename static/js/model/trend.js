// The last steps of one metric of one layer, and the line through them.

import { METRICS } from "./metrics.js";

/** Steps in a trend. */
export const TREND_LENGTH = 120;

/** The metrics that have a trend. */
export const TREND_METRICS = Object.freeze(["activation_std", "gradient_l2_norm"]);

/**
 * Values of a layer's metric over the steps up to position `end` (inclusive), oldest first.
 * They come from the records of the history, and from the trend store for steps without one.
 * A step without the layer or without the metric gives undefined.
 */
export function trendValues(history, layerKey, column, end, length = TREND_LENGTH, trends = null) {
    const values = [];
    const { name } = METRICS[column];
    let structure = null;
    let layerIndex = -1;
    for (let index = Math.max(0, end - length + 1); index <= end; index += 1) {
        const record = history.at(index);
        if (record.structure === undefined) {
            values.push(trends?.value(layerKey, record.step, name));
            continue;
        }
        if (record.structure !== structure) {
            structure = record.structure;
            layerIndex = structure.indexOf(layerKey);
        }
        values.push(layerIndex < 0 ? undefined : record.value(layerIndex, column));
    }
    return values;
}

/**
 * Places values in the unit square: x from 0 (oldest) to 1 (newest), y from 0 (lowest) to 1 (highest).
 * On a log scale, values that are not positive have y = 0. NaN and infinities have no point and are listed as broken.
 * @returns `{ segments: [[{x, y}, ...], ...], broken: [x, ...] }`: runs of finite points, and the x of non-finite ones
 */
export function trendShape(values, { logarithmic = false } = {}) {
    const scale = (value) => (logarithmic ? (value > 0 ? Math.log10(value) : -Infinity) : value);
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
        if (!Number.isFinite(value)) continue;
        const scaled = scale(value);
        if (!Number.isFinite(scaled)) continue;
        low = Math.min(low, scaled);
        high = Math.max(high, scaled);
    }
    // Scaled down before subtracting: the span of two large doubles may be more than a double holds.
    const span = high / 2 - low / 2;
    const place = (scaled) => {
        if (scaled === -Infinity) return 0;
        return span > 0 ? (scaled / 2 - low / 2) / span : 0.5;
    };
    const segments = [];
    const broken = [];
    let segment = null;
    values.forEach((value, index) => {
        const x = values.length > 1 ? index / (values.length - 1) : 1;
        if (!Number.isFinite(value)) {
            if (value !== undefined) broken.push(x);
            segment = null;
            return;
        }
        if (segment === null) segments.push((segment = []));
        segment.push({ x, y: place(scale(value)) });
    });
    return { segments, broken };
}
