import assert from "node:assert/strict";
import test from "node:test";

import { TimeCursor } from "../../../static/js/heatmap/cursor.js";
import { SelectedRun } from "../../../static/js/model/selected-run.js";
import { matrixOf } from "./matrices.mjs";

const WHOLE = { from: null, to: null };

/** A cursor on a run with these kept steps, whose steps are read when `answer()` is called. */
function cursorOn(steps) {
    const run = new SelectedRun("x");
    const records = steps.map((step) => run.decode({ step, seq: step, layers: [] }));
    run.takeRun({ createdAt: "t", lastSeq: 0, buckets: { steps, last_steps: steps }, records });
    const waiting = [];
    const cursor = new TimeCursor((step) => new Promise((resolve) => {
        waiting.push(() => resolve(run.play((player, history) => player.seekStep(history, step))));
    }));
    cursor.select(run);
    const answer = async () => {
        waiting.splice(0).forEach((resolve) => resolve());
        await new Promise((resolve) => setTimeout(resolve));
    };
    const matrix = matrixOf({ layers: ["a"], steps, values: [steps] });
    return { run, cursor, answer, matrix };
}

test("further moves begin at the column of the last one, also while its step is still read", async () => {
    const { cursor, answer, matrix, run } = cursorOn([0, 1, 2, 3, 4]);
    assert.equal(cursor.columnIn(matrix, WHOLE), 4);
    for (let times = 0; times < 3; times += 1) cursor.moveTo(matrix, WHOLE, cursor.columnIn(matrix, WHOLE) - 1);
    assert.equal(cursor.columnIn(matrix, WHOLE), 1);
    await answer();
    assert.deepEqual([run.player.step, cursor.columnIn(matrix, WHOLE), cursor.note], [1, 1, ""]);
});

test("at a step that is not kept the cursor stays, says so, and leaves it when the page shows another", async () => {
    const { cursor, answer, run } = cursorOn([10, 11, 12]);
    const matrix = matrixOf({ layers: ["a"], steps: [0, 10], lastSteps: [9, 12], values: [[1, 2]] });
    cursor.moveTo(matrix, WHOLE, 0);
    await answer();
    assert.deepEqual([cursor.step, run.player.step, cursor.columnIn(matrix, WHOLE)], [9, 10, 0]);
    assert.equal(cursor.note, "Step 9 is no longer kept; below is step 10.");
    run.play((player) => player.live());
    assert.deepEqual([cursor.step, cursor.note, cursor.columnIn(matrix, WHOLE)], [12, "", 1]);
});

test("a zoomed range follows the cursor, and stays when it has it", async () => {
    const steps = Array.from({ length: 100 }, (_, index) => index);
    const { cursor, run } = cursorOn(steps);
    assert.equal(cursor.rangeToFollow(WHOLE, 100), null);
    assert.equal(cursor.rangeToFollow({ from: 90, to: null }, 10), null);
    run.play((player, history) => player.seekStep(history, 50));
    assert.deepEqual(cursor.rangeToFollow({ from: 10, to: 20 }, 10), { from: 45, to: 55 });
    run.play((player, history) => player.seekStep(history, 99));
    assert.deepEqual(cursor.rangeToFollow({ from: 10, to: 20 }, 10), { from: 89, to: null });
});

test("a run counts its reloads, and has the lowest step that changed since it was looked at", () => {
    const { run } = cursorOn([0, 1]);
    assert.deepEqual([run.generation, run.takeChangedFrom()], [1, null]);
    for (const step of [7, 5, 6]) run.takeStep({ step, seq: step, layers: [] });
    assert.deepEqual([run.takeChangedFrom(), run.takeChangedFrom()], [5, null]);
    run.dropFrom(6);
    assert.equal(run.generation, 2);
});
