// The depth profile beside the heatmap: the values of the layers at the cursor, and those of the first report.

import { formatCount } from "../../model/format.js";
import { element, setAttribute, setHidden, setText } from "../../view/dom.js";
import { FoldedTable } from "../page/table.js";
import { Toggle } from "../page/toggle.js";
import { formatSteps } from "../picture/text.js";
import { ProfileCanvas } from "./canvas.js";
import { FirstReport } from "./first-report.js";
import { LayerKinds, kindCurves } from "./kinds.js";
import { lineText, profileLines, profileTable } from "./profile.js";
import { firstValues, valuesAt } from "./values.js";

/** A narrower page has the profile below the heatmap, and at first hidden. */
const NARROW = matchMedia("(max-width: 800px)");

export class DepthProfile {
    #section = element("profile");
    #text = element("profile-text");
    #legend = element("profile-first");
    #kindList = element("profile-kinds");
    #kinds = { ids: null, layers: null, kinds: null };
    #plot = element("profile-canvas");
    #canvas = new ProfileCanvas(this.#plot);
    #toggle;
    #table;
    #first;
    #requestPaint;
    /** The vertical place of the pointer, or null. */
    #pointer = null;
    #width = 0;
    /** What the painted picture was made of. */
    #inputs = [];
    #drawn = null;
    #version = 0;

    constructor(requestPaint) {
        this.#requestPaint = requestPaint;
        this.#toggle = new Toggle("profile-toggle", "heatmap.profile", !NARROW.matches, requestPaint);
        // Before the first picture, whose width depends on it.
        setHidden(this.#section, !this.#toggle.isOn);
        this.#table = new FoldedTable("profile-details", requestPaint);
        this.#first = new FirstReport(requestPaint);
        this.#plot.addEventListener("pointermove", ({ clientY }) => {
            this.#point(clientY - this.#plot.getBoundingClientRect().top);
        });
        this.#plot.addEventListener("pointerleave", () => this.#point(null));
        NARROW.addEventListener("change", requestPaint);
        new ResizeObserver(([entry]) => {
            this.#width = Math.floor(entry.contentRect.width);
            requestPaint();
        }).observe(this.#section);
    }

    /** Shows another run. */
    select(run) {
        this.#first.select(run);
        this.#inputs = [];
        this.#drawn = null;
        this.#table.clear();
        setText(this.#text, "");
    }

    /** Takes the room of the picture, and of its legend, before it is known; `expected` is `{ ids, layers }`. */
    layOut({ height }, expected) {
        this.#plot.style.height = `${height}px`;
        if (expected !== undefined) this.#kindsOf(expected.ids, expected.layers);
    }

    /** `picture` is that of `Heatmap`. */
    show(picture) {
        setHidden(this.#section, !this.#toggle.isOn);
        const { matrix, cursor, window, scaled, geometry, record, described } = picture;
        if ((!this.#toggle.isOn && !this.#table.isOpen) || cursor < 0 || matrix.rows === 0) return;
        this.#first.update(matrix.metric, picture.canRead);
        const firstMatrix = this.#first.matrix;
        const { height, hoverLine } = this.#places(picture);
        const inputs = [
            scaled, window.rows, window.first, window.count, window.lines, cursor, record, firstMatrix, hoverLine,
            described, this.#width, height, geometry.left, NARROW.matches, picture.colours.key, picture.ratio,
        ];
        if (inputs.some((input, index) => input !== this.#inputs[index])) {
            this.#inputs = inputs;
            this.#version += 1;
            this.#drawn = this.#draw(picture, firstMatrix, height, hoverLine);
        }
        if (!this.#table.isOpen) return;
        const { lines, kinds, now, first } = this.#drawn;
        const table = { metric: matrix.metric, names: matrix.layers, kinds, now, first, findings: scaled.findings };
        this.#table.show(this.#version, profileTable(lines, table));
    }

    #places({ geometry, window }) {
        const height = geometry.plotHeight;
        const isInside = this.#pointer !== null && this.#pointer < height;
        return { height, hoverLine: isInside ? geometry.lineAt(this.#pointer, window.lines) : null };
    }

    #draw(picture, firstMatrix, height, hoverLine) {
        const { matrix, cursor, window, scaled, geometry, record, tree, names, worst, colours, ratio } = picture;
        const kinds = this.#kindsOf(matrix.layers, picture.described);
        const now = valuesAt(matrix, cursor, record);
        const first = firstMatrix === null ? null : firstValues(matrix, firstMatrix);
        const lines = profileLines(window, now, (range) => scaled.shown.at(range, cursor));
        if (this.#toggle.isOn && this.#width > 0) {
            this.layOut(geometry);
            this.#canvas.paint({
                lines, curves: kindCurves(window, kinds, lines, now), kinds, now, first,
                strongKind: hoverLine === null ? null : kinds.kindOf[lines[hoverLine].layer], scale: scaled.values, window, tree, names, findings: scaled.findings, worst, colours,
                width: this.#width, height, left: NARROW.matches ? geometry.left : 0, ratio, hoverLine,
            });
        }
        const general = `${matrix.metric} at ${formatSteps(...now.steps)}`;
        setText(this.#text, hoverLine === null ? general : lineText(lines[hoverLine], matrix.layers, now, first));
        setText(this.#legend, first === null ? "first report" : `first report, ${formatSteps(...first.steps)}`);
        setAttribute(this.#plot, "aria-label",
            `Depth profile: ${general}, ${lines.length} rows; a table of it is below the heatmap`);
        return { lines, kinds, now, first };
    }

    #kindsOf(ids, layers) {
        if (this.#kinds.ids !== ids || this.#kinds.layers !== layers) {
            const kinds = new LayerKinds(ids, layers);
            this.#kinds = { ids, layers, kinds };
            this.#kindList.replaceChildren(...kinds.classes.map(({ name, count }, place) => kindItem(place, name, count)));
        }
        return this.#kinds.kinds;
    }

    #point(y) {
        this.#pointer = y;
        this.#requestPaint();
    }
}

/** A type in the legend, with its sign. */
function kindItem(place, name, count) {
    const item = document.createElement("li");
    const sign = document.createElement("span");
    sign.className = `profile-kind profile-kind-${place + 1}`;
    item.append(sign, name);
    item.title = `${formatCount(count)} layer${count === 1 ? "" : "s"}`;
    return item;
}
