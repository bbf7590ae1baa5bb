// Where the parts of the heatmap are on screen, and what is at a point. All lengths are CSS pixels.

import { LEVEL_WIDTH } from "../rows/brackets.js";

/** Height of the axis below the cells. */
const AXIS = 22;
/** About the width of a character of a name. */
const CHARACTER = 6.6;
/** What is beside a name: free space, and the mark of a finding. */
const BESIDE_NAME = 22;
/** The height of a line where there is room. */
const TALLEST_LINE = 20;

/**
 * The layout of a heatmap `width` wide: on the left the bars of the tree up to `treeWidth` and the texts of the rows,
 * `layers`; cells from `left` to `left + plotWidth` and from 0 to `plotHeight`, the axis below.
 */
export class Geometry {
    constructor({ width, layers, columns, room, levels = 0 }) {
        this.width = width;
        this.treeWidth = levels * LEVEL_WIDTH;
        this.left = namesWidth(width, this.treeWidth, layers);
        this.plotWidth = Math.max(1, width - this.left - 1);
        this.plotHeight = Math.round(Math.max(40, Math.min(room, layers.length * TALLEST_LINE)));
        this.height = this.plotHeight + AXIS;
        this.columns = columns;
    }

    /** Most lines that can be told apart on a screen with this many device pixels in a CSS pixel. */
    maximumLines(ratio) {
        return Math.max(1, Math.floor(this.plotHeight * ratio));
    }

    /** The left edge of a column, which may have a fraction. */
    x(column) {
        return this.left + (column * this.plotWidth) / this.columns;
    }

    /** The column at a position, inside of the matrix. */
    columnAt(x) {
        const column = Math.floor(((x - this.left) * this.columns) / this.plotWidth);
        return Math.min(this.columns - 1, Math.max(0, column));
    }

    /** The line at a position, inside of the window. */
    lineAt(y, lines) {
        return Math.min(lines - 1, Math.max(0, Math.floor((y * lines) / this.plotHeight)));
    }

    /** `cells`, `names`, `tree`, `axis`, or null for a point beside them. */
    areaAt(x, y) {
        if (x < 0 || x > this.width || y < 0 || y > this.height) return null;
        if (y >= this.plotHeight) return x >= this.left ? "axis" : null;
        if (x >= this.left) return "cells";
        return x < this.treeWidth ? "tree" : "names";
    }

    /** The rectangle of a drag, `{ area, from, to }`: over the names it has all steps, over the axis all layers. */
    selectionBox(selection) {
        if (selection === null) return null;
        const { area, from, to } = selection;
        const [x0, x1] = area === "names" ? [this.left, this.left + this.plotWidth] : ordered(from.x, to.x);
        const [y0, y1] = area === "axis" ? [0, this.plotHeight] : ordered(from.y, to.y);
        return { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    }
}

/** Two numbers in ascending order. */
export function ordered(a, b) {
    return a < b ? [a, b] : [b, a];
}

/** The least width of the cells in a heatmap this wide. */
export function leastPlotWidth(width) {
    return Math.max(1, width - widestNames(width) - 1);
}

/** As wide as the bars of the tree and the longest name need, up to a share of the whole. */
function namesWidth(width, treeWidth, names) {
    const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
    const wanted = treeWidth + BESIDE_NAME + CHARACTER * longest;
    return Math.round(Math.min(widestNames(width), Math.max(leastNames(width), wanted)));
}

/** The number of characters that the longest name may have in a heatmap this wide with bars of so many levels. */
export function nameRoom(width, levels) {
    return Math.floor((widestNames(width) - levels * LEVEL_WIDTH - BESIDE_NAME) / CHARACTER);
}

function widestNames(width) {
    return Math.round(Math.min(300, Math.max(84, width * 0.3)));
}

/** The scalars above have the same space on the left for their names, where the page is not narrow. */
function leastNames(width) {
    return width < 440 ? 48 : 96;
}
