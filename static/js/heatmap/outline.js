// The rows of the picture: the tree of the layers with its folds, and the item of it that has the focus.

import { setting, keepSetting } from "../settings.js";
import { RowNames } from "./picture/names.js";
import { itemText } from "./picture/text.js";
import { LEVEL_WIDTH, bracketsOf, nodeAt, shownLevels } from "./rows/brackets.js";
import { Folds } from "./rows/folds.js";
import { itemIndex, itemKey, treeAction, treeItems } from "./rows/items.js";
import { Rows } from "./rows/rows.js";
import { LayerTree, groupsOf } from "./rows/tree.js";

export class Outline {
    #folds = new Folds(setting, keepSetting);
    #ids = null;
    #layers = null;
    #items = null;
    /** The key of the item with the focus, and the layer for which it was chosen. */
    #chosen = { key: null, layer: -1 };

    #actions;

    /** Changes with the rows. */
    version = 0;
    tree = new LayerTree([]);
    rows = Rows.ofLayers(0);
    /** What is written beside the rows, and for which rows and room. */
    #named = { version: -1, room: 0, names: new RowNames([]), texts: [] };
    /** The bars beside the names, see `bracketsOf`. */
    brackets = [];

    /** `actions`: `requestPaint()`; optionally `openLayer(id)`, and `onState()` when a person folded or unfolded. */
    constructor(actions) {
        this.#actions = actions;
    }

    /** `ids` are those of the matrix; `layers` those of the run's description, which have groups. */
    update(ids, layers) {
        if (ids === this.#ids && layers === this.#layers) return;
        this.#ids = ids;
        this.#layers = layers;
        this.tree = new LayerTree(ids, groupsOf(layers));
        this.#folds.meet(this.tree);
        this.#fold();
    }

    get canFold() {
        return this.#folds.canFold(this.tree);
    }

    get canUnfold() {
        return this.#folds.canUnfold(this.tree);
    }

    /** Number of levels with bars in a heatmap this wide. */
    levels(width) {
        return shownLevels(this.tree, width);
    }

    /** The `RowNames` where there is room for so many characters, and their texts by row: `{ names, texts }`. */
    namesIn(room) {
        const { version } = this;
        if (this.#named.version === version && this.#named.room === room) return this.#named;
        const names = new RowNames(this.tree.ids, room);
        const texts = Array.from({ length: this.rows.count }, (_, row) => names.row(this.rows, row));
        return (this.#named = { version, room, names, texts });
    }

    /** Places the bars. */
    place(window, { plotHeight, treeWidth }) {
        this.brackets = bracketsOf(this.tree, window, plotHeight, treeWidth / LEVEL_WIDTH);
    }

    /** The node whose bar is at a point, or null. */
    nodeAt(point) {
        return point === null ? null : nodeAt(this.brackets, point.x, point.y);
    }

    /** Folds or unfolds a node, unless it is null. */
    toggle(node) {
        if (node !== null) this.#change(() => this.#folds.toggle(node));
    }

    foldAll() {
        this.#change(() => this.#folds.foldAll(this.tree));
    }

    unfoldAll() {
        this.#change(() => this.#folds.unfoldAll(this.tree));
    }

    /** Unfolds what hides a layer, and moves the focus to it. */
    focus(layer, viewpoint) {
        if (this.#folds.reveal(this.tree, layer)) this.#fold();
        viewpoint.setRows(this.rows);
        viewpoint.focus(layer);
    }

    /** What is drawn beside the cells; `layer` has the focus, null if that is elsewhere. */
    marks(pointer, layer) {
        const active = layer === null ? null : this.#active(layer)?.node ?? null;
        return { tree: this.tree, brackets: this.brackets, active, hoverNode: this.nodeAt(pointer) };
    }

    /** The item with the focus for assistive technology, see `itemText`; null for layers without a tree. */
    itemText(layer, findings) {
        return this.tree.nodes.length === 0 ? null : itemText(this.#active(layer), this.tree, findings);
    }

    /** Applies a key at the item with the focus, which moves with the `Viewpoint`. Returns whether it has an effect. */
    press(key, viewpoint) {
        const items = this.#itemsOf();
        if (items.length === 0) return false;
        const index = this.#indexAt(viewpoint.layer);
        const action = treeAction(key, items, index);
        if (action === null) return false;
        const item = items[action.to ?? index];
        this.#chosen = { key: itemKey(item, this.tree), layer: item.layer };
        if (action.kind === "toggle") this.toggle(item.node);
        if (action.kind === "open") this.#actions.openLayer?.(this.tree.ids[item.layer]);
        viewpoint.setRows(this.rows);
        viewpoint.focus(item.layer);
        this.#actions.requestPaint();
        return true;
    }

    /** The folds for the address of the page. */
    get state() {
        const folds = this.#folds.text(this.tree);
        return folds === "" ? {} : { folds };
    }

    /** Shows the folds of an address. One of a run alone, without any view, leaves those that a person chose. */
    restore({ folds, metric }) {
        if (folds === undefined && metric === undefined) return;
        this.#folds.restore(folds ?? "");
        this.#folds.meet(this.tree);
        this.#fold();
    }

    #change(apply) {
        apply();
        this.#fold();
        this.#actions.onState?.();
        this.#actions.requestPaint();
    }

    /** The item that was chosen by keys, or the row of the focused layer. */
    #active(layer) {
        return this.#itemsOf()[this.#indexAt(layer)] ?? null;
    }

    #itemsOf() {
        return (this.#items ??= treeItems(this.tree, this.rows));
    }

    #indexAt(layer) {
        const key = this.#chosen.layer === layer ? this.#chosen.key : null;
        return itemIndex(this.#itemsOf(), this.tree, key, layer);
    }

    #fold() {
        this.#items = null;
        this.version += 1;
        this.rows = new Rows(this.tree, (node) => this.#folds.has(node));
    }
}
