// What is written for a row: the name of its layer or of its folded node, as short as the room asks for.

import { formatCount } from "../../model/format.js";

/** A leading path that more than this share of all layers has says nothing about one of them. */
const COMMON = 0.75;
/** Of the characters of a cut name, the share that is kept at its end. */
const END = 0.6;

/** The parts of a path that nearly all ids begin with, such as "model/layers/"; "" without any. */
export function commonPath(ids) {
    let path = "";
    for (let within = ids; within.length > 1;) {
        const counts = new Map();
        for (const id of within) {
            const end = id.indexOf("/", path.length);
            if (end < 0) continue;
            const longer = id.slice(0, end + 1);
            counts.set(longer, (counts.get(longer) ?? 0) + 1);
        }
        const [longer, count] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), ["", 0]);
        if (count < 2 || count <= COMMON * ids.length) break;
        within = within.filter((id) => id.startsWith(longer));
        path = longer;
    }
    return path;
}

/** The names beside the rows. Where the longest id has no room, all names are without the path that is common to them. */
export class RowNames {
    #ids;
    /** The path that names are without; "" if they are whole. */
    common;

    /** `room` is the number of characters that there is room for. */
    constructor(ids, room = Infinity) {
        this.#ids = ids;
        this.common = ids.some((id) => id.length > room) ? commonPath(ids) : "";
    }

    layer(layer) {
        const id = this.#ids[layer];
        return id.startsWith(this.common) ? id.slice(this.common.length) : id;
    }

    /** The name of a node keeps the last part of the common path: "layers/7" and not "7". */
    node({ name }) {
        const begin = this.common.lastIndexOf("/", this.common.length - 2) + 1;
        return this.common !== "" && name.startsWith(this.common) ? name.slice(begin) : name;
    }

    /** The name of a folded node. */
    folded(node) {
        return `${this.node(node)} (${formatCount(node.end - node.begin)} layers)`;
    }

    /** The name of a row. */
    row(rows, row) {
        const node = rows.nodeOf(row);
        return node === null ? this.layer(rows.layersOf(row)[0]) : this.folded(node);
    }
}

/**
 * A name cut in its middle, so that it is at most as wide as there is room: the beginning has the block, the end the
 * kind of layer. Whole parts of a path are left out first, as few as possible: "7/…/query/weight".
 */
export function shortened(name, room, measure) {
    if (measure(name) <= room) return name;
    const parts = name.split("/");
    for (let kept = parts.length - 1; kept >= 2; kept -= 1) {
        // One part at the beginning, or more where the end has no room for them.
        for (let first = 1; first < kept; first += 1) {
            const text = [...parts.slice(0, first), "…", ...parts.slice(parts.length - (kept - first))].join("/");
            if (text.length < name.length && measure(text) <= room) return text;
        }
    }
    const cut = (count) => {
        const end = Math.max(1, Math.min(count, Math.round(END * count)));
        return `${name.slice(0, count - end)}…${name.slice(name.length - end)}`;
    };
    let low = 1;
    let high = name.length - 1;
    while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (measure(cut(middle)) <= room) low = middle;
        else high = middle - 1;
    }
    return cut(low);
}
