// The description of the selected run is read again while steps come, less often while nothing new is found.

import assert from "node:assert/strict";
import test from "node:test";

import { RunDescription } from "../../../static/js/run-description.js";

const settle = async () => {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

/** A description whose answers are `answers`, the last of them again and again. */
function watched(t, answers) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    globalThis.document = { hidden: false };
    const seen = [];
    let reads = 0;
    t.mock.method(globalThis, "fetch", async () => {
        const body = answers[Math.min(reads, answers.length - 1)];
        reads += 1;
        if (body === null) throw new TypeError("lost");
        return { ok: true, status: 200, text: async () => JSON.stringify({ created_at: "t", ...body }) };
    });
    const description = new RunDescription("r", (data) => seen.push(data.metrics));
    const stepAfter = async (milliseconds) => {
        description.step();
        t.mock.timers.tick(milliseconds);
        await settle();
        return reads;
    };
    return { description, seen, stepAfter };
}

test("a new metric is found soon after it began, and then reads are soon again", async (t) => {
    const old = { metrics: ["a"], scalars: [], derived: [], layer_count: 2 };
    const { description, seen, stepAfter } = watched(t, [old, old, { ...old, metrics: ["a", "b"] }]);
    description.known(old);
    assert.deepEqual([await stepAfter(1_999), await stepAfter(1), await stepAfter(3_999), await stepAfter(1)], [0, 1, 1, 2]);
    await stepAfter(8_000);
    assert.deepEqual(seen, [["a"], ["a"], ["a", "b"]]);
    assert.equal(await stepAfter(2_000), 4);
});

test("without steps nothing is read, and many steps are one read", async (t) => {
    const { description, stepAfter } = watched(t, [{ metrics: [] }]);
    t.mock.timers.tick(100_000);
    await settle();
    for (let count = 0; count < 50; count += 1) description.step();
    assert.equal(await stepAfter(2_000), 1);
    t.mock.timers.tick(100_000);
    await settle();
    assert.equal(await stepAfter(0), 1);
});

test("reads of many layers are far apart", async (t) => {
    const { description, stepAfter } = watched(t, [{ metrics: [], layer_count: 10_000 }]);
    for (let count = 0; count < 12; count += 1) await stepAfter(300_000);
    const before = await stepAfter(219_000);
    assert.deepEqual([before, await stepAfter(1_000)], [12, 13]);
    description.stop();
    assert.equal(await stepAfter(300_000), 13);
});

test("a failed read and a hidden page are tried again with a later step", async (t) => {
    const { seen, stepAfter } = watched(t, [null, { metrics: ["a"] }]);
    await stepAfter(2_000);
    globalThis.document.hidden = true;
    await stepAfter(2_000);
    assert.deepEqual(seen, []);
    globalThis.document.hidden = false;
    await stepAfter(2_000);
    assert.deepEqual(seen, [["a"]]);
});
