// Which nodes of the tree are folded. Runs of one model share their folds: they are kept by the path of a node.

const SETTING = "heatmap.folds";
/** Most folds that are kept, and most characters of them in an address. */
const MOST_KEPT = 2_000;
const MOST_CHARACTERS = 1_000;
/** In an address: all outermost nodes. */
const ALL = "*";

export class Folds {
    #keep;
    #keys;
    /** Whether the tree, once it is known, begins with all outermost nodes folded. */
    #isAll = false;

    /** `setting` and `keepSetting` are those of the page. */
    constructor(setting, keepSetting) {
        this.#keep = keepSetting;
        const kept = setting(SETTING, []);
        this.#keys = new Set(Array.isArray(kept) ? kept.filter((key) => typeof key === "string") : []);
    }

    has(node) {
        return this.#keys.has(node.key);
    }

    toggle(node) {
        if (!this.#keys.delete(node.key)) this.#keys.add(node.key);
        this.#changed();
    }

    foldAll(tree) {
        for (const { key } of tree.roots) this.#keys.add(key);
        this.#changed();
    }

    /** Unfolds the nodes of this tree. */
    unfoldAll(tree) {
        for (const { key } of tree.nodes) this.#keys.delete(key);
        this.#changed();
    }

    /** Unfolds what hides a layer; returns whether that was anything. */
    reveal(tree, layer) {
        const folded = tree.nodesOf(layer).filter((node) => this.has(node));
        for (const { key } of folded) this.#keys.delete(key);
        if (folded.length > 0) this.#changed();
        return folded.length > 0;
    }

    /** Whether all outermost nodes are folded, and whether any node is. */
    canFold(tree) {
        return tree.roots.some((node) => !this.has(node));
    }

    canUnfold(tree) {
        return tree.nodes.some((node) => this.has(node));
    }

    /** The folds of a tree for the address of the page; "" without any. */
    text(tree) {
        if (tree.roots.length > 1 && !this.canFold(tree)) return ALL;
        const keys = new Set(tree.nodes.filter((node) => this.has(node)).map(({ key }) => key));
        const text = [...keys].map((key) => key.replace(/[\\,*]/gu, "\\$&")).join(",");
        return text.length > MOST_CHARACTERS ? "" : text;
    }

    /** Takes folds from an address, instead of those that are kept. */
    restore(text) {
        this.#isAll = text === ALL;
        const keys = this.#isAll ? [] : [...text.matchAll(/(?:\\.|[^,\\])+/gu)].map(([key]) => key);
        this.#keys = new Set(keys.map((key) => key.replace(/\\(.)/gu, "$1")));
    }

    /** The tree of the run is known. */
    meet(tree) {
        if (!this.#isAll || tree.roots.length === 0) return;
        this.#isAll = false;
        for (const { key } of tree.roots) this.#keys.add(key);
    }

    #changed() {
        this.#isAll = false;
        this.#keep(SETTING, this.#keys.size === 0 ? null : [...this.#keys].slice(-MOST_KEPT));
    }
}
