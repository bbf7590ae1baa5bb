// All layers of the viewed step, in order of depth.

import { instantiate } from "./dom.js";
import { LayerCard } from "./layer-card.js";

export class LayerGrid {
    #container;
    #palette;
    #cards = new Map();
    #cardByNode = new WeakMap();
    #structure = null;
    #visibility;
    #sizes;

    /** `requestPaint` is called when a card comes into view or changes its size. */
    constructor(container, palette, requestPaint) {
        this.#container = container;
        this.#palette = palette;
        this.#visibility = new IntersectionObserver(
            (entries) => {
                for (const entry of entries) this.#setVisible(this.#cardByNode.get(entry.target), entry.isIntersecting);
                requestPaint();
            },
            { rootMargin: "200px" },
        );
        this.#sizes = new ResizeObserver((entries) => {
            for (const entry of entries) {
                const card = this.#cardByNode.get(entry.target.closest(".card"));
                card?.resize(entry.target, entry.contentRect.width, entry.contentRect.height);
            }
            requestPaint();
        });
        // The title with the exact number is set on hover: setting all titles at every step would cost more.
        container.addEventListener("pointerover", (event) => {
            const figure = event.target.closest?.("[data-metric]");
            if (figure) figure.title = figure.dataset.value;
        });
    }

    clear() {
        this.#arrange([]);
        this.#structure = null;
    }

    /** The layers on screen, `{ id, key }`. */
    get visibleLayers() {
        return this.#structure?.layers.filter((layer) => this.#cards.get(layer.key)?.isVisible) ?? [];
    }

    /** Scrolls the card of a layer into view and highlights it; null ends the highlight. Returns whether it has one. */
    reveal(layerId) {
        this.#container.querySelector("[data-highlighted]")?.removeAttribute("data-highlighted");
        const layer = layerId === null ? undefined : this.#structure?.layers.find(({ id }) => id === layerId);
        if (layer === undefined) return false;
        const { node } = this.#cards.get(layer.key);
        node.setAttribute("data-highlighted", "");
        node.scrollIntoView({ block: "center" });
        // Cards on the way got their real height just now.
        requestAnimationFrame(() => node.scrollIntoView({ block: "center" }));
        return true;
    }

    /** Shows a record of a run, with the trends up to the viewed step. */
    show(record, run) {
        const structure = record.structure;
        if (structure !== this.#structure) {
            if (!structure.hasSameLayout(this.#structure)) this.#arrange(structure.layers);
            structure.layers.forEach((layer) => this.#cards.get(layer.key).describe(layer));
            this.#structure = structure;
        }
        structure.layers.forEach((layer, index) => {
            const card = this.#cards.get(layer.key);
            card.showValues(record, index);
            if (card.isVisible) card.paintTrends(run, this.#palette);
        });
    }

    /** Adds and removes cards so that they match these layers. Cards of layers that stay are kept. */
    #arrange(layers) {
        const wanted = new Set(layers.map((layer) => layer.key));
        for (const [key, card] of this.#cards) {
            if (wanted.has(key)) continue;
            this.#visibility.unobserve(card.node);
            this.#setVisible(card, false);
            this.#cards.delete(key);
        }
        const groups = [];
        let depth = null;
        for (const layer of layers) {
            if (groups.length === 0 || layer.depth !== depth) {
                depth = layer.depth;
                const group = instantiate("group-template");
                group.setAttribute("aria-label", `Depth ${depth}`);
                groups.push(group);
            }
            groups.at(-1).append(this.#card(layer.key).node);
        }
        this.#container.replaceChildren(...groups);
    }

    /** Only cards on screen have canvases with pixels, and sizes that are observed. */
    #setVisible(card, isVisible) {
        if (card.isVisible === isVisible) return;
        card.isVisible = isVisible;
        for (const canvas of card.canvases) {
            if (isVisible) this.#sizes.observe(canvas);
            else this.#sizes.unobserve(canvas);
        }
        if (!isVisible) card.release();
    }

    #card(key) {
        let card = this.#cards.get(key);
        if (card === undefined) {
            card = new LayerCard(key);
            this.#cards.set(key, card);
            this.#cardByNode.set(card.node, card);
            this.#visibility.observe(card.node);
        }
        return card;
    }
}
