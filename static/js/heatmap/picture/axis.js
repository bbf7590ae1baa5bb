// The step numbers on the axis.

import { formatCount } from "../../model/format.js";

/**
 * At most `most` ticks, `{ column, text }`; `column` has a fraction where the step is inside of a column. Round numbers
 * if steps can be subtracted exactly, otherwise steps at equal distances.
 */
export function stepTicks(steps, lastSteps, most) {
    const count = steps.length;
    if (count === 0) return [];
    const first = steps[0];
    const last = lastSteps[count - 1];
    if (typeof first !== "number" || typeof last !== "number") return evenTicks(steps, most);
    const stride = roundStride(last - first, most);
    const ticks = [];
    let column = 0;
    for (let step = Math.ceil(first / stride) * stride; step <= last && ticks.length < 2 * most; step += stride) {
        while (column + 1 < count && steps[column + 1] <= step) column += 1;
        // A gap between the columns holds no place for the step.
        if (step > lastSteps[column]) continue;
        const share = (step - steps[column]) / (lastSteps[column] - steps[column] + 1);
        ticks.push({ column: column + share, text: formatCount(step) });
    }
    return ticks.length === 0 ? evenTicks(steps, most) : ticks;
}

/** The least of 1, 2, 5, 10, 20, ... that gives at most `most` ticks. */
export function roundStride(span, most) {
    for (let power = 1; ; power *= 10) {
        for (const factor of [1, 2, 5]) if (span / (factor * power) <= most - 1) return factor * power;
    }
}

function evenTicks(steps, most) {
    const count = Math.min(most, steps.length);
    const columns = Array.from({ length: count }, (_, index) => Math.floor((index * steps.length) / count));
    return columns.map((column) => ({ column, text: formatCount(steps[column]) }));
}
