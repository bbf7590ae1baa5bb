import assert from "node:assert/strict";
import test from "node:test";

import { LayerAlerts } from "../../../static/js/layers/data/alerts.js";
import {
    DEFAULT_SORT, parsedSort, sortAfterClick, sortText, tableMetrics,
} from "../../../static/js/layers/data/choices.js";
import { NO_FILTER, bestMatch, groupOf, layerTest } from "../../../static/js/layers/data/filter.js";
import { orderedRows } from "../../../static/js/layers/data/order.js";
import { alertSeverityText } from "../../../static/js/model/verdict/severity.js";
import { RowOrder } from "../../../static/js/layers/data/row-order.js";
import { parsedState, tableState } from "../../../static/js/layers/data/state.js";
import { rowsInView, scrolledTo } from "../../../static/js/layers/picture/rows.js";

const layerOf = (id, depth) => ({ id, key: id, type: depth % 2 === 0 ? "Linear" : "Norm", depth });
const layersOf = (...ids) => ids.map(layerOf);

const HEALTH = {
    episodes: [{ id: "e", severity: "critical", title: "b is dead", origin: { alert: "2" } }],
    alerts: [
        {
            id: "1", episode: "e", layer: "c", severity: "critical", state: "open", title: "the gradient of c vanishes", metric: "g",
            first_step: 5,
        },
        { id: "2", episode: "e", layer: "b", severity: "critical", state: "open", title: "b is dead", metric: "a", first_step: 9 },
        { id: "3", episode: "e", layer: "b", severity: "warning", state: "open", title: "b is slow", metric: "u", first_step: 1 },
        {
            id: "4", episode: "e", layer: "d", severity: "critical", state: "closed", title: "d was dead", metric: "a", first_step: 2,
            closed_step: 4,
        },
        { id: "5", episode: "e", layer: null, severity: "warning", state: "open", title: "loss", metric: null, first_step: 2 },
    ],
};

test("a layer is marked with the severity of its finding, and keeps its own in words", () => {
    const health = {
        episodes: [{ id: "e", severity: "critical", title: "a vanishes", origin: { alert: "1" } }],
        alerts: [
            { id: "1", episode: "e", layer: "a", severity: "warning", state: "open", title: "a vanishes", first_step: 3 },
            { id: "2", episode: "e", layer: "b", severity: "critical", state: "open", title: "b is slow", first_step: 4 },
            { id: "3", episode: "other", layer: "c", severity: "warning", state: "open", title: "c", first_step: 1 },
        ],
    };
    const alerts = new LayerAlerts(health);
    const marks = ["a", "b", "c"].map((id) => [alerts.worst(id).severity, alerts.worst(id).own]);
    assert.deepEqual(marks, [["critical", "warning"], ["critical", "critical"], ["warning", "warning"]]);
    assert.equal(alertSeverityText("warning", "critical"), "warning of a critical finding");
    assert.equal(alertSeverityText("critical", "critical"), "critical");
    const sort = { column: "finding", direction: "descending" };
    const layers = layersOf("c", "b", "a");
    const rows = orderedRows(layers, { test: () => true, sort, worst: (id) => alerts.worst(id) });
    assert.deepEqual(rows.map((index) => layers[index].id), ["a", "b", "c"]);
});

test("the findings of a layer are ordered, and the worst of all is where the fault began", () => {
    const alerts = new LayerAlerts(HEALTH);
    assert.deepEqual(alerts.of("b").map(({ id }) => id), ["2", "3"]);
    assert.equal(alerts.worst("c").title, "The gradient of c vanishes");
    assert.equal(alerts.worst("d"), undefined);
    assert.deepEqual(alerts.of("d").map(({ isOpen, closedStep }) => [isOpen, closedStep]), [[false, 4]]);
    assert.equal(alerts.metric, "a");
    assert.deepEqual(alerts.of("c").map(({ partOf }) => partOf), ["b is dead"]);
    assert.deepEqual(alerts.of("b").map(({ partOf }) => partOf), [null, "b is dead"]);
    assert.deepEqual([new LayerAlerts().metric, new LayerAlerts().of("b")], [null, []]);
});

test("the table has the chosen metrics, otherwise that of the worst finding and common ones", () => {
    const offered = ["weight_mean", "weight_std", "gradient_l2_norm", "activation_rms"]
        .map((name) => ({ name, isDerived: false }));
    const names = (chosen, finding) => tableMetrics(offered, chosen, finding).map(({ name }) => name);
    assert.deepEqual(names(null, null), ["activation_rms", "gradient_l2_norm"]);
    assert.deepEqual(names(null, "weight_mean"), ["weight_mean", "activation_rms"]);
    assert.deepEqual(names(["weight_std", "gone", "weight_mean"], "x"), ["weight_std", "weight_mean"]);
    assert.deepEqual(names(["gone"], null), ["activation_rms", "gradient_l2_norm"]);
    assert.deepEqual(tableMetrics([{ name: "own", isDerived: false }], null, null).map(({ name }) => name), ["own"]);
    assert.deepEqual(tableMetrics([], null, null), []);
});

test("sorts are kept as short texts, and a text that is none is the default", () => {
    const metric = { column: "min", metric: "a.b-c", direction: "ascending" };
    assert.equal(sortText(metric), "-min.a.b-c");
    assert.deepEqual(parsedSort("-min.a.b-c"), metric);
    for (const sort of [DEFAULT_SORT, sortAfterClick(DEFAULT_SORT, "name"), sortAfterClick(DEFAULT_SORT, "finding")]) {
        assert.deepEqual(parsedSort(sortText(sort)), sort);
    }
    for (const text of ["", "min", "name.x", "constructor", "--name", undefined, "nothing"]) {
        assert.deepEqual(parsedSort(text), DEFAULT_SORT);
    }
    const once = sortAfterClick(DEFAULT_SORT, "now", "a");
    assert.deepEqual(sortAfterClick(once, "now", "a"), { ...once, direction: "ascending" });
    assert.deepEqual(sortAfterClick(once, "now", "b"), { ...once, metric: "b" });
});

test("the state of the table has only what differs from the default, and broken texts are none", () => {
    const whole = {
        sort: parsedSort("-name"), filter: { text: "a b", type: "Linear", group: "h/0", finding: "any" },
        metrics: ["m,1"],
    };
    assert.deepEqual(parsedState(tableState(whole)), whole);
    assert.deepEqual(tableState({ sort: DEFAULT_SORT, filter: NO_FILTER, metrics: null }), {});
    assert.deepEqual(parsedState(), { sort: DEFAULT_SORT, filter: NO_FILTER, metrics: undefined });
    for (const metrics of ["[]", "{", "7", "null"]) assert.equal(parsedState({ metrics }).metrics, null);
});

test("layers are filtered by words of their path, type, group and finding", () => {
    const layers = layersOf("h/0/attn/q", "h/0/mlp", "h/1/attn/q", "Head");
    layers[3].group = "end";
    const severities = { "h/0/mlp": "critical", Head: "warning" };
    const ids = (filter) => layers
        .filter(layerTest({ ...NO_FILTER, ...filter }, (id) => severities[id])).map(({ id }) => id);
    assert.deepEqual(ids({ text: "h.0" }), ["h/0/attn/q", "h/0/mlp"]);
    assert.deepEqual(ids({ text: " q 1 " }), ["h/1/attn/q"]);
    assert.deepEqual(ids({ text: "HEAD" }), ["Head"]);
    assert.deepEqual(ids({ type: "Norm" }), ["h/0/mlp", "Head"]);
    assert.deepEqual(ids({ group: "h/0/attn" }), ["h/0/attn/q"]);
    assert.deepEqual(ids({ group: "end" }), ["Head"]);
    assert.deepEqual(ids({ finding: "any" }), ["h/0/mlp", "Head"]);
    assert.deepEqual(ids({ finding: "warning" }), ["Head"]);
    assert.deepEqual(ids({ finding: "none" }), ["h/0/attn/q", "h/1/attn/q"]);
    assert.equal(groupOf({ id: "alone" }), "");
});

test("a typed name means the layer of exactly this name before others that have it", () => {
    const layers = layersOf("block/11/fc", "block/1/fc2", "block/1/fc", "fc", "block/1");
    const best = (text) => bestMatch(layers, text)?.id;
    assert.equal(best("fc"), "fc");
    assert.equal(best("1.fc"), "block/1/fc");
    assert.equal(best("block/1"), "block/1");
    assert.equal(best("11"), "block/11/fc");
    assert.equal(bestMatch([], "x"), undefined);
});

test("rows are sorted by severity and origin, then by depth, and those without a number come last", () => {
    const layers = layersOf("a", "b", "c", "d", "e");
    const alerts = new LayerAlerts(HEALTH);
    const numbers = [2, undefined, NaN, 1, 10];
    const sorted = (sort, test = () => true) => orderedRows(layers, {
        test, sort: parsedSort(sort), worst: (id) => alerts.worst(id), numberOf: (index) => numbers[index],
    }).map((index) => layers[index].id).join("");
    assert.equal(sorted("finding"), "bcade");
    assert.equal(sorted("-finding"), "cbade");
    assert.equal(sorted("name"), "abcde");
    assert.equal(sorted("-name"), "edcba");
    assert.equal(sorted("-depth"), "edcba");
    assert.equal(sorted("type"), "acebd");
    assert.equal(sorted("-now.m"), "daecb");
    assert.equal(sorted("now.m"), "ceadb");
    assert.equal(sorted("now.m", ({ id }) => id !== "c"), "eadb");
});

test("names with numbers are in the order of the numbers, and depths beyond 2^53 are exact", () => {
    const layers = layersOf("h/10", "h/9", "h/2");
    layers[0].depth = 2n ** 60n + 1n;
    layers[1].depth = 2n ** 60n;
    const sorted = (sort) => orderedRows(layers, { test: () => true, sort: parsedSort(sort), worst: () => undefined })
        .map((index) => layers[index].id);
    assert.deepEqual(sorted("name"), ["h/2", "h/9", "h/10"]);
    assert.deepEqual(sorted("depth"), ["h/2", "h/9", "h/10"]);
});

test("live values change the order at most every two seconds, and at once while paused", () => {
    const order = new RowOrder();
    const structure = { layers: layersOf("a", "b") };
    const alerts = new LayerAlerts();
    const records = [[1, 2], [2, 1], [1, 2]];
    const update = (record, now, changes = {}) => order.update({
        structure, alerts, filter: NO_FILTER, sort: parsedSort("now.m"), version: 0, record, isPaused: false, now,
        numberOf: (_, index) => record[index], ...changes,
    });
    const seen = () => order.layers.map(({ id }) => id).join("");
    assert.equal(update(records[0], 0), true);
    assert.equal(seen(), "ba");
    assert.equal(update(records[1], 500), false);
    assert.equal(update(records[1], 2000), true);
    assert.equal(seen(), "ab");
    assert.equal(update(records[2], 2001, { isPaused: true }), true);
    assert.equal(seen(), "ba");
    assert.equal(update(records[2], 9000), false);
    assert.equal(update(records[2], 9001, { filter: { ...NO_FILTER, text: "b" } }), true);
    assert.equal(seen(), "b");
});

test("only rows in view exist, and a row is scrolled to by the least way", () => {
    assert.deepEqual(rowsInView({ top: 0, height: 400, rowHeight: 40, count: 10_000 }), [0, 14]);
    assert.deepEqual(rowsInView({ top: 200_000, height: 400, rowHeight: 40, count: 10_000 }), [4996, 5014]);
    assert.deepEqual(rowsInView({ top: 9e9, height: 400, rowHeight: 40, count: 10 }), [5, 10]);
    assert.deepEqual(rowsInView({ top: 0, height: 400, rowHeight: 40, count: 0 }), [0, 0]);
    const to = (row, top, isCentred) => scrolledTo({ row, top, height: 400, rowHeight: 40, isCentred });
    assert.deepEqual([to(3, 0), to(10, 0), to(1, 100), to(50, 0, true), to(0, 0, true)], [0, 40, 40, 1820, 0]);
});
