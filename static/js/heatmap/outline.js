// The rows of the picture: the tree of the layers with its folds, and the item of it that has the focus.

import { setting, keepSetting } from "../settings.js";
import { rowText } from "./picture/labels.js";
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
    #active = { key: null, layer: -1 };

    /** Changes with the rows. */
    version = 0;
    tree = new LayerTree([]);
    rows = Rows.ofLayers(0);
    /** The names of the rows. */
    names = [];

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

    toggle(node) {
        this.#folds.toggle(node);
        this.#fold();
    }

    foldAll() {
        this.#folds.foldAll(this.tree);
        this.#fold();
    }

    unfoldAll() {
        this.#folds.unfoldAll(this.tree);
        this.#fold();
    }

    /** Unfolds what hides a layer. */
    reveal(layer) {
        if (this.#folds.reveal(this.tree, layer)) this.#fold();
    }

    /** The item with the focus: the one that was chosen, or the row of the focused layer. Null without layers. */
    active(layer) {
        return this.#itemsOf()[this.#indexAt(layer)] ?? null;
    }

    /** Applies a key at the item with the focus. Returns `{ kind, layer }`, or null for a key without an effect. */
    key(name, layer) {
        const items = this.#itemsOf();
        if (items.length === 0) return null;
        const index = this.#indexAt(layer);
        const action = treeAction(name, items, index);
        if (action === null) return null;
        const item = items[action.to ?? index];
        this.#active = { key: itemKey(item, this.tree), layer: item.layer };
        if (action.kind === "toggle") this.toggle(item.node);
        return { kind: action.kind, layer: item.layer };
    }

    /** The folds for the address of the page. */
    get state() {
        const folds = this.#folds.text(this.tree);
        return folds === "" ? {} : { folds };
    }

    restore({ folds = "" }) {
        this.#folds.restore(folds);
        this.#folds.meet(this.tree);
        this.#fold();
    }

    #itemsOf() {
        return (this.#items ??= treeItems(this.tree, this.rows));
    }

    #indexAt(layer) {
        const key = this.#active.layer === layer ? this.#active.key : null;
        return itemIndex(this.#itemsOf(), this.tree, key, layer);
    }

    #fold() {
        this.#items = null;
        this.version += 1;
        this.rows = new Rows(this.tree, (node) => this.#folds.has(node));
        this.names = Array.from({ length: this.rows.count }, (_, row) => rowText(this.rows, row, this.tree.ids));
    }
}
