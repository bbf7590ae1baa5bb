// Moves in the heatmap by keys, pointer and buttons: through time and layers, into details, and along the findings.

import { keyAction } from "./keys.js";
import { Outline } from "./outline.js";
import { ordered } from "./picture/geometry.js";
import { Viewpoint } from "./viewpoint.js";

export class Navigation {
    #time;
    #actions;

    /** What is painted, `{ matrix, shown, geometry, window, findings }`; null until there is a picture. */
    picture = null;
    viewpoint = new Viewpoint();
    outline;

    /**
     * `time` is the `TimeAxis`; `actions`: `requestPaint()`, and optionally `openLayer(id)` and `onState()` when the
     * folds changed.
     */
    constructor(time, actions) {
        this.#time = time;
        this.#actions = actions;
        this.outline = new Outline(actions);
    }

    /** Shows another run, whole. */
    select() {
        this.picture = null;
        this.viewpoint = new Viewpoint();
    }

    areaAt(x, y) {
        return this.picture?.geometry.areaAt(x, y) ?? null;
    }

    /** The cell at a point, `{ line, column }`, or null. Beside the names, `column` is given. */
    cellAt(point, area = "cells", column = this.picture?.geometry.columnAt(point?.x)) {
        if (point === null || this.picture === null || this.picture.matrix.rows === 0 || column < 0) return null;
        if (this.areaAt(point.x, point.y) !== area) return null;
        const { geometry, window } = this.picture;
        return { line: geometry.lineAt(point.y, window.lines), column };
    }

    /** Moves the cursor to a point, or folds the row or the bar at it. */
    pointAt(x, y, area = "cells") {
        if (this.picture === null || this.picture.matrix.rows === 0) return;
        if (area === "tree") return this.outline.toggle(this.outline.nodeAt({ x, y }));
        const { geometry, window, shown } = this.picture;
        const column = geometry.columnAt(x);
        if (area !== "axis") {
            const line = geometry.lineAt(y, window.lines);
            const layers = window.layersOf(line);
            this.viewpoint.focus(Math.max(layers[0], shown.at(layers, column)));
            if (area === "names") this.outline.toggle(window.nodeOf(line));
        }
        if (area !== "names") this.#time.moveTo(column);
        this.#actions.requestPaint();
    }

    /** Zooms to what is between two points. */
    zoomBetween(area, from, to) {
        const { geometry, window } = this.picture;
        if (area !== "axis") {
            const [low, high] = ordered(from.y, to.y).map((y) => geometry.lineAt(y, window.lines));
            this.viewpoint.showLayers(window.layersOf(low)[0], window.layersOf(high)[1] - 1);
        }
        if (area !== "names") this.#time.zoomTo(ordered(from.x, to.x).map((x) => geometry.columnAt(x)));
    }

    /** Zooms in time around a point, or out. */
    wheel(x, isIn) {
        if (isIn) this.#time.zoomAround(this.picture.geometry.columnAt(x));
        else this.#time.zoomOut();
    }

    zoom(name) {
        const { viewpoint, outline } = this;
        if (name === "all") viewpoint.showAll();
        else if (name === "layers-in") viewpoint.zoomLayers(0.5);
        else if (name === "layers-out") viewpoint.zoomLayers(2);
        else if (name === "steps-out") viewpoint.zoomOutSteps();
        else if (name === "fold-all") outline.foldAll();
        else if (name === "unfold-all") outline.unfoldAll();
        else this.#time.zoomAround(this.#time.cursor);
        this.#actions.requestPaint();
    }

    /** A key on the cells. Returns whether it was used. */
    key(event) {
        const action = keyAction(event);
        if (action === null || this.picture === null || this.picture.matrix.columns === 0) return false;
        if (action.kind === "column") this.#time.moveTo(Math.max(0, this.#time.cursor) + action.by);
        else if (action.kind === "layer") this.#moveLayer(action.by);
        else if (action.kind === "finding") this.#goToFinding(action.by);
        else if (action.kind === "open") this.openLayer();
        else this.zoom(action.name);
        this.#actions.requestPaint();
        return true;
    }

    /** A key on the names. Returns whether it was used. */
    treeKey({ key }) {
        return this.picture !== null && this.outline.press(key, this.viewpoint);
    }

    /** Moves the focus to a layer, and unfolds what hides it. */
    focusLayer(layer) {
        this.outline.focus(layer, this.viewpoint);
    }

    /** Opens the layer with the focus. */
    openLayer() {
        const id = this.picture?.matrix.layers[this.viewpoint.layer];
        if (id !== undefined) this.#actions.openLayer?.(id);
    }

    /** Moves the focus by lines: layers that share a line are passed together. */
    #moveLayer(by) {
        const { count, lines } = this.picture.window;
        this.viewpoint.moveRows(Math.sign(by) * Math.ceil((Math.abs(by) * count) / lines));
    }

    /** Goes to the step in which a finding began: the next one by importance. */
    async #goToFinding(by) {
        const { matrix, findings } = this.picture;
        const next = findings.next(matrix.layers, this.viewpoint.layer, by);
        if (next === null) return;
        this.focusLayer(next.row);
        await this.#time.seek(next.step);
    }
}
