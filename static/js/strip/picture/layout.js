// Where the parts of the strip are on screen. All lengths are CSS pixels.

import { Geometry } from "../../heatmap/picture/geometry.js";

const CHART = 38;
const GAP = 8;
/** Height of a scalar's name where it is above its chart, and of the axis. */
const LABEL = 17;
const AXIS = 22;
/** Least width of the space on the left for names. */
const LEAST_NAMES = 84;
const NAMES = 132;

/** The steps of a run without heatmap. */
export class StripGeometry extends Geometry {
    constructor({ width, columns }) {
        super({ width, layers: [], columns, room: 0 });
        this.left = Math.round(Math.min(NAMES, width * 0.25));
        this.plotWidth = Math.max(1, width - this.left - 1);
    }
}

/** The rows of the strip: the names are left of the charts, or above them if there is no room. */
export class StripLayout {
    constructor({ geometry, rows, hasAxis }) {
        this.isNarrow = geometry.left < LEAST_NAMES;
        this.rows = rows;
        this.rowHeight = (this.isNarrow ? LABEL : 0) + CHART + GAP;
        this.plotHeight = rows * this.rowHeight;
        this.height = this.plotHeight + (hasAxis && rows > 0 ? AXIS : 0);
        this.left = geometry.left;
        this.width = geometry.width;
    }

    /** The upper and the lower edge of a row's chart. */
    chartOf(row) {
        const top = row * this.rowHeight + (this.isNarrow ? LABEL : 0);
        return { top, bottom: top + CHART };
    }

    /** `cells`, `axis`, or null for a point beside them. */
    areaAt(x, y) {
        if (x < this.left || x > this.width || y < 0 || y > this.height) return null;
        return y >= this.plotHeight ? "axis" : "cells";
    }
}
