// The layers of a step. Steps share one table while the model stays the same.

/**
 * An immutable layer table.
 * `layers[i]` is `{ key, id, type, depth, shape, group, parameters }`; `key` is the layer id, made unique if a step
 * has two layers of one id; `group` and `parameters` are undefined where they were not posted.
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

    /** Whether both have the same layers, types and depths, in the same order. */
    hasSameLayout(other) {
        if (other === this) return true;
        if (other === null || other.length !== this.length) return false;
        return this.layers.every((layer, index) => {
            const candidate = other.layers[index];
            return layer.id === candidate.id && layer.type === candidate.type && layer.depth === candidate.depth;
        });
    }

    /** Whether these raw layers equal this table. */
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
        a.group === b.group &&
        a.parameters === b.parameters &&
        a.shape.length === b.shape.length &&
        a.shape.every((size, index) => size === b.shape[index])
    );
}

function layerOf(layer, index) {
    return {
        id: String(layer?.id ?? ""),
        type: String(layer?.type ?? ""),
        depth: layer?.depth ?? index,
        shape: layer?.shape ?? [],
        group: layer?.group ?? undefined,
        parameters: layer?.parameters ?? undefined,
    };
}

/** A cache of shared structures. It keeps the few used last, so that a changing model does not accumulate them. */
export class StructureTable {
    #recent = [];
    /** Structures by the list of layers they were made of: live steps share one list. */
    #made = new WeakMap();
    #limit;

    constructor(limit = 8) {
        this.#limit = limit;
    }

    /** The structure of these layers, as the server describes them. */
    of(layers) {
        const made = this.#made.get(layers);
        if (made !== undefined) return made;
        const structure = this.#intern(layers.map(layerOf));
        this.#made.set(layers, structure);
        return structure;
    }

    #intern(layers) {
        const position = this.#recent.findIndex((structure) => structure.matches(layers));
        const structure = position >= 0 ? this.#recent.splice(position, 1)[0] : new Structure(layers);
        this.#recent.unshift(structure);
        if (this.#recent.length > this.#limit) this.#recent.pop();
        return structure;
    }
}
