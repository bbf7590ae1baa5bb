// Which runs have a row in the list, and what that costs.

import assert from "node:assert/strict";
import test from "node:test";

import { RunRows } from "../../../static/js/model/runs/run-rows.js";
import { RunDirectory } from "../../../static/js/model/runs/run-directory.js";

const time = (second) => new Date(1_790_000_000_000 + 1000 * second).toISOString();
const entry = (second) => (
    { created_at: time(second), last_update: time(second), step_count: 1, latest_step: 0, last_seq: 1 });

/** Runs `sweep-0` to `sweep-(count - 1)`, each newer than the one before. */
function directory(count) {
    const runs = new RunDirectory();
    runs.applyListing(Object.fromEntries(Array.from({ length: count }, (_, index) => [`sweep-${index}`, entry(index)])));
    return runs;
}

const ids = (runs) => runs.map(({ id }) => id);

test("the newest runs have a row, and each request adds as many", () => {
    const runs = directory(250);
    const rows = new RunRows();
    let chosen = rows.choose(runs, []);
    assert.deepEqual([chosen.rows.length, chosen.rows[0].id, chosen.rows[99].id], [100, "sweep-249", "sweep-150"]);
    assert.deepEqual([chosen.apart.length, chosen.matches, chosen.left, chosen.next], [0, 250, 150, 100]);
    rows.more();
    chosen = rows.choose(runs, []);
    assert.deepEqual([chosen.rows.length, chosen.left, chosen.next], [200, 50, 50]);
    rows.more();
    chosen = rows.choose(runs, []);
    assert.deepEqual([chosen.rows.length, chosen.left, chosen.next], [250, 0, 0]);
});

test("a kept run has a row of its own until the rows reach it, and none after it is gone", () => {
    const runs = directory(250);
    const rows = new RunRows();
    const kept = ["sweep-3", "sweep-120", "sweep-3", "sweep-200", "unknown"];
    let chosen = rows.choose(runs, kept);
    assert.deepEqual(ids(chosen.apart), ["sweep-120", "sweep-3"]);
    assert.deepEqual([chosen.rows.length, chosen.left], [100, 148]);
    rows.more();
    chosen = rows.choose(runs, kept);
    assert.deepEqual([ids(chosen.apart), chosen.left], [["sweep-3"], 49]);
    runs.remove("sweep-3");
    chosen = rows.choose(runs, kept);
    assert.deepEqual([ids(chosen.apart), chosen.left], [[], 49]);
});

test("a text narrows the list down, in any case, and begins with as many rows as at first", () => {
    const runs = directory(250);
    const rows = new RunRows();
    rows.more();
    rows.text = "SWEEP-24";
    let chosen = rows.choose(runs, ["sweep-3", "sweep-24"]);
    assert.deepEqual(ids(chosen.rows), [...Array.from({ length: 10 }, (_, index) => `sweep-${249 - index}`), "sweep-24"]);
    assert.deepEqual([chosen.apart.length, chosen.matches, chosen.left], [0, 11, 0]);
    runs.applyStep("sweep-24-again", 0);
    assert.equal(rows.choose(runs, []).rows[0].id, "sweep-24-again");
    rows.text = "none";
    chosen = rows.choose(runs, ["sweep-3"]);
    assert.deepEqual([chosen.rows.length, chosen.apart.length, chosen.matches], [0, 0, 0]);
    rows.text = "sweep";
    chosen = rows.choose(runs, ["sweep-3"]);
    assert.deepEqual([chosen.rows.length, ids(chosen.apart), chosen.left], [100, ["sweep-3"], 150]);
    rows.text = "";
    assert.equal(rows.choose(runs, []).matches, 251);
});

test("the text can be given with more than 20 runs, and while there is one", () => {
    const rows = new RunRows();
    assert.equal(rows.choose(directory(20), []).hasFilter, false);
    assert.equal(rows.choose(directory(21), []).hasFilter, true);
    rows.text = "x";
    assert.equal(rows.choose(directory(1), []).hasFilter, true);
});

test("a live step does not sort or filter all runs; new, other and removed runs do", () => {
    const runs = directory(30);
    const rows = new RunRows();
    rows.text = "sweep-2";
    const list = runs.list();
    // An id that counts how often it is compared with the text.
    let compared = 0;
    const run = runs.get("sweep-7");
    Object.defineProperty(run, "id", { get: () => ((compared += 1), "sweep-7") });
    rows.choose(runs, []);
    assert.equal(compared, 1);
    for (let step = 1; step < 100; step += 1) {
        runs.applyStep("sweep-7", step);
        runs.applyStatus("sweep-7", { state: "running" });
        rows.choose(runs, ["sweep-20"]);
    }
    assert.equal(runs.list(), list);
    assert.equal(compared, 1);
    runs.applyListing(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`sweep-${index}`, entry(index)])), 0);
    assert.equal(runs.list(), list);
    runs.remove("unknown");
    assert.equal(runs.list(), list);
    runs.remove("sweep-8");
    assert.equal(runs.list().length, 29);
    runs.applyDescription("sweep-9", { created_at: time(100), last_seq: 1, step_count: 1, last_step: 0, last_update: time(100) });
    assert.equal(runs.list()[0].id, "sweep-9");
});
