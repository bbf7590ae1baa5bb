// Numbers on a scale that do not overlap.

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
