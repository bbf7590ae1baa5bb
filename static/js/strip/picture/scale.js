// The y axis of one scalar.

/** A scale of positive numbers is logarithmic if the largest is more than this many times the smallest. */
const LOG_RATIO = 100;

/**
 * The scale of a scalar's numbers: `{ kind, low, high, place(value) }`. `place` gives 0 for the lowest and 1 for the
 * highest finite number. Null if there is no finite number.
 */
export function scalarScale({ min, max }) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of min) if (value < low) low = value;
    for (const value of max) if (value > high) high = value;
    if (!Number.isFinite(low) || !Number.isFinite(high)) return null;
    if (low === high) return { kind: "linear", low, high, place: () => 0.5 };
    if (low > 0 && high > LOG_RATIO * low) {
        const [bottom, top] = [Math.log10(low), Math.log10(high)];
        return { kind: "log", low, high, place: (value) => (Math.log10(value) - bottom) / (top - bottom) };
    }
    // Halved before subtracting: the span of two large doubles may be more than a double holds.
    const span = high / 2 - low / 2;
    return { kind: "linear", low, high, place: (value) => (value / 2 - low / 2) / span };
}
