// Which rows of a long table exist: those in view, and the one with the focus.

/** Rows beyond each end of the view, so that scrolling shows no gap. */
const MARGIN = 4;

/**
 * The first row in view and the one after the last, `[from, to]`, with a margin. `top` is the scrolled distance,
 * `height` that of the view without titles.
 */
export function rowsInView({ top, height, rowHeight, count }) {
    if (count === 0 || height <= 0) return [0, 0];
    const from = Math.max(0, Math.min(count - 1, Math.floor(top / rowHeight)) - MARGIN);
    return [from, Math.min(count, Math.ceil((top + height) / rowHeight) + MARGIN)];
}

/** The scrolled distance at which a row is in view; the least movement, or with the row in the middle. */
export function scrolledTo({ row, top, height, rowHeight, isCentred = false }) {
    const begin = row * rowHeight;
    if (isCentred) return Math.max(0, begin - (height - rowHeight) / 2);
    if (begin < top) return begin;
    return begin + rowHeight > top + height ? begin + rowHeight - height : top;
}
