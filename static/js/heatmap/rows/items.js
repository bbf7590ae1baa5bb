// The tree as a person moves through it by keys: nodes and layers one below the other, as in a list of folders.

/**
 * The items that are not hidden by a fold: `{ node, layer, level, isFolded, position, count }`. `node` is null for a
 * single layer; `layer` is the first one of a node; `position` counts from 1 among the `count` items of one parent.
 */
export function treeItems(tree, rows) {
    const items = [];
    const walk = (begin, end, nodes, level) => {
        const own = [];
        let next = 0;
        for (let layer = begin; layer < end;) {
            const node = nodes[next]?.begin === layer ? nodes[next++] : null;
            const isFolded = node !== null && rows.nodeOf(rows.rowOf(node.begin)) === node;
            const item = { node, layer, level, isFolded, position: own.length + 1, count: 0 };
            own.push(item);
            items.push(item);
            if (node !== null && !isFolded) walk(node.begin, node.end, node.children, level + 1);
            layer = node === null ? layer + 1 : node.end;
        }
        for (const item of own) item.count = own.length;
    };
    walk(0, tree.ids.length, tree.roots, 0);
    return items;
}

/** Identifies an item in the items of a later picture. */
export function itemKey({ node, layer }, tree) {
    return node === null ? `layer ${tree.ids[layer]}` : `node ${node.begin} ${node.key}`;
}

/** The position of the item with this key, otherwise of the row of a layer. */
export function itemIndex(items, tree, key, layer) {
    const found = items.findIndex((item) => itemKey(item, tree) === key);
    if (found >= 0) return found;
    const row = items.findLastIndex((item) => item.layer <= layer && (item.node === null || item.isFolded));
    return Math.max(0, row);
}

/** What a key does at an item: `{ kind: "move", to }`, `{ kind: "toggle" }`, `{ kind: "open" }`, or null. */
export function treeAction(key, items, index) {
    const { node, isFolded, level } = items[index];
    const move = (to) => ({ kind: "move", to: Math.min(items.length - 1, Math.max(0, to)) });
    switch (key) {
        case "ArrowUp": return move(index - 1);
        case "ArrowDown": return move(index + 1);
        case "PageUp": return move(index - 10);
        case "PageDown": return move(index + 10);
        case "Home": return move(0);
        case "End": return move(items.length - 1);
        case "ArrowRight":
            if (node === null) return move(index);
            return isFolded ? { kind: "toggle" } : move(index + 1);
        case "ArrowLeft":
            if (node !== null && !isFolded) return { kind: "toggle" };
            if (level === 0) return move(index);
            return move(items.findLastIndex((item, place) => place < index && item.level === level - 1));
        case "Enter": return { kind: node === null ? "open" : "toggle" };
        default: return null;
    }
}
