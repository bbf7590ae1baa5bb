// The tree of the layers: groups and paths, folded rows, names, bars, keys.

import assert from "node:assert/strict";
import test from "node:test";

import { LayerFindings } from "../../../static/js/heatmap/data/findings.js";
import { placedLabels } from "../../../static/js/heatmap/picture/labels.js";
import { RowNames } from "../../../static/js/heatmap/picture/names.js";
import { RowWindow } from "../../../static/js/heatmap/picture/rows.js";
import { bordersOf, bracketsOf, nodeAt, shownLevels } from "../../../static/js/heatmap/rows/brackets.js";
import { Folds } from "../../../static/js/heatmap/rows/folds.js";
import { itemIndex, itemKey, treeAction, treeItems } from "../../../static/js/heatmap/rows/items.js";
import { Rows } from "../../../static/js/heatmap/rows/rows.js";
import { LayerTree, groupsOf } from "../../../static/js/heatmap/rows/tree.js";
import { Viewpoint } from "../../../static/js/heatmap/viewpoint.js";

const IDS = ["embed", "enc/0/attn", "enc/0/mlp", "enc/1/attn", "enc/1/mlp", "dec/0/attn", "dec/0/mlp", "head"];
const shapeOf = (nodes) => nodes.map(({ name, begin, end, children }) => [name, begin, end, shapeOf(children)]);
const treeOf = (ids, groups = {}) => new LayerTree(ids, new Map(Object.entries(groups)));
const folded = (tree, ...names) => new Rows(tree, ({ name }) => names.includes(name));

test("layers of one path are a node, in the order of depth, and a node of one layer is none", () => {
    assert.deepEqual(shapeOf(treeOf(IDS).roots), [
        ["enc", 1, 5, [["enc/0", 1, 3, []], ["enc/1", 3, 5, []]]],
        ["dec/0", 5, 7, []],
    ]);
    assert.deepEqual(treeOf(IDS).nodesOf(3).map(({ name }) => name), ["enc", "enc/1"]);
    assert.deepEqual(treeOf(IDS).nodesOf(0), []);
    assert.equal(treeOf(IDS).depth, 2);
});

test("the trunk that has nearly all layers is left out, as are layers without paths", () => {
    const ids = ["embed", ...Array.from({ length: 20 }, (_, layer) => `model/blocks/${layer >> 2}/${layer}`)];
    assert.deepEqual(treeOf(ids).roots.map(({ name }) => name), [0, 1, 2, 3, 4].map((block) => `model/blocks/${block}`));
    assert.deepEqual(treeOf(["a", "b", "c"]).nodes, []);
    assert.deepEqual(treeOf([]).nodes, []);
});

test("groups come before paths, unless their layers are apart", () => {
    const names = (groups) => treeOf(IDS, groups).roots.map(({ name, begin, end }) => `${name} ${begin}-${end}`);
    const stages = { "embed": "in", "enc/0/attn": "in", "enc/0/mlp": "in", "dec/0/mlp": "out", "head": "out" };
    assert.deepEqual(names(stages), ["in 0-3", "enc/1 3-5", "out 6-8"]);
    const kinds = Object.fromEntries(IDS.map((id) => [id, id.includes("attn") ? "attention" : "other"]));
    assert.deepEqual(names(kinds), ["enc 1-5", "dec/0 5-7"]);
    assert.deepEqual([...groupsOf([{ id: "a", group: "g" }, { id: "b" }, { id: "c", group: null }])], [["a", "g"]]);
});

test("a path that is interrupted has several nodes, which are folded together", () => {
    const tree = treeOf(["a/0", "a/1", "b/0", "b/1", "a/2", "a/3"]);
    assert.deepEqual(tree.nodes.map(({ key, begin }) => [key, begin]), [["a", 0], ["b", 2], ["a", 4]]);
    assert.equal(folded(tree, "a").count, 4);
});

test("a folded node is one row, also with folded ones inside of it", () => {
    const tree = treeOf(IDS);
    const rows = folded(tree, "enc", "enc/1", "dec/0");
    const rowNames = new RowNames(IDS);
    const names = Array.from({ length: rows.count }, (_, row) => rowNames.row(rows, row));
    assert.deepEqual(names, ["embed", "enc (4 layers)", "dec/0 (2 layers)", "head"]);
    assert.deepEqual([0, 1, 2, 3].map((row) => rows.layersOf(row)), [[0, 1], [1, 5], [5, 7], [7, 8]]);
    assert.deepEqual(IDS.map((_, layer) => rows.rowOf(layer)), [0, 1, 1, 1, 1, 2, 2, 3]);
    assert.equal(folded(tree, "enc/1").count, 7);
    assert.equal(new Rows(tree, () => false).count, 8);
    assert.equal(Rows.ofLayers(3).layers, 3);
});

test("lines of folded rows have all of their layers, and a line alone has the node", () => {
    const rows = folded(treeOf(IDS), "enc", "dec/0");
    const window = new RowWindow(0, 4, 100, rows);
    assert.deepEqual([window.layersOf(1), window.lineOf(4), window.nodeOf(1).name, window.nodeOf(0)], [[1, 5], 1, "enc", null]);
    const shared = new RowWindow(0, 4, 2, rows);
    assert.deepEqual([shared.layersOf(0), shared.layersOf(1), shared.nodeOf(0), shared.lineOf(6)], [[0, 5], [5, 8], null, 1]);
});

test("what is in view stays in view when rows are folded, and zooming counts rows", () => {
    const tree = treeOf(IDS);
    const viewpoint = new Viewpoint();
    viewpoint.setRows(new Rows(tree, () => false));
    viewpoint.showLayers(3, 6);
    viewpoint.setRows(folded(tree, "enc"));
    assert.deepEqual(viewpoint.layers, [1, 7]);
    viewpoint.focus(2);
    viewpoint.moveRows(1);
    assert.equal(viewpoint.layer, 5);
    viewpoint.moveRows(-1);
    assert.equal(viewpoint.layer, 1);
    viewpoint.showAll();
    viewpoint.setRows(new Rows(tree, () => false));
    assert.equal(viewpoint.isZoomed, false);
});

// Names and bars

/** A thousand layers: two halves of fifty blocks with ten layers each. */
const MANY = Array.from({ length: 1000 }, (_, layer) => `half${Math.floor(layer / 500)}/block${Math.floor(layer / 10)}/${layer}`);

test("where rows have no room for names, nodes have them, and layers with findings before them", () => {
    const tree = treeOf(MANY);
    const window = new RowWindow(0, 1000, 380, new Rows(tree, () => false));
    const blocks = placedLabels(window, 1, 13, [503], tree);
    assert.ok(blocks.length > 20 && blocks.length < 30);
    assert.ok(blocks.every(({ text, layer }) => (layer === 503 ? text === MANY[503] : /^half[01]\/block\d+$/u.test(text))));
    for (let index = 1; index < blocks.length; index += 1) assert.ok(blocks[index].y - blocks[index - 1].y >= 13);
    // Where the outermost nodes have names enough, those inside of them have none.
    const few = placedLabels(window, 1, 130, [], tree).map(({ text }) => text);
    assert.deepEqual(few, ["half0", "half1"]);
    // Layers in no node have names, too.
    const ids = ["embed", ...MANY, "head"];
    const loose = placedLabels(new RowWindow(0, 1002, 380), 1, 13, [], treeOf(ids)).map(({ text }) => text);
    assert.ok(loose.includes("half0/block0") && loose.length > 20);
    const open = placedLabels(new RowWindow(0, 22, 99), 11, 13, [], treeOf(ids.slice(0, 22))).map(({ text }) => text);
    assert.deepEqual(open, ["embed", "half0/block0", "half0/block1", ids[21]]);
    // Zoomed to few blocks, each has its name.
    const near = new RowWindow(480, 40, 400, new Rows(tree, () => false));
    const labels = placedLabels(near, 10, 13, [], tree).map(({ text }) => text);
    assert.deepEqual(labels, ["half0/block48", "half0/block49", "half1/block50", "half1/block51"]);
});

test("each node has a bar on its level, cut at the edges, and a bar is found by its place", () => {
    const tree = treeOf(IDS);
    const rows = folded(tree, "enc/0");
    const window = new RowWindow(1, 6, 100, rows);
    const brackets = bracketsOf(tree, window, 120, 2);
    assert.deepEqual(brackets.map(({ node, top, bottom, isFolded }) => [node.name, top, bottom, isFolded]), [
        ["enc", 0, 60, false], ["enc/0", 0, 20, true], ["enc/1", 20, 60, false], ["dec/0", 60, 100, false],
    ]);
    assert.equal(nodeAt(brackets, 3, 30).name, "enc");
    assert.equal(nodeAt(brackets, 15, 30).name, "enc/1");
    assert.equal(nodeAt(brackets, 3, 110), null);
    assert.deepEqual(bordersOf(brackets, 120).sort((a, b) => a - b), [20, 60, 100]);
    assert.deepEqual(bordersOf(bracketsOf(tree, window, 30, 2), 30).sort((a, b) => a - b), [15]);
    assert.deepEqual([shownLevels(tree, 300), shownLevels(tree, 2000), shownLevels(treeOf(["a"]), 2000)], [1, 2, 0]);
});

test("a line has the worst finding of its layers, a folded one of all of them", () => {
    const alert = (layer, severity) => ({ state: "open", layer, severity, rule: "r", first_step: 1, metric: "m", title: "" });
    const alerts = [alert("enc/0/mlp", "warning"), alert("enc/1/attn", "critical"), alert("head", "info")];
    const findings = new LayerFindings({ alerts, episodes: [] });
    const tree = treeOf(IDS);
    const severities = (window) => [...findings.worstByLine(IDS, window)].map(([line, { severity }]) => [line, severity]).sort();
    assert.deepEqual(severities(new RowWindow(0, 4, 99, folded(tree, "enc", "dec/0"))), [[1, "critical"], [3, "info"]]);
    assert.deepEqual(severities(new RowWindow(0, 8, 99)), [[2, "warning"], [3, "critical"], [7, "info"]]);
    assert.deepEqual(severities(new RowWindow(0, 3, 99)), [[2, "warning"]]);
});

// Folds

/** Folds with settings of their own. */
function foldsOf(kept = {}) {
    const folds = new Folds((name, fallback) => kept[name] ?? fallback, (name, value) => { kept[name] = value; });
    return { folds, kept };
}

test("folds are kept by path, and hold for another run of the model", () => {
    const tree = treeOf(IDS);
    const { folds, kept } = foldsOf();
    folds.toggle(tree.roots[0]);
    assert.deepEqual(kept["heatmap.folds"], ["enc"]);
    const again = foldsOf(kept).folds;
    assert.equal(again.has(treeOf(IDS).roots[0]), true);
    again.foldAll(tree);
    assert.deepEqual([again.canFold(tree), again.canUnfold(tree), again.text(tree)], [false, true, "*"]);
    again.unfoldAll(tree);
    assert.deepEqual([again.canFold(tree), again.canUnfold(tree), again.text(tree)], [true, false, ""]);
    assert.equal(kept["heatmap.folds"], null);
    assert.equal(foldsOf({ "heatmap.folds": "text" }).folds.canUnfold(tree), false);
});

test("an address restores folds, with any characters in their paths", () => {
    const tree = treeOf(["a,b/0", "a,b/1", "*\\/0", "*\\/1", "c/0", "c/1", "d"]);
    const { folds, kept } = foldsOf();
    folds.toggle(tree.roots[0]);
    folds.toggle(tree.roots[1]);
    const text = folds.text(tree);
    const other = foldsOf({ "heatmap.folds": ["c"] });
    other.folds.restore(text);
    assert.deepEqual(tree.roots.map((node) => other.folds.has(node)), [true, true, false]);
    assert.deepEqual(other.kept["heatmap.folds"], ["c"]);
    other.folds.restore("*");
    other.folds.meet(tree);
    assert.equal(other.folds.canFold(tree), false);
    assert.equal(kept["heatmap.folds"].length, 2);
});

test("a layer that goes into view unfolds what hides it", () => {
    const tree = treeOf(IDS);
    const { folds } = foldsOf();
    for (const node of tree.nodes) folds.toggle(node);
    assert.equal(folds.reveal(tree, 3), true);
    assert.deepEqual(tree.nodes.map((node) => folds.has(node)), [false, true, false, true]);
    assert.equal(folds.reveal(tree, 3), false);
});

// Keys

test("keys move through nodes and layers, fold and unfold, as in a list of folders", () => {
    const tree = treeOf(IDS);
    const rows = folded(tree, "dec/0");
    const items = treeItems(tree, rows);
    assert.deepEqual(items.map(({ node, layer, level }) => `${"  ".repeat(level)}${node?.name ?? IDS[layer]}`), [
        "embed", "enc", "  enc/0", "    enc/0/attn", "    enc/0/mlp", "  enc/1", "    enc/1/attn", "    enc/1/mlp", "dec/0",
        "head",
    ]);
    assert.deepEqual([items[1].position, items[1].count, items[5].position, items[5].count], [2, 4, 2, 2]);
    const to = (key, index) => treeAction(key, items, index);
    assert.deepEqual(to("ArrowDown", 0), { kind: "move", to: 1 });
    assert.deepEqual(to("ArrowUp", 0), { kind: "move", to: 0 });
    assert.deepEqual(to("ArrowRight", 1), { kind: "move", to: 2 });
    assert.deepEqual(to("ArrowRight", 8), { kind: "toggle" });
    assert.deepEqual(to("ArrowLeft", 6), { kind: "move", to: 5 });
    assert.deepEqual(to("ArrowLeft", 5), { kind: "toggle" });
    assert.deepEqual(to("ArrowLeft", 8), { kind: "move", to: 8 });
    assert.deepEqual([to("Enter", 1), to("Enter", 3)], [{ kind: "toggle" }, { kind: "open" }]);
    assert.deepEqual([to("End", 0), to("PageDown", 7)], [{ kind: "move", to: 9 }, { kind: "move", to: 9 }]);
    assert.deepEqual([to(" ", 0), to("f", 0)], [null, null]);
    // The item is found again in another picture, otherwise the row of the focused layer.
    assert.equal(itemIndex(items, tree, itemKey(items[5], tree), 3), 5);
    assert.equal(itemIndex(items, tree, null, 6), 8);
    assert.equal(itemIndex(items, tree, null, 2), 4);
});
