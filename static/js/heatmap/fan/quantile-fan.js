// The fan below the heatmap: how the values of the layers spread over time, with the layers at its edges.

import { element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { FoldedTable } from "../page/table.js";
import { Toggle } from "../page/toggle.js";
import { formatSteps } from "../picture/text.js";
import { FanCanvas } from "./canvas.js";
import { LayerSpread } from "./quantiles.js";
import { spreadTable, spreadText } from "./text.js";

const HEIGHT = 96;

export class QuantileFan {
    #section = element("fan");
    #text = element("fan-text");
    #plot = element("fan-canvas");
    #canvas = new FanCanvas(this.#plot);
    #toggle;
    #table;
    #requestPaint;
    #picture = null;
    /** The horizontal place of the pointer, or null. */
    #pointer = null;
    /** `{ matrix, spread }`. */
    #computed = { matrix: null };
    /** What the painted picture was made of. */
    #inputs = [];
    #version = 0;

    constructor(requestPaint) {
        this.#requestPaint = requestPaint;
        this.#toggle = new Toggle("fan-toggle", "heatmap.fan", true, requestPaint);
        setHidden(this.#section, !this.#toggle.isOn);
        this.#table = new FoldedTable("fan-details", requestPaint);
        this.#plot.style.height = `${HEIGHT}px`;
        this.#plot.addEventListener("pointerdown", (event) => this.#pressed(event));
        this.#plot.addEventListener("pointermove", (event) => this.#moved(event));
        this.#plot.addEventListener("pointerleave", () => {
            this.#pointer = null;
            requestPaint();
        });
    }

    /** Shows another run. */
    select() {
        this.#picture = null;
        this.#computed = { matrix: null };
        this.#inputs = [];
        this.#table.clear();
        setText(this.#text, "");
    }

    /** The column at the pointer, or null. */
    get column() {
        const geometry = this.#picture?.geometry;
        const isInside = this.#pointer !== null && geometry !== undefined && this.#pointer >= geometry.left;
        return isInside ? geometry.columnAt(this.#pointer) : null;
    }

    /** The picture has a fixed height. */
    layOut() {}

    /** `picture` is that of `Heatmap`. */
    show(picture) {
        setHidden(this.#section, !this.#toggle.isOn);
        const { matrix, cursor, scaled, geometry, colours, ratio } = picture;
        if ((!this.#toggle.isOn && !this.#table.isOpen) || matrix.columns === 0 || matrix.rows === 0) return;
        this.#picture = picture;
        const hover = this.column ?? picture.time.hover(this);
        const seams = picture.time.seamsInView;
        const inputs = [
            matrix, scaled.values, cursor, hover, seams, geometry.left, geometry.width, colours.key, ratio, this.#toggle.isOn,
        ];
        if (inputs.some((input, index) => input !== this.#inputs[index])) {
            this.#inputs = inputs;
            this.#version += 1;
            this.#draw(picture, hover, seams);
        }
        if (this.#table.isOpen) this.#table.show(this.#version, spreadTable(this.#spread(matrix), matrix, cursor));
    }

    #draw({ matrix, cursor, scaled, geometry, colours, ratio }, hover, seams) {
        const spread = this.#spread(matrix);
        const column = hover ?? cursor;
        const text = column < 0 ? "" : spreadText(spread, matrix, column);
        const steps = column < 0 || hover === null ? "" : `${formatSteps(matrix.steps[column], matrix.lastSteps[column])} · `;
        setText(this.#text, steps + text);
        setAttribute(this.#plot, "aria-label", `${matrix.metric} over the layers: ${text}; a table of it is below`);
        if (!this.#toggle.isOn) return;
        this.#canvas.paint({
            spread, scale: scaled.values, geometry, height: HEIGHT, cursor, hover, seams, colours, ratio,
        });
    }

    #spread(matrix) {
        if (this.#computed.matrix !== matrix) this.#computed = { matrix, spread: new LayerSpread(matrix) };
        return this.#computed.spread;
    }

    #pressed(event) {
        if (event.button !== 0) return;
        this.#plot.setPointerCapture(event.pointerId);
        event.preventDefault();
        this.#moved(event);
        this.#moveCursor();
    }

    #moved(event) {
        this.#pointer = event.clientX - this.#plot.getBoundingClientRect().left;
        if ((event.buttons & 1) === 1) this.#moveCursor();
        this.#requestPaint();
    }

    #moveCursor() {
        if (this.column !== null) this.#picture.time.moveTo(this.column);
    }
}
