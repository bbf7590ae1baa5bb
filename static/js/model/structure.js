// The structure of a step: which layers there are. Steps share one table while the model stays the same.

/**
 * An immutable layer table.
 * `layers[i]` is `{ key, id, type, depth, shape, present }`; `key` is the layer id, made unique when a step
 * names the same id twice; `present` is a bit per metric column that the layer reports.
 */
export class Structure {
    #indexByKey = new Map();

    constructor(layers) {
        const seen = new Map();
        this.layers = layers.map((layer) => {
            const count = seen.get(layer.id) ?? 0;
            seen.set(layer.id, count + 1);
            const key = count === 0 ? layer.id : `${layer.id}\u0000${count}`;
            return Object.freeze({ ...layer, key });
        });
        this.layers.forEach((layer, index) => this.#indexByKey.set(layer.key, index));
        Object.freeze(this.layers);
    }

    get length() {
        return this.layers.length;
    }

    /** Position of the layer with this key, or -1. */
    indexOf(key) {
        return this.#indexByKey.get(key) ?? -1;
    }

    /** True when both name the same layers with the same types and depths in the same order. */
    hasSameLayout(other) {
        if (other === this) return true;
        if (other === null || other.length !== this.length) return false;
        return this.layers.every((layer, index) => {
            const candidate = other.layers[index];
            return layer.id === candidate.id && layer.type === candidate.type && layer.depth === candidate.depth;
        });
    }

    /** True when these raw layers are exactly this table. */
    matches(layers) {
        if (layers.length !== this.length) return false;
        return layers.every((layer, index) => sameLayer(layer, this.layers[index]));
    }
}

function sameLayer(a, b) {
    return (
        a.id === b.id &&
        a.type === b.type &&
        a.depth === b.depth &&
        a.present === b.present &&
        a.shape.length === b.shape.length &&
        a.shape.every((size, index) => size === b.shape[index])
    );
}

/** Hands out shared structures. Remembers the few used last, so a model that changes does not pile them up. */
export class StructureTable {
    #recent = [];
    #limit;

    constructor(limit = 8) {
        this.#limit = limit;
    }

    intern(layers) {
        const position = this.#recent.findIndex((structure) => structure.matches(layers));
        const structure = position >= 0 ? this.#recent.splice(position, 1)[0] : new Structure(layers);
        this.#recent.unshift(structure);
        if (this.#recent.length > this.#limit) this.#recent.pop();
        return structure;
    }
}
