// Which lines have a name beside them: that of their layer, or that of a node of the tree.

import { RowNames } from "./names.js";

/** Nodes take at least this share of the names there is room for; otherwise some nodes of the next level have names. */
const LEAST_SHARE = 1 / 3;

/**
 * Names beside the lines, `{ line, layer, y, text }`, such that they are at least `gap` pixels apart; `layer` is -1 for
 * the name of a node. `wanted` is a list of layers, the most important first. Other rows follow, all of them if there
 * is room, otherwise nodes of the tree and layers in none; or some rows of a tree without nodes. `names` are
 * `RowNames`.
 */
export function placedLabels(window, lineHeight, gap, wanted, tree, names = new RowNames(tree.ids)) {
    const labels = [];
    const taken = [];
    const height = window.lines * lineHeight;
    const add = ({ line, layer, at, text }) => {
        // The first and the last name stay inside of the picture.
        const y = Math.max(gap / 2, Math.min(height - gap / 2, at));
        if (!taken.some((other) => Math.abs(other - y) < gap)) {
            taken.push(y);
            labels.push({ line, layer, y, text });
        }
    };
    const addLine = (line, layer) => {
        const node = window.nodeOf(line);
        const text = node === null ? names.layer(layer) : names.folded(node);
        add({ line, layer: node === null ? layer : -1, at: (line + 0.5) * lineHeight, text });
    };
    const most = Math.ceil(height / gap) + 1;
    for (const layer of wanted) {
        if (taken.length >= most) break;
        const line = window.lineOf(layer);
        if (line >= 0) addLine(line, layer);
    }
    const nodes = lineHeight < gap ? namedNodes(tree, window, Math.floor(height / gap)) : [];
    for (const node of nodes) {
        const [top, bottom] = spanOf(node, window, height);
        const line = Math.min(window.lines - 1, Math.max(0, Math.floor((top + bottom) / 2 / lineHeight)));
        const text = isFolded(node, window.rows) ? names.folded(node) : names.node(node);
        add({ line, layer: -1, at: (top + bottom) / 2, text });
    }
    for (let line = 0; line < window.lines; line += 1) {
        const [begin, end] = window.layersOf(line);
        const isLoose = end - begin === 1 && tree.nodesOf(begin).length === 0;
        if (nodes.length === 0 || isLoose) addLine(line, begin);
    }
    return labels.sort((a, b) => a.y - b.y);
}

/** The top and the bottom of a node in a picture of this height, cut at its edges. */
export function spanOf({ begin, end }, window, height) {
    const place = (row) => Math.min(height, Math.max(0, ((row - window.first) * height) / window.count));
    return [place(window.rows.rowOf(begin)), place(window.rows.rowOf(end - 1) + 1)];
}

/** Whether a node is one row. */
export function isFolded(node, rows) {
    return rows.nodeOf(rows.rowOf(node.begin)) === node;
}

/** Nodes in view, of the deepest level with at most `most` of them, and of the next one if those are few. */
function namedNodes(tree, window, most) {
    const [begin, end] = window.rows.layersOf(window.first, window.first + window.count);
    const isShown = (node) => node.end > begin && node.begin < end;
    let named = tree.roots.filter(isShown);
    for (let level = 1; level < tree.depth; level += 1) {
        const inside = named.flatMap((node) => {
            const isWhole = node.children.length === 0 || isFolded(node, window.rows);
            return isWhole ? [node] : node.children.filter(isShown);
        });
        if (inside.length > most && named.length > LEAST_SHARE * most) break;
        named = inside;
    }
    return named;
}
