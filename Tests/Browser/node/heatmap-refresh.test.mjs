import assert from "node:assert/strict";
import test from "node:test";

import { colouringToShow, metricToShow, offeredMetrics } from "../../../static/js/heatmap/data/choices.js";
import { RefreshPlan } from "../../../static/js/heatmap/data/refresh.js";
import { keyAction } from "../../../static/js/heatmap/keys.js";
import { Viewpoint, narrowedColumns } from "../../../static/js/heatmap/viewpoint.js";
import { Rows } from "../../../static/js/heatmap/rows/rows.js";
import { matrixOf } from "./matrices.mjs";

const view = { metric: "m", from: null, to: null };

/** A plan that read `columns` columns of `width` steps at time 0, and a function that asks it at a time. */
function loadedPlan({ columns = 100, width = 1, layers = 2 } = {}) {
    const plan = new RefreshPlan();
    const ask = (now, changes = {}) => plan.next({ now, view, layers, width: 300, canRead: true, pausedEnd: null, ...changes });
    const steps = Array.from({ length: columns }, (_, index) => index * width);
    const matrix = matrixOf({
        layers: Array.from({ length: layers }, (_, index) => `l${index}`), steps, lastSteps: steps.map((step) => step + width - 1),
        values: Array.from({ length: layers }, () => steps),
    });
    const first = ask(0);
    plan.succeeded(matrix);
    return { plan, ask, first, matrix };
}

test("the first read asks for at most 250 points, and for fewer of many layers or on a narrow screen", () => {
    const points = (layers, width) => loadedPlan({ layers }) && new RefreshPlan().next({
        now: 0, view, layers, width, canRead: true, pausedEnd: null,
    }).points;
    assert.deepEqual([points(50, 1000), points(50, 180), points(1000, 1000), points(100_000, 1000)], [250, 180, 70, 10]);
});

test("more points follow once, if the screen has room and columns hold several steps", () => {
    const coarse = loadedPlan({ columns: 250, width: 4 });
    assert.equal(coarse.ask(1, { width: 1000 }).points, 800);
    coarse.plan.succeeded(coarse.matrix);
    assert.equal(coarse.ask(2, { width: 1000 }), null);
    assert.equal(loadedPlan({ columns: 250 }).ask(1, { width: 1000 }), null);
});

test("one read at a time, and none while hidden or not connected", () => {
    const plan = new RefreshPlan();
    const state = { now: 0, view, layers: 2, width: 300, pausedEnd: null };
    assert.equal(plan.next({ ...state, canRead: false }), null);
    assert.notEqual(plan.next({ ...state, canRead: true }), null);
    assert.equal(plan.next({ ...state, canRead: true }), null);
});

test("new steps are read at most every two seconds, and only from the last column on", () => {
    const { plan, ask } = loadedPlan();
    assert.equal(ask(5000), null);
    plan.changed(100);
    plan.changed(101);
    assert.deepEqual(ask(5000), { ...view, from: 99, points: 250, append: true });
    plan.succeeded(loadedPlan().matrix);
    plan.changed(102);
    assert.equal(ask(6999), null);
    assert.equal(ask(7000).append, true);
});

test("a changed earlier step, or columns that outgrew the screen, are read as a whole", () => {
    const { plan, ask } = loadedPlan();
    plan.changed(50);
    assert.equal(ask(5000).append, false);
    const grown = loadedPlan({ columns: 320 });
    grown.plan.changed(320);
    assert.deepEqual(grown.ask(5000), { ...view, points: 250, append: false });
});

test("while paused nothing is read but another view, which then shows no later steps", () => {
    const { plan, ask, matrix } = loadedPlan();
    plan.changed(100);
    assert.equal(ask(9000, { pausedEnd: 99 }), null);
    const other = { metric: "other", from: null, to: null };
    assert.deepEqual(ask(9000, { pausedEnd: 99, view: other }), { ...other, to: 99, points: 250, append: false });
    plan.succeeded(matrix);
    assert.equal(ask(20_000, { view: other }).append, true);
});

test("while paused the picture ends at the last step of the moment of pausing, which is read once more", () => {
    const { plan, ask, matrix } = loadedPlan();
    plan.changed(100);
    plan.changed(102);
    assert.equal(ask(1999, { pausedEnd: 101 }), null);
    assert.deepEqual(ask(2000, { pausedEnd: 101 }), { ...view, from: 99, to: 101, points: 250, append: true });
    plan.succeeded(matrix);
    plan.changed(103);
    assert.equal(ask(9000, { pausedEnd: 101 }), null);
    // A person went beyond that step.
    assert.deepEqual(ask(9000, { pausedEnd: 103 }), { ...view, from: 99, to: 103, points: 250, append: true });
    plan.succeeded(matrix);
    assert.equal(ask(19_000, { pausedEnd: 103 }), null);
    assert.deepEqual(ask(19_000), { ...view, from: 99, points: 250, append: true });
});

test("steps beyond a zoomed range need no read", () => {
    const { plan, ask, matrix } = loadedPlan();
    const zoomed = { metric: "m", from: 10, to: 20 };
    assert.deepEqual(ask(1, { view: zoomed }), { ...zoomed, points: 250, append: false });
    plan.succeeded(matrix);
    plan.changed(100);
    assert.equal(ask(9000, { view: zoomed }), null);
});

test("after a failure, and after an answer that does not fit, the whole is read again later", () => {
    const { plan, ask } = loadedPlan();
    plan.changed(100);
    ask(5000);
    plan.mustReload();
    assert.equal(ask(6000), null);
    assert.equal(ask(7000).append, false);
    plan.failed(7000);
    assert.equal(ask(11_999), null);
    assert.equal(ask(12_000).append, false);
});

test("a run that was read again is read from the start", () => {
    const { plan, ask } = loadedPlan();
    plan.reset();
    assert.deepEqual(ask(1), { ...view, points: 250, append: false });
});

test("the metric of the worst finding is shown first, then a common one, then any", () => {
    const offered = offeredMetrics({ metrics: ["weight_std", "x"], derived: ["gradient_rms"] });
    assert.deepEqual(offered.map(({ name, isDerived }) => [name, isDerived]),
        [["weight_std", false], ["x", false], ["gradient_rms", true]]);
    assert.equal(metricToShow(offered, "gradient_rms"), "gradient_rms");
    assert.equal(metricToShow(offered, "loss"), "weight_std");
    assert.equal(metricToShow(offeredMetrics({ metrics: ["x"] }), null), "x");
    assert.equal(metricToShow([], null), null);
});

test("keys move by one, with Shift by ten, and other keys are left to the page", () => {
    assert.deepEqual(keyAction({ key: "ArrowLeft" }), { kind: "column", by: -1 });
    assert.deepEqual(keyAction({ key: "ArrowDown", shiftKey: true }), { kind: "layer", by: 10 });
    assert.deepEqual(keyAction({ key: "Enter" }), { kind: "open" });
    for (const key of [" ", "Tab", "a"]) assert.equal(keyAction({ key }), null);
});

test("zooming out of steps goes back the way it came in", () => {
    const viewpoint = new Viewpoint();
    viewpoint.setRows(Rows.ofLayers(10));
    assert.equal(viewpoint.isZoomed, false);
    viewpoint.showSteps({ from: 10, to: 50 });
    viewpoint.showSteps({ from: 20, to: 30 });
    viewpoint.zoomOutSteps();
    assert.deepEqual(viewpoint.range, { from: 10, to: 50 });
    viewpoint.showAll();
    assert.deepEqual(viewpoint.range, { from: null, to: null });
    assert.deepEqual([narrowedColumns(100, 0), narrowedColumns(100, 99), narrowedColumns(3, 1)], [[0, 49], [50, 99], null]);
});

test("all layers stay in view when some are added, and the chosen ones when some were chosen", () => {
    const viewpoint = new Viewpoint();
    viewpoint.setRows(Rows.ofLayers(10));
    viewpoint.setRows(Rows.ofLayers(12));
    assert.deepEqual([viewpoint.window(99).count, viewpoint.isZoomed], [12, false]);
    viewpoint.showLayers(3, 5);
    viewpoint.setRows(Rows.ofLayers(20));
    const { first, count } = viewpoint.window(99);
    assert.deepEqual([first, count], [3, 3]);
    viewpoint.focus(10);
    assert.equal(viewpoint.window(99).first, 8);
});

test("a layer that was sick from the start is compared with other layers, otherwise with its own past", () => {
    const { matrix } = loadedPlan({ columns: 100 });
    const shown = (originStep) => colouringToShow(matrix, { originStep });
    assert.deepEqual([shown(null), shown(0), shown(5), shown(50)], ["ratio", "value", "value", "ratio"]);
});
