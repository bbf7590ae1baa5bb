// The rows of the heatmap: single layers, and folded nodes of the tree.

export class Rows {
    /** The first layer of each row, and the number of layers. */
    #begins;
    /** The folded node of a row. */
    #nodes = new Map();

    /** `isFolded(node)`: whether a node of the `LayerTree` is one row; those inside of it do not matter then. */
    constructor(tree, isFolded) {
        const begins = [];
        const total = tree.ids.length;
        let children = tree.nodes.values();
        let next = children.next();
        for (let layer = 0; layer < total;) {
            let folded = null;
            for (; !next.done && next.value.begin <= layer; next = children.next()) {
                if (folded === null && next.value.begin === layer && isFolded(next.value)) folded = next.value;
            }
            if (folded !== null) this.#nodes.set(begins.length, folded);
            begins.push(layer);
            layer = folded?.end ?? layer + 1;
        }
        this.#begins = Int32Array.from([...begins, total]);
    }

    /** One row for each layer. */
    static ofLayers(count) {
        return new Rows({ ids: { length: count }, nodes: [] }, () => false);
    }

    get count() {
        return this.#begins.length - 1;
    }

    get layers() {
        return this.#begins[this.count];
    }

    /** The layers of the rows in `[first, end)`, as `[begin, end)`. */
    layersOf(first, end = first + 1) {
        return [this.#begins[first], this.#begins[end]];
    }

    /** The row of a layer; `count` for a layer after all. */
    rowOf(layer) {
        let low = 0;
        let high = this.#begins.length;
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (this.#begins[middle] <= layer) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    /** The folded node of a row, or null for a single layer. */
    nodeOf(row) {
        return this.#nodes.get(row) ?? null;
    }
}
