import assert from "node:assert/strict";
import test from "node:test";

import { StepColumns } from "../../../static/js/heatmap/data/columns.js";
import { Geometry } from "../../../static/js/heatmap/picture/geometry.js";
import { seamsIn } from "../../../static/js/heatmap/time-axis.js";
import { MOST_CHOSEN, listText, namesOf, scalarsToShow, usualScalars } from "../../../static/js/strip/data/choices.js";
import { parseScalars } from "../../../static/js/strip/data/scalars.js";
import { seamsOf } from "../../../static/js/strip/data/seams.js";
import { StripGeometry, StripLayout } from "../../../static/js/strip/picture/layout.js";
import { freeEnd, lineSegments, scalarMarks } from "../../../static/js/strip/picture/line.js";
import { scalarScale } from "../../../static/js/strip/picture/scale.js";
import { cellText, rowValue, scalarTable } from "../../../static/js/strip/picture/text.js";

/** One scalar in columns; `values` are numbers, texts or null, `min` and `max` their bucket's. */
function scalarsOf(values, { steps = values.map((_, index) => index), lastSteps = steps, min = values, max = values } = {}) {
    const finite = (list) => list.map((value) => (typeof value === "number" ? value : null));
    const nonfinite = values.map((value) => (typeof value === "string" ? 1 : 0));
    const loss = { min: finite(min), max: finite(max), last: values, nonfinite };
    return parseScalars({ steps, last_steps: lastSteps, last_seq: 1, scalars: { loss } }, ["loss"]);
}

test("loss, learning rate and gradient norm are drawn by themselves, under any of their names", () => {
    assert.deepEqual(usualScalars(["x", "lr", "grad_norm", "loss", "train/loss"]), ["train/loss", "lr", "grad_norm"]);
    assert.deepEqual(usualScalars(["train/learning_rate", "train/grad_norm"]), ["train/learning_rate", "train/grad_norm"]);
    assert.deepEqual(usualScalars(["lr/encoder", "lr/head"]), ["lr/encoder"]);
    assert.deepEqual(usualScalars(["gradient_norm_ratio/a", "b", "c", "d", "e"]), ["b", "c", "d"]);
    assert.deepEqual(usualScalars([]), []);
});

test("a choice holds for each run that has one of its names, and choosing none is a choice", () => {
    assert.deepEqual(scalarsToShow(["loss", "acc"], ["acc", "other"]), ["acc"]);
    assert.deepEqual(scalarsToShow(["loss", "acc"], ["other"]), ["loss"]);
    assert.deepEqual(scalarsToShow(["loss"], []), []);
    const many = Array.from({ length: 40 }, (_, index) => `s${index}`);
    assert.equal(scalarsToShow(many, many).length, MOST_CHOSEN);
});

test("names with commas and backslashes survive in a link", () => {
    for (const names of [[], ["loss"], ["a,b", "c\\", ",", "ünï"], ["\\,"]]) assert.deepEqual(namesOf(listText(names)), names);
});

test("a y axis is logarithmic where positive numbers span more than two decades", () => {
    const scale = (values) => scalarScale(scalarsOf(values).series.get("loss"));
    const kinds = [[1, 100], [1, 101], [0, 1000], [-1, 1000], [5, 5]].map((values) => scale(values).kind);
    assert.deepEqual(kinds, ["linear", "log", "linear", "linear", "linear"]);
    assert.deepEqual([1, 10, 1000].map((value) => Number(scale([1, 1000]).place(value).toFixed(6))), [0, 0.333333, 1]);
    assert.equal(scale([-1.7e308, 1.7e308]).place(0), 0.5);
    assert.equal(scale([5]).place(5), 0.5);
    assert.equal(scale(["NaN", null]), null);
});

test("a line joins values across columns without any, and ends at one that is not finite", () => {
    const values = [1, null, 2, "NaN", 3, 4];
    const scalars = scalarsOf(values);
    const series = scalars.series.get("loss");
    const marks = scalarMarks(series, scalars.columns, scalarScale(series));
    assert.deepEqual(marks.broken, [3]);
    assert.deepEqual(lineSegments(marks).map((segment) => segment.map(({ column }) => column)), [[0, 2], [4, 5]]);
});

test("a column of several values has a band, and one far from all others a dot", () => {
    const values = Array.from({ length: 300 }, () => null);
    values[10] = 4;
    const scalars = scalarsOf(values, { min: values.with(10, 2), max: values.with(10, 6) });
    const series = scalars.series.get("loss");
    const { band, dots } = scalarMarks(series, 300, scalarScale(series));
    assert.deepEqual([band, dots.map(({ column }) => column)], [[{ column: 10, low: 0, high: 1 }], [10]]);
});

test("a row shows the value at the viewed step, else that of its column, else an earlier one", () => {
    const scalars = scalarsOf([0.5, "NaN", null], { steps: [0, 4, 8], lastSteps: [3, 7, 11] });
    const series = scalars.series.get("loss");
    assert.deepEqual(rowValue(scalars, series, 0, 0.25), { text: "0.2500", exact: "0.25", title: "0.25", isEarlier: false, isBroken: false });
    assert.deepEqual(rowValue(scalars, series, 2, undefined), {
        text: "NaN", exact: "NaN", title: "NaN, steps 4–7, 1 not finite", isEarlier: true, isBroken: true,
    });
    assert.equal(rowValue(scalars, series, 0, undefined).title, "0.5, steps 0–3");
    for (const column of [-1, 0]) assert.equal(rowValue(scalars, undefined, column, undefined).text, "–");
    assert.equal(rowValue(scalars, series, 1, NaN).isBroken, true);
});

test("the table has the cursor, the extremes, columns at equal distances, and the seams among them", () => {
    const values = Array.from({ length: 100 }, (_, index) => index);
    const scalars = scalarsOf(values, { min: values.with(99, 90) });
    const scale = scalarScale(scalars.series.get("loss"));
    const seams = [{ column: 50, step: 50, text: "restarted at step 50, attempt 2" }];
    const { caption, head, rows } = scalarTable({ scalars, names: ["loss"], scales: [scale], cursor: 99, seams });
    assert.deepEqual([caption, head], ["Scalars, steps 0–99: 20 of 100 columns", ["loss"]]);
    assert.deepEqual(rows[0], { title: "at the cursor, step 99", texts: ["99.00 (90.00 to 99.00)"] });
    assert.deepEqual(rows.slice(1, 3).map(({ title, texts }) => [title, texts[0]]), [["lowest", "0"], ["highest", "99.00"]]);
    const titles = rows.slice(3).map(({ title }) => title);
    assert.equal(titles.length, 21);
    assert.deepEqual([titles[0], titles.at(-1)], ["step 0", "step 99"]);
    const seam = titles.indexOf("restarted at step 50, attempt 2");
    assert.deepEqual(titles.slice(seam - 1, seam + 2), ["step 47", "restarted at step 50, attempt 2", "step 52"]);
    assert.equal(cellText(undefined, 0), "–");
});

test("each restart is a seam with the number of its attempt", () => {
    const events = [
        { type: "state", state: "failed" }, { type: "resumed", step: 1400, dropped: 20 }, { type: "resumed", step: 400, dropped: 3 },
        { type: "resumed", step: 400, dropped: 1 }, { type: "restarted", step: 5, not_kept: 1 },
    ];
    assert.deepEqual(seamsOf(events), [
        { step: 5, text: "restarted at step 5, attempt 5, 1 step not kept" },
        { step: 400, text: "restarted at step 400, attempt 3, then attempt 4" },
        { step: 1400, text: "restarted at step 1,400, attempt 2" },
    ]);
    assert.deepEqual(seamsOf(undefined), []);
});

test("a seam is before the column of its step, and between two if the step was not posted again", () => {
    const columns = new StepColumns({ steps: [10, 20, 30], lastSteps: [15, 25, 35] });
    const column = (step) => seamsIn(columns, [{ step }]).map((seam) => seam.column);
    assert.deepEqual([9, 10, 12, 17, 20, 30, 36].map(column), [[], [0], [0], [1], [1], [2], []]);
    assert.deepEqual(seamsIn(null, [{ step: 1 }]), []);
    const exact = new StepColumns({ steps: [9007199254740992n, 9007199254740993n], lastSteps: [9007199254740992n, 9007199254740993n] });
    assert.deepEqual(seamsIn(exact, [{ step: 9007199254740993n }]).map((seam) => seam.column), [1]);
});

test("names are left of the charts, or above them where there is no room", () => {
    const wide = new Geometry({ width: 900, layers: ["block0/attention"], columns: 10, room: 300 });
    const beside = new StripLayout({ geometry: wide, rows: 2, hasAxis: false });
    assert.deepEqual([beside.isNarrow, beside.chartOf(1), beside.height], [false, { top: 46, bottom: 84 }, 92]);
    const narrow = new Geometry({ width: 300, layers: ["a"], columns: 10, room: 300 });
    const above = new StripLayout({ geometry: narrow, rows: 1, hasAxis: false });
    assert.deepEqual([above.isNarrow, above.chartOf(0).top], [true, 17]);
    const alone = new StripLayout({ geometry: new StripGeometry({ width: 900, columns: 10 }), rows: 1, hasAxis: true });
    assert.deepEqual([alone.areaAt(500, 10), alone.areaAt(500, 50), alone.areaAt(10, 10), alone.areaAt(500, 90)],
        ["cells", "axis", null, null]);
});

test("a number of the axis is on the left, or on the right where only the left has marks in its way", () => {
    const line = (yOf) => ({ points: Array.from({ length: 100 }, (_, column) => ({ column, y: yOf(column) })), band: [] });
    const endsOf = (marks) => [true, false].map((isTop) => freeEnd(marks, 100, { width: 0.1, height: 0.3, isTop }));
    assert.deepEqual(endsOf(line((column) => 1 - column / 99)), ["right", "left"]);
    assert.deepEqual(endsOf(line((column) => column / 99)), ["left", "right"]);
    assert.deepEqual(endsOf(line(() => 0.5)), ["left", "left"]);
    // Without a free end it is on the left.
    assert.deepEqual(endsOf(line((column) => column % 2)), ["left", "left"]);
    const band = [{ column: 3, low: 0.5, high: 0.9 }];
    assert.deepEqual(endsOf({ points: [], band }), ["right", "left"]);
});
