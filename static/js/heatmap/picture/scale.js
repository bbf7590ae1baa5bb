// Which number has which colour. A scale gives each number a place from 0 to 1 on its colours.

import { formatShort } from "./text.js";

/** Ratio of the largest to the smallest number from which on a scale is logarithmic. */
const LOG_RATIO = 20;
/** A logarithmic scale ends this far above all but the largest numbers, so that one of them does not take all colours. */
const HEADROOM = 1e4;
/** A logarithmic scale has at most this ratio from end to end. */
const WIDEST_RATIO = 1e12;
/** Numbers looked at for quantiles. */
const SAMPLE = 20_000;
/** The place of the lowest number of a logarithmic scale; 0 itself is below it. */
const LOWEST = 0.06;

/** A scale of the matrix's values: `{ kind, colours, place(value, row), weight(value, row), ticks }`. */
export function valueScale(matrix) {
    const numbers = sortedSample(matrix);
    if (numbers.length === 0) return linear(0, 1);
    const low = numbers[0];
    const high = numbers[numbers.length - 1];
    if (low < 0) return low === high ? linear(low, high) : symmetric(numbers);
    const positive = numbers.subarray(firstAbove(numbers, 0));
    if (positive.length > 0 && high > LOG_RATIO * positive[0]) return logarithmic(positive, low === 0);
    return linear(low, high);
}

/**
 * A scale of the ratio of a layer's value to the median of that layer's values that are not 0: doubling and halving
 * are equally far from the middle.
 */
export function ratioScale(matrix) {
    const medians = layerMedians(matrix);
    const sizes = [];
    forSample(matrix, (value, row) => {
        const size = Math.abs(Math.log2(Math.abs(value) / medians[row]));
        if (Number.isFinite(size)) sizes.push(size);
    });
    sizes.sort((a, b) => a - b);
    const widest = Math.ceil(Math.min(10, Math.max(1, quantile(sizes, 0.98) || 1)));
    const place = (value, row) => {
        const ratio = Math.abs(value) / medians[row];
        if (Number.isNaN(ratio)) return 0.5;
        return clamp(0.5 + Math.log2(ratio) / (2 * widest));
    };
    const power = (exponent) => (exponent < 0 ? `1/${2 ** -exponent}×` : `${2 ** exponent}×`);
    const exponents = widest === 1 ? [-1, 0, 1] : [-widest, -Math.floor(widest / 2), 0, Math.floor(widest / 2), widest];
    return {
        kind: "ratio",
        colours: "diverging",
        medians,
        place,
        weight: (value, row) => Math.abs(place(value, row) - 0.5),
        ticks: exponents.map((exponent) => ({ place: 0.5 + exponent / (2 * widest), text: power(exponent) })),
    };
}

/** The median of each layer's finite values that are not 0, as a size; NaN where it has none. */
export function layerMedians(matrix) {
    const medians = new Float64Array(matrix.rows).fill(NaN);
    const sizes = new Float32Array(matrix.columns);
    for (let row = 0; row < matrix.rows; row += 1) {
        let count = 0;
        for (let column = 0; column < matrix.columns; column += 1) {
            const value = matrix.last[row * matrix.columns + column];
            if (value !== 0 && Number.isFinite(value)) sizes[count++] = Math.abs(value);
        }
        if (count > 0) medians[row] = sizes.subarray(0, count).sort()[(count - 1) >>> 1];
    }
    return medians;
}

function linear(low, high) {
    const span = high / 2 - low / 2;
    const place = (value) => (span > 0 ? clamp((value / 2 - low / 2) / span) : 0.5);
    const numbers = span > 0 ? [low, low + span, high] : [low];
    return {
        kind: "linear", colours: "sequential", place, weight: Math.abs,
        ticks: numbers.map((number) => ({ place: place(number), text: formatShort(number) })),
    };
}

/** `numbers` are positive and ascending. */
function logarithmic(numbers, hasZero) {
    const high = Math.min(numbers[numbers.length - 1], quantile(numbers, 0.995) * HEADROOM);
    const low = Math.max(quantile(numbers, 0.005), high / WIDEST_RATIO);
    const [bottom, top] = [Math.log10(low), Math.log10(high)];
    const floor = hasZero ? LOWEST : 0;
    const place = (value) => {
        if (value <= 0) return 0;
        return floor + (1 - floor) * (top > bottom ? clamp((Math.log10(value) - bottom) / (top - bottom)) : 0.5);
    };
    const ticks = [low, ...decades(bottom, top), high];
    if (hasZero) ticks.unshift(0);
    return {
        kind: "log", colours: "sequential", place, weight: Math.abs,
        ticks: ticks.map((number) => ({ place: place(number), text: formatShort(number) })),
    };
}

/** `numbers` are ascending and some are negative: logarithmic on both sides of 0, and linear near it. */
function symmetric(numbers) {
    const sizes = Float64Array.from(numbers, Math.abs).filter((size) => size > 0).sort();
    const high = Math.min(sizes[sizes.length - 1], quantile(sizes, 0.995) * HEADROOM);
    const threshold = Math.max(quantile(sizes, 0.5) / 10, high / WIDEST_RATIO);
    const widest = Math.log1p(high / threshold);
    const place = (value) => {
        const share = Math.min(1, Math.log1p(Math.abs(value) / threshold) / widest);
        return 0.5 + (Math.sign(value) * share) / 2;
    };
    const half = threshold * Math.expm1(widest / 2);
    return {
        kind: "symmetric log", colours: "diverging", place, weight: Math.abs,
        ticks: [-high, -half, 0, half, high].map((number) => ({ place: place(number), text: formatShort(number) })),
    };
}

/** At most three powers of ten strictly between two exponents. */
function decades(bottom, top) {
    const margin = (top - bottom) / 8;
    const exponents = [];
    for (let exponent = Math.ceil(bottom + margin); exponent < top - margin; exponent += 1) exponents.push(exponent);
    const stride = Math.ceil(exponents.length / 3);
    return exponents.filter((_, index) => index % stride === 0).map((exponent) => 10 ** exponent);
}

/** Finite values of the matrix, ascending; all extremes are among them. */
function sortedSample(matrix) {
    const numbers = [];
    let low = Infinity;
    let high = -Infinity;
    for (const value of matrix.last) {
        if (!Number.isFinite(value)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
    }
    if (low > high) return new Float64Array(0);
    forSample(matrix, (value) => numbers.push(value));
    return Float64Array.from([low, ...numbers, high]).sort();
}

function forSample(matrix, take) {
    const stride = Math.max(1, Math.ceil(matrix.last.length / SAMPLE));
    for (let index = 0; index < matrix.last.length; index += stride) {
        const value = matrix.last[index];
        if (Number.isFinite(value)) take(value, Math.floor(index / matrix.columns));
    }
}

function firstAbove(numbers, bound) {
    const position = numbers.findIndex((number) => number > bound);
    return position < 0 ? numbers.length : position;
}

function quantile(sorted, share) {
    return sorted[Math.round(share * (sorted.length - 1))];
}

function clamp(place) {
    return Math.min(1, Math.max(0, place));
}
