// The legend: the colours of the scale with numbers.

import { element, setAttribute } from "../../view/dom.js";
import { cssColour } from "../picture/colours.js";
import { readableTicks, spacedTicks } from "../picture/ticks.js";

/** Least distance between two numbers, as a share of the width. */
const GAP = 0.21;

export class Legend {
    #bar = element("heatmap-legend-bar");
    #numbers = element("heatmap-legend-numbers");
    #legend = element("heatmap-legend");

    show(scale, colours) {
        const context = this.#bar.getContext("2d");
        const { width, height } = this.#bar;
        for (let x = 0; x < width; x += 1) {
            context.fillStyle = cssColour(colours.table[Math.round((255 * x) / (width - 1))]);
            context.fillRect(x, 0, 1, height);
        }
        const ticks = readableTicks(spacedTicks(scale.ticks, GAP), this.#legend.clientWidth);
        this.#numbers.replaceChildren(...ticks.map(({ place, text }) => {
            const number = document.createElement("span");
            number.textContent = text;
            number.style.left = `${100 * place}%`;
            if (place < 0.03) number.dataset.end = "left";
            if (place > 0.97) number.dataset.end = "right";
            return number;
        }));
        const words = scale.kind === "ratio" ? "value relative to the layer's own median" : `${scale.kind} scale`;
        setAttribute(this.#legend, "aria-label", `Colours, ${words}: ${ticks.map(({ text }) => text).join(", ")}`);
        setAttribute(this.#legend, "title", words);
    }
}
