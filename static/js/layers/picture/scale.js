// The vertical scale of a curve.

import { roundStride } from "../../heatmap/picture/axis.js";
import { formatShort } from "../../heatmap/picture/text.js";

/** Ratio of the largest to the smallest positive number from which on a scale is logarithmic. */
const LOG_RATIO = 20;
/** A logarithmic scale ends this far below the largest number. */
const WIDEST_DECADES = 16;
/** Place of the lowest positive number of a logarithmic scale that also has 0, which is at the bottom. */
const ABOVE_ZERO = 0.12;
/** Place of all numbers of a scale without a span. */
const MIDDLE = 0.5;

/**
 * A scale for the finite numbers of lists: `{ isLogarithmic, place(number), ticks }`; `place` is from 0 at the bottom
 * to 1, `ticks` are `{ place, text }`.
 */
export function curveScale(...lists) {
    let low = Infinity;
    let high = -Infinity;
    let lowPositive = Infinity;
    for (const list of lists) {
        for (const number of list) {
            if (!Number.isFinite(number)) continue;
            if (number < low) low = number;
            if (number > high) high = number;
            if (number > 0 && number < lowPositive) lowPositive = number;
        }
    }
    if (low > high) return { isLogarithmic: false, place: () => MIDDLE, ticks: [] };
    if (low >= 0 && high > LOG_RATIO * lowPositive) return logarithmic(lowPositive, high, low === 0);
    return linear(low, high);
}

function linear(low, high) {
    // Halved before subtracting: the span of two large doubles may be more than a double holds.
    const span = high / 2 - low / 2;
    const place = (number) => (span > 0 ? (number / 2 - low / 2) / span : MIDDLE);
    const numbers = span > 0 ? linearTicks(low, high) : [low];
    return { isLogarithmic: false, place, ticks: ticksAt(numbers, place) };
}

/** Round numbers from `low` to `high`, at most four; the ends where they have none. */
function linearTicks(low, high) {
    const span = high - low;
    const power = 10 ** (Math.floor(Math.log10(span)) - 2);
    if (!Number.isFinite(span) || !(power > 0)) return [low, high];
    const stride = roundStride(span / power, 4) * power;
    const ticks = [];
    for (let index = Math.ceil(low / stride); index * stride <= high && ticks.length < 5; index += 1) {
        ticks.push(index * stride);
    }
    // Without the rounding errors of the multiplication.
    const rounded = ticks.map((number) => Number(number.toPrecision(12)));
    return new Set(rounded).size < 2 ? [low, high] : rounded;
}

function logarithmic(lowest, high, hasZero) {
    const top = Math.log10(high);
    const bottom = Math.max(Math.log10(lowest), top - WIDEST_DECADES);
    const floor = hasZero ? ABOVE_ZERO : 0;
    const place = (number) => {
        if (number <= 0) return 0;
        return Math.max(floor, floor + ((1 - floor) * (Math.log10(number) - bottom)) / (top - bottom));
    };
    const first = Math.ceil(bottom);
    const stride = Math.max(1, Math.ceil((Math.floor(top) - first + 1) / 3));
    const numbers = hasZero ? [0] : [];
    for (let exponent = first; exponent <= top; exponent += stride) numbers.push(10 ** exponent);
    if (numbers.length < 2) numbers.push(high);
    return { isLogarithmic: true, place, ticks: ticksAt(numbers, place) };
}

function ticksAt(numbers, place) {
    return numbers.map((number) => ({ place: place(number), text: formatShort(number) }));
}
