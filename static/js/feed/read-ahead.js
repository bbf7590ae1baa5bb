// What is read while playing, before it is shown.

/** A read has the steps of this time (seconds). */
export const AHEAD_SECONDS = 2;

/**
 * The read that is due while playing: null, `{ gap: index }` where step numbers are missing after this position, or
 * `{ steps }` without records. A read has at most `most` steps, and is due when half as many are left.
 */
export function stepsAhead(history, viewedIndex, most) {
    let held = viewedIndex;
    const isHeld = (index) => history.at(index)?.structure !== undefined;
    while (held < viewedIndex + most && !history.hasGapAfter(held) && isHeld(held + 1)) held += 1;
    if (held > viewedIndex + most / 2) return null;
    if (history.hasGapAfter(held)) return { gap: held };
    const steps = [];
    for (let index = held + 1; index < history.length && steps.length < most; index += 1) {
        steps.push(history.at(index).step);
        if (history.hasGapAfter(index)) break;
    }
    return steps.length === 0 ? null : { steps };
}
