// The loss of a run: its last value, and whether it falls.

import { readNumber } from "../metrics.js";

/** The names under which trainers post the loss, as the rules of layer health look for it. */
const NAMES = Object.freeze(["train/loss", "loss", "train_loss"]);

/** Points that are read of a run. Up to twice as many are held; then every second one is dropped. */
export const LOSS_POINTS = 240;

/** Part of the run, at its end, over which the trend is taken. */
const TREND_PART = 0.25;
const LEAST_POINTS = 8;
/** A change is a trend if it is this many times its standard error, and this part of the mean loss. */
const SIGNIFICANCE = 3;
const LEAST_CHANGE = 0.02;

/** The scalar that is the loss among these names, or null. */
export function lossName(scalars) {
    const known = NAMES.find((name) => scalars.includes(name));
    return known ?? scalars.find((name) => /(^|\/)(train_)?loss$/u.test(name)) ?? null;
}

/**
 * The trend at the end of a series of `{ step, value }`: `falling`, `rising`, `flat`, or null with too few points.
 * @returns `{ direction, steps }`; `steps` is the number of step numbers that it covers
 */
export function trendOf(points) {
    const last = points.at(-1);
    if (last === undefined) return { direction: null, steps: 0 };
    const x = points.map(({ step }) => Number(BigInt(step) - BigInt(last.step)));
    let begin = x.findIndex((distance) => distance >= x[0] * TREND_PART);
    begin = Math.max(0, Math.min(begin, points.length - LEAST_POINTS));
    const chosen = [];
    for (let index = begin; index < points.length; index += 1) {
        if (Number.isFinite(points[index].value)) chosen.push({ x: x[index], y: points[index].value });
    }
    const steps = -x[begin];
    if (chosen.length < LEAST_POINTS) return { direction: null, steps };
    // Relative to the largest one, so that no square overflows.
    const scale = Math.max(...chosen.map(({ y }) => Math.abs(y))) || 1;
    const { change, error, size } = fit(chosen.map(({ x, y }) => ({ x, y: y / scale })));
    if (Math.abs(change) <= Math.max(SIGNIFICANCE * error, LEAST_CHANGE * size)) return { direction: "flat", steps };
    return { direction: change < 0 ? "falling" : "rising", steps };
}

/** The straight line through points: its change over their range, the standard error of that, and the mean of |y|. */
function fit(points) {
    const count = points.length;
    const mean = (values) => values.reduce((sum, value) => sum + value / count, 0);
    const centreX = mean(points.map(({ x }) => x));
    const centreY = mean(points.map(({ y }) => y));
    let xx = 0;
    let xy = 0;
    for (const { x, y } of points) {
        xx += (x - centreX) ** 2;
        xy += (x - centreX) * (y - centreY);
    }
    const slope = xy / xx;
    const squares = points.reduce((sum, { x, y }) => sum + (y - centreY - slope * (x - centreX)) ** 2, 0);
    const range = points.at(-1).x - points[0].x;
    const error = Math.sqrt(squares / (count - 2) / xx) * range;
    return { change: slope * range, error, size: mean(points.map(({ y }) => Math.abs(y))) };
}

export class LossSeries {
    #points = [];
    #trend = null;

    /** The name of the scalar; null if the run has none. */
    name = null;

    /** Replaces all points by an answer of `series`. Live steps above its last one stay. */
    load(name, { last_steps: steps, scalars }) {
        const values = scalars[name]?.last ?? [];
        const newer = name === this.name ? this.#points : [];
        this.name = name;
        this.#points = [];
        this.#trend = null;
        steps.forEach((step, index) => this.#append(step, readNumber(values[index])));
        const last = this.#points.at(-1);
        for (const { step, value } of newer) if (last === undefined || step > last.step) this.#append(step, value);
    }

    /** Takes the loss of a live step; one below the last step is not the newest and changes nothing. */
    add(step, scalars = {}) {
        this.name ??= lossName(Object.keys(scalars ?? {}));
        if (this.name === null) return;
        this.#append(step, readNumber(scalars?.[this.name]));
    }

    clear() {
        this.#points = [];
        this.#trend = null;
    }

    /** The last `{ step, value }`, or undefined. */
    get last() {
        return this.#points.at(-1);
    }

    get length() {
        return this.#points.length;
    }

    get trend() {
        this.#trend ??= trendOf(this.#points);
        return this.#trend;
    }

    #append(step, value) {
        if (value === undefined) return;
        const last = this.#points.at(-1);
        if (last !== undefined && step < last.step) return;
        if (last !== undefined && step === last.step) this.#points.pop();
        this.#points.push({ step, value });
        if (this.#points.length > 2 * LOSS_POINTS) {
            const parity = (this.#points.length - 1) % 2;
            this.#points = this.#points.filter((_, index) => index % 2 === parity);
        }
        this.#trend = null;
    }
}
