// The order of the rows.

import { severityRank } from "../../model/verdict/severity.js";

/** Numbers in order; NaN after them. */
function compareNumbers(a, b) {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return a < b ? -1 : a > b ? 1 : 0;
}

const collator = new Intl.Collator("en", { numeric: true });

/** What rows are compared by: `{ keyOf(index), compare }`; a key that is undefined comes last in both directions. */
function keysOf(sort, { layers, worst, numberOf }) {
    const depthOf = (index) => layers[index].depth;
    switch (sort.column) {
        case "name": return { keyOf: (index) => layers[index].id, compare: collator.compare };
        case "type": return { keyOf: (index) => layers[index].type, compare: collator.compare };
        case "depth": return { keyOf: depthOf, compare: compareNumbers };
        case "finding": return {
            keyOf: (index) => worst(layers[index].id),
            compare: (a, b) => severityRank(b.severity) - severityRank(a.severity)
                || Number(a.isOrigin) - Number(b.isOrigin) || severityRank(b.own) - severityRank(a.own),
        };
        default: return { keyOf: numberOf, compare: compareNumbers };
    }
}

/**
 * Positions of layers in the order of the table. `test(layer)` is the filter, `worst(id)` the worst open finding of a
 * layer, `numberOf(index)` the number of the column by which the table is sorted. Layers that are equal keep the order
 * of their depth.
 */
export function orderedRows(layers, { test, sort, worst, numberOf }) {
    const rows = [];
    layers.forEach((layer, index) => {
        if (test(layer)) rows.push(index);
    });
    const { keyOf, compare } = keysOf(sort, { layers, worst, numberOf });
    const keys = new Map(rows.map((index) => [index, keyOf(index)]));
    const direction = sort.direction === "descending" ? -1 : 1;
    return rows.sort((a, b) => {
        const [one, other] = [keys.get(a), keys.get(b)];
        if (one === undefined || other === undefined) {
            if (one !== other) return one === undefined ? 1 : -1;
        } else {
            const order = direction * compare(one, other);
            if (order !== 0) return order;
        }
        return compareNumbers(layers[a].depth, layers[b].depth) || a - b;
    });
}
