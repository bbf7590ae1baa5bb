// The bars beside the names, one for each node of the tree: what is folded by a click, and what belongs together.

import { isFolded, spanOf } from "../picture/labels.js";

/** Width of the bars of one level. */
export const LEVEL_WIDTH = 12;
/** Most levels with bars; deeper nodes are folded by keys. */
const MOST_LEVELS = 3;
/** Width of the heatmap for each level after the first, beyond the least. */
const LEVEL_ROOM = 300;
/** Least height of a node that is set off from its neighbours by a line. */
const LEAST_BORDERED = 14;

/** Number of levels with bars in a heatmap this wide. */
export function shownLevels(tree, width) {
    return Math.min(tree.depth, MOST_LEVELS, Math.max(1, Math.floor((width - LEVEL_ROOM / 2) / LEVEL_ROOM)));
}

/** The bars in view: `{ node, top, bottom, isFolded, isOdd }`, those of neighbours with different `isOdd`. */
export function bracketsOf(tree, window, height, levels) {
    const brackets = [];
    const walk = (nodes) => {
        nodes.forEach((node, index) => {
            const [top, bottom] = spanOf(node, window, height);
            if (node.level >= levels || bottom <= top) return;
            const folded = isFolded(node, window.rows);
            brackets.push({ node, top, bottom, isFolded: folded, isOdd: index % 2 === 1 });
            if (!folded) walk(node.children);
        });
    };
    walk(tree.roots);
    return brackets;
}

/** The node whose bar is at a point, or null. */
export function nodeAt(brackets, x, y) {
    const level = x < 0 ? -1 : Math.floor(x / LEVEL_WIDTH);
    return brackets.find(({ node, top, bottom }) => node.level === level && top <= y && y < bottom)?.node ?? null;
}

/** The heights of lines between groups: the edges of all nodes that are tall enough, except those of the picture. */
export function bordersOf(brackets, height) {
    const edges = new Set();
    for (const { top, bottom } of brackets) {
        if (bottom - top >= LEAST_BORDERED) for (const edge of [top, bottom]) edges.add(Math.round(edge));
    }
    return [...edges].filter((edge) => edge > 0 && edge < Math.round(height));
}
