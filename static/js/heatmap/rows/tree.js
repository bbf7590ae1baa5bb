// The layers of a run as a tree: by the group that the trainer posted, then by the parts of their ids.

/** An outermost node with more than this share of all layers is left out: the trunk of the model separates nothing. */
const TRUNK = 0.75;
/** Most parts of an id that make levels; the parts after them stay together. */
const MOST_PARTS = 8;

/**
 * The tree of layers in the order of depth. The order is kept, so that each node has neighbouring layers: a path or
 * group whose layers are interrupted by others has several nodes of one key.
 * A node is `{ key, name, level, begin, end, parent, children }`: the layers from `begin` to `end - 1`, at least two.
 */
export class LayerTree {
    /** All nodes, each before those inside of it. */
    nodes = [];
    /** The nodes that are in no other. */
    roots;
    /** Number of levels; 0 if the layers have no common paths. */
    depth = 0;

    /** `groups` has the group of each layer id that has one. */
    constructor(ids, groups = new Map()) {
        this.ids = ids;
        const parts = ids.map(partsOf);
        this.roots = withoutTrunk(this.#grouped(parts, wholeGroups(ids, groups)), ids.length);
        this.#number(this.roots, null, 0);
    }

    /** The nodes that have this layer, the outermost first. */
    nodesOf(layer) {
        const found = [];
        for (let children = this.roots; children.length > 0;) {
            const node = children[positionOf(children, layer)];
            if (node === undefined || layer < node.begin || layer >= node.end) break;
            found.push(node);
            children = node.children;
        }
        return found;
    }

    /** Nodes of groups, and of paths where a layer has no group. */
    #grouped(parts, groupOf) {
        const nodes = [];
        for (let begin = 0; begin < parts.length;) {
            const group = groupOf[begin];
            let end = begin + 1;
            while (end < parts.length && groupOf[end] === group) end += 1;
            const inside = pathNodes(parts, begin, end, 0);
            if (group === undefined || end - begin < 2) nodes.push(...inside);
            else nodes.push(node(`:${group}`, group, begin, end, inside));
            begin = end;
        }
        return nodes;
    }

    #number(nodes, parent, level) {
        for (const each of nodes) {
            Object.assign(each, { parent, level });
            this.nodes.push(each);
            this.depth = Math.max(this.depth, level + 1);
            this.#number(each.children, each, level + 1);
        }
    }
}

/** The groups of a description's layers, by id. */
export function groupsOf(layers) {
    const groups = new Map();
    for (const { id, group } of layers ?? []) if (typeof group === "string" && group !== "") groups.set(id, group);
    return groups;
}

function partsOf(id) {
    const parts = id.split("/");
    return parts.length <= MOST_PARTS ? parts
        : [...parts.slice(0, MOST_PARTS - 1), parts.slice(MOST_PARTS - 1).join("/")];
}

/**
 * The group of each layer, undefined without one. Groups whose layers are not neighbours count as none: they are kinds
 * of layers, such as all attentions, and would tear the blocks apart.
 */
function wholeGroups(ids, groups) {
    const segments = new Map();
    let before;
    for (const id of ids) {
        const group = groups.get(id);
        if (group !== before && group !== undefined) segments.set(group, (segments.get(group) ?? 0) + 1);
        before = group;
    }
    return ids.map((id) => (segments.get(groups.get(id)) === 1 ? groups.get(id) : undefined));
}

/** The nodes of the layers in `[begin, end)`, by the part of their ids at this position. */
function pathNodes(parts, begin, end, position) {
    const nodes = [];
    for (let first = begin; first < end;) {
        const name = parts[first][position];
        let last = first + 1;
        while (last < end && parts[last][position] === name) last += 1;
        if (last - first > 1 && name !== undefined) {
            const path = parts[first].slice(0, position + 1).join("/");
            nodes.push(node(path, path, first, last, pathNodes(parts, first, last, position + 1)));
        }
        first = last;
    }
    return nodes;
}

/** A node; the one inside of it if that has the same layers. */
function node(key, name, begin, end, children) {
    const [only] = children;
    if (children.length === 1 && only.begin === begin && only.end === end) return only;
    return { key, name, begin, end, children, parent: null, level: 0 };
}

/** The nodes without one that has nearly all layers: in its place those inside of it. */
function withoutTrunk(nodes, total) {
    const trunk = nodes.findIndex(({ begin, end }) => end - begin > TRUNK * total);
    if (trunk < 0) return nodes;
    return withoutTrunk([...nodes.slice(0, trunk), ...nodes[trunk].children, ...nodes.slice(trunk + 1)], total);
}

/** The last of these nodes that begins at or before a layer. */
function positionOf(nodes, layer) {
    let low = 0;
    let high = nodes.length;
    while (low < high) {
        const middle = (low + high) >>> 1;
        if (nodes[middle].begin <= layer) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}
