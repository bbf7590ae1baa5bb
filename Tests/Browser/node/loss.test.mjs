// The loss of a run and its trend.

import assert from "node:assert/strict";
import test from "node:test";

import { LOSS_POINTS, LossSeries, lossName, trendOf } from "../../../static/js/model/verdict/loss.js";

/** The same numbers each time, evenly spread between -1 and 1. */
function noise(seed) {
    let state = seed;
    return () => {
        state = (state * 48271) % 2147483647;
        return (2 * state) / 2147483647 - 1;
    };
}

const series = (count, value) => Array.from({ length: count }, (_, step) => ({ step, value: value(step) }));
const direction = (points) => trendOf(points).direction;

test("the loss is found by the names of the rules, then by a name that ends so", () => {
    assert.equal(lossName(["lr", "loss", "train/loss"]), "train/loss");
    assert.equal(lossName(["lr", "model/loss"]), "model/loss");
    assert.equal(lossName(["lr", "loss_scale", "val_accuracy"]), null);
});

test("a noisy loss falls, rises or is flat", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
        const random = noise(seed);
        assert.equal(direction(series(200, (step) => 2 * Math.exp(-step / 80) + 0.02 * random())), "falling");
        assert.equal(direction(series(200, (step) => 0.3 + step / 400 + 0.05 * random())), "rising");
        assert.equal(direction(series(200, (step) => 0.7 + 0.05 * random() + (step < 100 ? 1 : 0))), "flat");
    }
});

test("the trend is that of the end of the run", () => {
    const points = series(100, (step) => (step < 75 ? 10 - step / 10 : step / 10));
    assert.deepEqual(trendOf(points), { direction: "rising", steps: 24 });
});

test("a change of less than two percent is flat, however exact", () => {
    assert.equal(direction(series(100, (step) => 1 - step / 10_000)), "flat");
});

test("few points have no trend, and values that are not finite are left out", () => {
    assert.equal(direction([]), null);
    assert.equal(direction(series(7, (step) => step)), null);
    assert.equal(direction(series(20, (step) => (step % 2 ? NaN : 100 - step))), null);
    assert.equal(direction(series(40, (step) => (step === 35 ? Infinity : 100 - step))), "falling");
});

test("large numbers and large steps have a trend", () => {
    assert.equal(direction(series(40, (step) => 1e308 * (1 - step / 50))), "falling");
    const far = series(40, (step) => 50 - step).map(({ step, value }) => ({ step: 2n ** 60n + BigInt(step), value }));
    assert.deepEqual(trendOf(far), { direction: "falling", steps: 9 });
    assert.equal(direction(series(40, () => 0)), "flat");
});

test("a series that was read is continued by live steps, and keeps those that came before the answer", () => {
    const loss = new LossSeries();
    loss.add(12, { loss: 9 });
    loss.load("loss", { last_steps: [3, 7, 10], scalars: { loss: { last: [3, null, "NaN"] } } });
    assert.deepEqual([loss.length, loss.last], [3, { step: 12, value: 9 }]);
    loss.add(11, { loss: 1 });
    loss.add(12, { loss: 8 });
    loss.add(13, { lr: 1 });
    loss.add(14, undefined);
    assert.deepEqual([loss.length, loss.last], [3, { step: 12, value: 8 }]);
});

test("the points of a long run are bounded, and the last one stays", () => {
    const loss = new LossSeries();
    for (let step = 0; step < 100_000; step += 1) loss.add(step, { loss: step });
    assert.ok(loss.length <= 2 * LOSS_POINTS && loss.length > LOSS_POINTS / 2);
    assert.equal(loss.last.step, 99_999);
    assert.equal(loss.trend.direction, "rising");
});
