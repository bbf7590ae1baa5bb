// Draws the gutter to the left of the cells: bars of the tree, names of layers and nodes, marks of findings.

import { placedLabels } from "../picture/labels.js";
import { shortened } from "../picture/names.js";
import { LEVEL_WIDTH } from "../rows/brackets.js";

export const FONT = "11px system-ui, sans-serif";
/** Least distance between two names. */
const NAME_GAP = 12;
/** Cut names that are kept. */
const MOST_NAMES = 400;
/** Least height of a bar with a fold mark. */
const LEAST_MARKED = 9;

export class Gutter {
    #context;
    /** Names cut to the room that there is for them, by font, room and name: measuring text takes long. */
    #names = new Map();

    constructor(context) {
        this.#context = context;
    }

    /**
     * `model` is that of `MarkCanvas`, with `tree`, `names`, `brackets`, `active`, a bar with the focus, or null, and
     * `worst`, the worst finding by line.
     */
    paint(model) {
        this.#bars(model);
        this.#drawNames(model);
        this.#drawCommon(model);
        this.#marks(model);
    }

    #bars({ brackets, names, window, geometry, active, hoverNode, colours }) {
        const context = this.#context;
        const isCrowded = geometry.plotHeight / window.lines < NAME_GAP;
        for (const { node, top, bottom, isFolded, isOdd } of brackets) {
            const x = node.level * LEVEL_WIDTH;
            const gap = bottom - top > 4 ? 1 : 0;
            const isBright = node === hoverNode || node === active;
            context.fillStyle = isBright ? colours.accent : isOdd ? colours.borderStrong : colours.border;
            context.fillRect(x, top + gap / 2, LEVEL_WIDTH - 2, bottom - top - gap);
            if (bottom - top < LEAST_MARKED) continue;
            context.fillStyle = isBright ? colours.surface : colours.text;
            const y = isFolded ? (top + bottom) / 2 : top + 6.5;
            triangle(context, x + LEVEL_WIDTH / 2 - 1, y, isFolded);
            if (!isFolded && isCrowded) this.#title(names.node(node), x, top + 2 * LEAST_MARKED, bottom);
        }
    }

    /** The name of a node along its bar, if that is long enough: the names beside it are of nodes inside of it. */
    #title(name, x, top, bottom) {
        const context = this.#context;
        context.textAlign = "center";
        if (context.measureText(name).width > bottom - top) return;
        context.save();
        context.translate(x + LEVEL_WIDTH / 2 - 1, (top + bottom) / 2);
        context.rotate(-Math.PI / 2);
        context.fillText(name, 0, 0);
        context.restore();
    }

    #drawNames({ matrix, tree, names, window, geometry, findings, worst, focus, colours }) {
        const context = this.#context;
        const lineHeight = geometry.plotHeight / window.lines;
        const sick = findings.rowsByImportance(matrix.layers);
        const wanted = focus === null ? sick : [focus.layer, ...sick];
        const room = geometry.left - geometry.treeWidth - 14;
        context.textAlign = "right";
        for (const { line, layer, y, text } of placedLabels(window, lineHeight, NAME_GAP, wanted, tree, names)) {
            const isFolded = layer < 0 && window.nodeOf(line) !== null;
            const entry = layer >= 0 ? findings.of(tree.ids[layer]) : isFolded ? worst.get(line) : undefined;
            context.fillStyle = entry === undefined ? colours.textSoft : colours.severity(entry.severity);
            context.font = entry?.isOrigin ? `700 ${FONT}` : FONT;
            context.fillText(this.#shortened(text, room), geometry.left - 11, y);
        }
        context.font = FONT;
    }

    /** The path that all names are without, below them beside the axis. */
    #drawCommon({ names, geometry, colours }) {
        if (names.common === "") return;
        const context = this.#context;
        context.fillStyle = colours.textSoft;
        context.textAlign = "left";
        context.fillText(this.#shortened(`in ${names.common}`, geometry.left - 11), 0, geometry.plotHeight + 13);
    }

    #shortened(name, room) {
        if (this.#names.size > MOST_NAMES) this.#names.clear();
        const key = `${this.#context.font} ${room} ${name}`;
        if (!this.#names.has(key)) {
            this.#names.set(key, shortened(name, room, (part) => this.#context.measureText(part).width));
        }
        return this.#names.get(key);
    }

    /** A bar beside each line that has a finding. */
    #marks({ window, geometry, worst, colours }) {
        const lineHeight = geometry.plotHeight / window.lines;
        for (const [line, { severity }] of worst) {
            this.#context.fillStyle = colours.severity(severity);
            const height = Math.max(2, lineHeight - (lineHeight > 4 ? 1 : 0));
            this.#context.fillRect(geometry.left - 7, line * lineHeight, 5, height);
        }
    }
}

/** A fold mark: a triangle that points right if the node is folded, otherwise down. */
function triangle(context, x, y, isFolded) {
    context.beginPath();
    if (isFolded) {
        context.moveTo(x - 2, y - 4);
        context.lineTo(x + 3, y);
        context.lineTo(x - 2, y + 4);
    } else {
        context.moveTo(x - 4, y - 2);
        context.lineTo(x + 4, y - 2);
        context.lineTo(x, y + 3);
    }
    context.fill();
}
