// Numbers on a scale that do not overlap.

/** About the width of a character of a number (CSS pixels). */
const CHARACTER = 6.5;

/** Ticks of a scale at least `gap` apart, as a share of its length: the last one is kept, then those from the first. */
export function spacedTicks(ticks, gap) {
    const kept = [];
    const last = ticks.at(-1);
    for (const tick of ticks.slice(0, -1)) {
        const hasRoom = tick.place - (kept.at(-1)?.place ?? -1) >= gap && last.place - tick.place >= gap;
        if (hasRoom) kept.push(tick);
    }
    return last === undefined ? [] : [...kept, last];
}

/**
 * Ticks whose texts do not overlap on a scale `width` CSS pixels long, which has them inside: the last one is kept,
 * then those from the first.
 */
export function readableTicks(ticks, width) {
    const extentOf = ({ place, text }) => {
        const half = (CHARACTER * text.length) / 2;
        const middle = Math.max(half, Math.min(width - half, place * width));
        return { left: middle - half, right: middle + half };
    };
    const last = ticks.at(-1);
    const kept = [];
    for (const tick of ticks.slice(0, -1)) {
        const { left, right } = extentOf(tick);
        const isFree = kept.length === 0 || extentOf(kept.at(-1)).right <= left;
        if (isFree && right <= extentOf(last).left) kept.push(tick);
    }
    return last === undefined ? [] : [...kept, last];
}
