import assert from "node:assert/strict";
import test from "node:test";

import { SeriesSource } from "../../../static/js/layers/data/series-source.js";
import { seriesOf, summaryOf } from "../../../static/js/layers/data/series.js";
import { reduced } from "../../../static/js/layers/data/whole-run.js";
import { Curve } from "../../../static/js/layers/picture/curve.js";
import { curveScale } from "../../../static/js/layers/picture/scale.js";

/** The server's answer for layers with one value a step, in buckets of `width` steps. */
function answerOf(values, { layers = ["a"], width = 1, first = 0, lastSeq = 1 } = {}) {
    const buckets = [];
    values.forEach((value, index) => {
        const step = first + index;
        const bucket = Math.floor(step / width);
        if (buckets.at(-1)?.bucket !== bucket) buckets.push({ bucket, steps: [], values: [] });
        buckets.at(-1).steps.push(step);
        buckets.at(-1).values.push(value);
    });
    const finite = (list) => list.filter(Number.isFinite);
    const m = {
        min: buckets.map(({ values: list }) => (finite(list).length > 0 ? Math.min(...finite(list)) : null)),
        max: buckets.map(({ values: list }) => (finite(list).length > 0 ? Math.max(...finite(list)) : null)),
        last: buckets.map(({ values: list }) => list.at(-1)),
        nonfinite: buckets.map(({ values: list }) => list.filter((value) => value === "NaN").length),
    };
    return {
        steps: buckets.map(({ steps }) => steps[0]), last_steps: buckets.map(({ steps }) => steps.at(-1)),
        last_seq: lastSeq,
        layers: Object.fromEntries(layers.map((id) => [id, { m }])),
    };
}

test("a series that was continued equals one that was read whole", () => {
    const values = Array.from({ length: 50 }, (_, index) => (index === 41 ? "NaN" : Math.sin(index)));
    const whole = seriesOf(answerOf(values, { width: 8 }), "a");
    const before = seriesOf(answerOf(values.slice(0, 37), { width: 8 }), "a");
    // The server answers with finer buckets, because the range is shorter.
    const fresh = seriesOf(answerOf(values.slice(32), { width: 2, first: 32 }), "a");
    const appended = before.appended(fresh, 4);
    for (const list of ["steps", "lastSteps"]) assert.deepEqual(appended[list], whole[list]);
    assert.deepEqual(appended.of("m"), whole.of("m"));
    assert.equal(before.length, 5);
});

test("an answer with wider buckets is not appended, and a new metric begins in the middle", () => {
    const before = seriesOf(answerOf([1, 2, 3]), "a");
    assert.equal(before.appended(seriesOf(answerOf([3, 4, 5, 6], { width: 4, first: 2 }), "a"), 2), null);
    assert.equal(before.appended(seriesOf({ steps: [], last_steps: [], layers: {} }, "a"), 2), null);
    const fresh = answerOf([3, 4], { first: 2 });
    fresh.layers.a.n = { min: [null, 7], max: [null, 7], last: [null, 7], nonfinite: [0, 0] };
    const appended = before.appended(seriesOf(fresh, "a"), 2);
    assert.deepEqual(appended.of("n").last, [undefined, undefined, undefined, 7]);
    assert.deepEqual(appended.of("m").last, [1, 2, 3, 4]);
});

test("steps beyond 2^53 have their own buckets", () => {
    const first = 2n ** 60n;
    const answer = { steps: [5, first], last_steps: [5, first + 3n], last_seq: 1, layers: {} };
    const series = seriesOf(answer, "a");
    assert.deepEqual([4, 5, 6, first, first + 9n].map((step) => series.columnOf(step)), [-1, 0, 0, 1, 1]);
});

test("a summary has the extremes, the median of what is not 0, and counts what is not finite", () => {
    const lists = seriesOf(answerOf([0, -4, 2, "NaN", 3, 0]), "a").of("m");
    assert.deepEqual(summaryOf(lists), { min: -4, max: 3, median: 3, nonfinite: 1, count: 6 });
    // The server has no extremes of derived metrics.
    const derived = { min: [], max: [], last: [1, undefined, NaN, 5], nonfinite: [0, 0, 0, 0] };
    assert.deepEqual(summaryOf(derived), { min: 1, max: 5, median: 1, nonfinite: 1, count: 3 });
    assert.deepEqual(summaryOf({ min: [], max: [], last: [undefined], nonfinite: [undefined] }),
        { min: undefined, max: undefined, median: undefined, nonfinite: 0, count: 0 });
    assert.deepEqual(["min", "max", "change"].map((column) => reduced(column, [3, NaN, -1, 0])), [-1, 3, 1]);
    assert.equal(reduced("min", [NaN]), undefined);
});

const state = { now: 0, layers: ["a", "b"], metrics: ["m"], canRead: true, isFollowing: true };

/** A source that has read the two layers. */
function readSource(values = [1, 2, 3]) {
    const source = new SeriesSource(100);
    source.next(state).take(answerOf(values, { layers: ["a", "b"] }));
    return source;
}

test("layers on screen are read once, and what changed at most every two seconds", () => {
    const source = new SeriesSource(100);
    const first = source.next(state);
    assert.deepEqual([first.layers, first.metrics, first.points], [["a", "b"], ["m"], 100]);
    assert.deepEqual([first.from, first.to], [undefined, undefined]);
    assert.equal(source.next(state), null, "one read at a time");
    first.take(answerOf([1, 2, 3], { layers: ["a", "b"] }));
    assert.equal(source.next({ ...state, now: 9000 }), null);
    source.changed(3);
    assert.equal(source.next({ ...state, now: 1000 }), null);
    assert.equal(source.next({ ...state, now: 9000, isFollowing: false }), null, "not while paused");
    const news = source.next({ ...state, now: 2000 });
    assert.deepEqual([news.layers, news.from], [["a", "b"], 2]);
    news.take(answerOf([3, 4], { layers: ["a", "b"], first: 2 }));
    assert.deepEqual(source.of("b").of("m").last, [1, 2, 3, 4]);
    assert.equal(source.next({ ...state, now: 9000 }), null);
});

test("a step that changes during a read is read after it", () => {
    const source = new SeriesSource(100);
    const first = source.next(state);
    source.changed(1);
    first.take(answerOf([1, 2, 3], { layers: ["a", "b"] }));
    const news = source.next({ ...state, now: 2000 });
    assert.equal(news.from, 1);
    source.changed(2);
    news.take(answerOf([2, 3], { layers: ["a", "b"], first: 1 }));
    assert.equal(source.next({ ...state, now: 4000 }).from, 2);
});

test("other layers and other metrics are read whole; while paused up to the step that was shown", () => {
    const source = readSource();
    const other = source.next({ ...state, layers: ["b", "c"], isFollowing: false });
    assert.deepEqual([other.layers, other.to], [["c"], 2]);
    other.take(answerOf([1, 2, 3], { layers: ["c"] }));
    assert.deepEqual(source.next({ ...state, metrics: ["m", "n"] }).layers, ["a", "b"]);
});

test("after a failure nothing is read for a while, and then what changed", () => {
    const source = readSource();
    source.changed(3);
    source.next({ ...state, now: 2000 }).fail(2000);
    assert.equal(source.next({ ...state, now: 6000 }), null);
    assert.equal(source.next({ ...state, now: 7000 }).from, 2);
});

test("an answer that does not fit, and a step before all others, lead to a whole read", () => {
    const source = readSource();
    source.changed(3);
    source.next({ ...state, now: 2000 }).take(answerOf([3, 4, 5, 6], { layers: ["a", "b"], width: 4, first: 2 }));
    const whole = source.next({ ...state, now: 2001 });
    assert.deepEqual([whole.layers, whole.from], [["a", "b"], undefined]);
    whole.take(answerOf([1, 2, 3], { layers: ["a", "b"], first: 5 }));
    source.changed(1);
    assert.equal(source.next({ ...state, now: 5000 }).from, undefined);
});

test("an answer of before a reset is ignored, and layers that left the screen are forgotten", () => {
    const source = new SeriesSource(100);
    const read = source.next(state);
    source.reset();
    read.take(answerOf([1], { layers: ["a", "b"] }));
    assert.equal(source.of("a"), undefined);
    const many = Array.from({ length: 200 }, (_, index) => `layer${index}`);
    for (let start = 0; start < 200; start += 10) {
        const layers = many.slice(start, start + 10);
        source.next({ ...state, layers }).take(answerOf([1], { layers }));
    }
    source.next({ ...state, layers: ["last"] });
    assert.ok(many.filter((id) => source.of(id) !== undefined).length < 100);
});

test("a read has few layers, and an address of bounded length", () => {
    const source = new SeriesSource(100);
    const layers = Array.from({ length: 100 }, (_, index) => `layer${index}`);
    assert.equal(source.next({ ...state, layers }).layers.length, 24);
    source.reset();
    assert.equal(source.next({ ...state, layers: layers.map((id) => id.padEnd(900, "x")) }).layers.length, 4);
});

test("scales are logarithmic where numbers span decades, with 0 at the bottom", () => {
    const linear = curveScale([1, 2, 3]);
    assert.deepEqual([linear.isLogarithmic, linear.place(1), linear.place(2), linear.place(3)], [false, 0, 0.5, 1]);
    const decades = curveScale([0.01, 1, 100]);
    assert.equal(decades.isLogarithmic, true);
    assert.deepEqual([0.01, 1, 100].map(decades.place), [0, 0.5, 1]);
    const dead = curveScale([0, 0.01, 1]);
    assert.equal(dead.place(0), 0);
    assert.ok(dead.place(0.01) > 0.05 && dead.place(1) === 1);
    assert.equal(dead.ticks[0].text, "0");
    const signs = curveScale([-1000, 0.001, 1000]);
    assert.equal(signs.isLogarithmic, false);
    for (const numbers of [[5], [1.7e308, -1.7e308], [5e-324, 1e300], [NaN, Infinity], []]) {
        const { place, ticks } = curveScale(numbers);
        for (const number of numbers.filter(Number.isFinite)) assert.ok(place(number) >= 0 && place(number) <= 1);
        for (const tick of ticks) assert.ok(tick.place >= -0.001 && tick.place <= 1.001 && !tick.text.includes("NaN"));
    }
});

test("the numbers of an axis are round and different", () => {
    assert.deepEqual(curveScale([0.926, 1.037]).ticks.map(({ text }) => text), ["0.95", "1"]);
    assert.deepEqual(curveScale([1e-3, 1e3]).ticks.map(({ text }) => text), ["0.001", "1", "1000"]);
    assert.deepEqual(curveScale([3]).ticks.map(({ text }) => text), ["3"]);
});

test("a curve ends where nothing was posted, and marks what is not finite", () => {
    const lists = {
        min: [1, 1, undefined, 2, undefined], max: [1, 3, undefined, 2, undefined],
        last: [1, 2, undefined, NaN, Infinity], nonfinite: [0, 0, undefined, 1, 2],
    };
    const { shape, columns } = new Curve("m", lists, 5);
    assert.equal(columns, 5);
    assert.deepEqual(shape.lines.map((line) => line.map(({ column }) => column)), [[0, 1], [3]]);
    assert.deepEqual(shape.bands[0][1], { column: 1, low: 0, high: 1 });
    assert.deepEqual(shape.broken, [3, 4]);
});
