// Which lines have a name beside them: that of their layer, or that of a node of the tree.

import { formatCount } from "../../model/format.js";

/** The name of a folded node. */
export function nodeText(node) {
    return `${node.name} (${formatCount(node.end - node.begin)} layers)`;
}

/** The name of a row: that of its layer or of its folded node. */
export function rowText(rows, row, ids) {
    const node = rows.nodeOf(row);
    return node === null ? ids[rows.layersOf(row)[0]] : nodeText(node);
}

/** Nodes take at least this share of the names there is room for; otherwise some nodes of the next level have names. */
const LEAST_SHARE = 1 / 3;

/**
 * Names beside the lines, `{ line, layer, y, text }`, such that they are at least `gap` pixels apart; `layer` is -1 for
 * the name of a node. `wanted` is a list of layers, the most important first. Other rows follow, all of them if there
 * is room, otherwise nodes of the tree; or some rows of a tree without nodes.
 */
export function placedLabels(window, lineHeight, gap, wanted, tree) {
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
        const text = node === null ? tree.ids[layer] : nodeText(node);
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
        add({ line, layer: -1, at: (top + bottom) / 2, text: isFolded(node, window.rows) ? nodeText(node) : node.name });
    }
    if (nodes.length === 0) {
        for (let line = 0; line < window.lines; line += 1) addLine(line, window.layersOf(line)[0]);
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

/** A name cut at its beginning, so that it is at most as wide as there is room: ends of layer names differ most. */
export function shortened(name, room, measure) {
    if (measure(name) <= room) return name;
    let low = 0;
    let high = name.length;
    while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (measure(`…${name.slice(name.length - middle)}`) <= room) low = middle;
        else high = middle - 1;
    }
    return `…${name.slice(name.length - low)}`;
}
