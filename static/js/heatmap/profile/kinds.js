// Which layers of a network are of one kind: the same place in each block, such as all "attn/q_proj". Values of
// different kinds differ by orders of magnitude, so that a trend over depth is seen only among layers of one kind.

/** Types with a colour of their own, the most frequent ones; all others share one. */
const MOST_TYPES = 3;
/** Where fewer layers than this share have others of their kind, the type alone makes a kind. */
const LEAST_REPEATED = 0.5;

/** The place in a block: numbers of blocks are left out, those of the last part only if it is the only one with any. */
function placeOf(id) {
    const end = id.lastIndexOf("/") + 1;
    const path = id.slice(0, end).replace(/\d+/gu, "#");
    return path.includes("#") ? path + id.slice(end) : path + id.slice(end).replace(/\d+/gu, "#");
}

export class LayerKinds {
    /** The kind of each layer, a number from 0. */
    kindOf;
    /** The class of each kind, a place in `classes`. */
    classOf = [];
    /** `{ name, count }` of types, the most frequent first; the last one has all others if there are more. */
    classes;

    #types;

    /** `layers` are those of the run's description, `{ id, type }`. */
    constructor(ids, layers) {
        const typeOf = new Map((layers ?? []).map(({ id, type }) => [id, type ?? ""]));
        const types = ids.map((id) => typeOf.get(id) ?? "");
        this.#types = types;
        const classByType = this.#classify(types);
        let keys = ids.map((id, layer) => `${types[layer]} ${placeOf(id)}`);
        const counts = countsOf(keys);
        const repeated = keys.filter((key) => counts.get(key) > 1).length;
        if (repeated < LEAST_REPEATED * ids.length) keys = types;
        const numbers = new Map();
        this.kindOf = Int32Array.from(keys, (key, layer) => {
            if (!numbers.has(key)) {
                numbers.set(key, numbers.size);
                this.classOf.push(classByType.get(types[layer]));
            }
            return numbers.get(key);
        });
    }

    /** The posted type of a layer, or "". */
    typeOf(layer) {
        return this.#types[layer];
    }

    #classify(types) {
        const sorted = [...countsOf(types)].sort(([, a], [, b]) => b - a);
        const own = sorted.length > MOST_TYPES + 1 ? sorted.slice(0, MOST_TYPES) : sorted;
        this.classes = own.map(([type, count]) => ({ name: type === "" ? "no type" : type, count }));
        const others = types.length - own.reduce((sum, [, count]) => sum + count, 0);
        if (others > 0) this.classes.push({ name: "other types", count: others });
        return new Map(sorted.map(([type], place) => [type, Math.min(place, this.classes.length - 1)]));
    }
}

function countsOf(keys) {
    const counts = new Map();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
}

/**
 * One curve for each kind with layers in view: `{ kind, points }`, a point for each line with such layers,
 * `{ line, layer, low, high }`. Of several in a line it is the one that `lines` show, otherwise the middle one; `low`
 * and `high` are the least and the largest finite value of them.
 */
export function kindCurves(window, kinds, lines, { values }) {
    const curves = new Map();
    for (const { line, layer: shown } of lines) {
        const [begin, end] = window.layersOf(line);
        const inLine = new Map();
        for (let layer = begin; layer < end; layer += 1) {
            const kind = kinds.kindOf[layer];
            if (!inLine.has(kind)) inLine.set(kind, []);
            inLine.get(kind).push(layer);
        }
        for (const [kind, layers] of inLine) {
            const finite = layers.map((layer) => values[layer]).filter(Number.isFinite);
            const layer = layers.includes(shown) ? shown : layers[layers.length >>> 1];
            if (!curves.has(kind)) curves.set(kind, { kind, points: [] });
            curves.get(kind).points.push({ line, layer, low: Math.min(...finite), high: Math.max(...finite) });
        }
    }
    return [...curves.values()];
}
