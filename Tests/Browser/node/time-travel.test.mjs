import assert from "node:assert/strict";
import test from "node:test";

import { stepsAhead } from "../../../static/js/feed/read-ahead.js";
import { FindingOrder } from "../../../static/js/model/finding-order.js";
import { History } from "../../../static/js/model/history.js";
import { Playback } from "../../../static/js/model/playback.js";
import { Player, behindOf } from "../../../static/js/model/player.js";
import { KEY_GROUPS } from "../../../static/js/keys.js";
import { behindText } from "../../../static/js/view/player-controls.js";
import { playerAction } from "../../../static/js/view/player-keys.js";

const recordOf = (step) => ({ step, seq: 1, timestamp: Number(step) * 10, structure: { length: 1 }, values: [1], size: 1 });

/** A history of these steps; those of `held` have their record. */
function historyOf(steps, { held = steps, lastSteps = steps } = {}) {
    const history = new History();
    history.load({ steps, last_steps: lastSteps }, held.map(recordOf));
    return history;
}

test("playing shows one step after the other, waits for what is not read, and ends at the last step", () => {
    const history = historyOf([1, 2, 3, 4, 5]);
    const player = new Player();
    player.seekStep(history, 2);
    player.play(history, 5);
    const shown = (count, isReady = () => true) => [player.advance(history, count, isReady), player.step];
    assert.deepEqual([player.isPlaying, player.speed, player.isPaused], [true, 5, true]);
    assert.deepEqual([shown(1), shown(3, (index) => index < 3), shown(1, () => false)], [[1, 3], [0, 3], [0, 3]].with(1, [0, 3]));
    assert.deepEqual([shown(9), player.isPlaying, player.isPaused], [[2, 5], false, true]);
    assert.equal(player.advance(history, 1, () => true), 0);
});

test("playing goes live at the end if that was chosen; from the last step it begins with the first", () => {
    const history = historyOf([1, 2, 3]);
    const player = new Player();
    player.play(history, 1);
    assert.deepEqual([player.step, player.isPlaying], [1, true]);
    player.advance(history, 5, () => true, true);
    assert.deepEqual([player.isPaused, player.isPlaying], [false, false]);
});

test("whatever a person does ends playing; another speed does not", () => {
    const history = historyOf([1, 2, 3]);
    const actions = ["pause", "back", "forward", "toggle", "live"].map((name) => (player) => player[name](history));
    actions.push((player) => player.seekStep(history, 2), (player) => player.seekIndex(history, 0));
    for (const action of actions) {
        const player = new Player();
        player.play(history, 10);
        player.playAt(50);
        assert.equal(player.speed, 50);
        action(player);
        assert.equal(player.isPlaying, false);
    }
    const player = new Player();
    player.play(history, 10);
    player.toggle(history);
    assert.deepEqual([player.isPaused, player.step], [true, 1]);
});

test("a single step cannot be played", () => {
    const player = new Player();
    player.play(historyOf([7]), 10);
    assert.deepEqual([player.isPaused, player.isPlaying], [false, false]);
});

test("while paused, pictures end at the last step of the moment of pausing, or where a person went beyond it", () => {
    const history = historyOf([1, 2, 3]);
    const player = new Player();
    assert.equal(player.pausedEnd, null);
    player.back(history);
    history.insert(recordOf(4));
    player.back(history);
    assert.equal(player.pausedEnd, 3);
    // A person who goes beyond it wants to see what is there.
    player.seekStep(history, 3);
    assert.equal(player.pausedEnd, 3);
    player.forward(history);
    history.insert(recordOf(5));
    assert.deepEqual([player.step, player.pausedEnd], [4, 4]);
    player.seekIndex(history, 0);
    player.play(history, 10);
    player.advance(history, 9, () => true);
    assert.deepEqual([player.step, player.pausedEnd], [5, 5]);
    player.live();
    assert.equal(player.pausedEnd, null);
});

test("the distance to the last step is shown in steps and in time", () => {
    const history = historyOf([1, 2, 3]);
    const player = new Player();
    assert.equal(behindText(behindOf(player, history)), "at the last step");
    player.back(history);
    assert.equal(behindText(behindOf(player, history)), "1 step, 10 s behind");
    for (let step = 4; step < 124; step += 1) history.insert(recordOf(step));
    assert.equal(behindText(behindOf(player, history)), "121 steps, 20 min behind");
    const gaps = historyOf([0, 100], { lastSteps: [99, 199], held: [199] });
    player.seekIndex(gaps, 0);
    assert.equal(behindText(behindOf(player, gaps)), "over 3 steps behind");
    const large = historyOf([7, 9007199254740993n, 9007199254740995n], { held: [] });
    player.seekIndex(large, 1);
    assert.equal(behindText(behindOf(player, large)), "1 step behind");
});

test("the next steps are read in one read, when half of them are left, and up to a gap in the numbers", () => {
    const steps = Array.from({ length: 100 }, (_, index) => index);
    const history = historyOf(steps, { held: [0, 1, 2, 3] });
    assert.deepEqual(stepsAhead(history, 0, 10).steps, [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    assert.equal(stepsAhead(history, 0, 4), null);
    assert.deepEqual(stepsAhead(history, 97, 10).steps, [98, 99]);
    assert.equal(stepsAhead(historyOf([1, 2]), 1, 10), null);
    const gaps = historyOf([0, 1, 8], { held: [0, 1], lastSteps: [0, 7, 9] });
    assert.deepEqual(stepsAhead(gaps, 0, 10), { gap: 1 });
    assert.deepEqual(stepsAhead(historyOf([0, 1, 2, 8], { held: [0], lastSteps: [0, 1, 7, 9] }), 0, 10), { steps: [1, 2] });
});

/** A clock that runs when `pass` is called. */
function clockOf() {
    let now = 0;
    const timers = new Map();
    let count = 0;
    return {
        now: () => now,
        setTimeout: (action, delay) => timers.set((count += 1), { at: now + delay, action }) && count,
        clearTimeout: (timer) => timers.delete(timer),
        async pass(milliseconds) {
            const end = now + milliseconds;
            for (;;) {
                const [timer, next] = [...timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
                if (next === undefined || next.at > end) break;
                timers.delete(timer);
                now = next.at;
                next.action();
                await new Promise((resolve) => setImmediate(resolve));
            }
            now = end;
        },
    };
}

test("the speed is the number of steps shown in a second", async () => {
    for (const speed of [1, 2, 5, 10, 50]) {
        const clock = clockOf();
        let shown = 0;
        const playback = new Playback(clock, async (count) => ((shown += count), count));
        playback.start(speed);
        await clock.pass(4000);
        assert.ok(Math.abs(shown - 4 * speed) <= 1, `${shown} steps at ${speed}`);
        playback.stop();
        await clock.pass(4000);
        assert.ok(Math.abs(shown - 4 * speed) <= 1);
    }
});

test("time in which steps were not ready is not caught up for", async () => {
    const clock = clockOf();
    let [isReady, shown] = [false, 0];
    const playback = new Playback(clock, async (count) => (isReady ? ((shown += count), count) : 0));
    playback.start(10);
    await clock.pass(10_000);
    isReady = true;
    await clock.pass(1000);
    assert.ok(shown >= 9 && shown <= 13, `${shown}`);
});

test("playing has ended when there is nothing more to show", async () => {
    const clock = clockOf();
    let calls = 0;
    new Playback(clock, async () => ((calls += 1), null)).start(10);
    await clock.pass(5000);
    assert.equal(calls, 1);
});

const finding = (id, firstStep) => ({ id, firstStep });

test("findings are visited in the order of time, in both directions, also those that begin at one step", () => {
    const findings = [finding(1, 50), finding(2, 10), finding(3, 50), finding(4, null), finding(5, 9007199254740993n)];
    const order = new FindingOrder();
    let step = 0;
    const go = (by) => {
        const next = order.next(findings, step, by);
        if (next === null) return null;
        step = next.finding.firstStep;
        order.visited(next.finding, step);
        return next.finding.id;
    };
    assert.deepEqual([go(1), go(1), go(1), go(1), go(1)], [2, 1, 3, 5, null]);
    assert.deepEqual([go(-1), go(-1), go(-1), go(-1)], [3, 1, 2, null]);
    step = 30;
    assert.deepEqual(order.next(findings, 30, 1), { finding: findings[0], number: 2, total: 4 });
    assert.equal(go(-1), 2);
    assert.equal(new FindingOrder().next([], 5, 1), null);
});

test("a finding whose step is not kept does not catch the walk", () => {
    const order = new FindingOrder();
    const findings = [finding(1, 10), finding(2, 20)];
    // The page shows step 100, the first that is kept.
    order.visited(findings[0], 100);
    assert.equal(order.next(findings, 100, 1).finding.id, 2);
});

test("keys are left to fields, dialogs, and to what has the focus", () => {
    const event = (key, changes = {}, matches = []) => ({
        key, target: { closest: (selector) => (matches.some((part) => selector.includes(part)) ? {} : null) }, ...changes,
    });
    assert.deepEqual(playerAction(event("n")), { name: "finding", by: 1 });
    assert.deepEqual(playerAction(event("N", { shiftKey: true })), { name: "finding", by: -1 });
    assert.equal(playerAction(event("Home")).name, "first");
    const refused = [
        event("n", { ctrlKey: true }), event("ArrowLeft", { shiftKey: true }), event("p", { defaultPrevented: true }),
        event("p", {}, ["textarea"]), event("End", {}, ["dialog"]), event(" ", {}, ["button"]), event("x"),
    ];
    for (const refusal of refused) assert.equal(playerAction(refusal), null, refusal.key);
    const slider = { closest: () => null };
    assert.equal(playerAction({ key: "ArrowLeft", target: slider }, slider), null);
    assert.equal(playerAction({ key: " ", target: slider }, slider).name, "toggle");
});

test("the help lists the player's keys", () => {
    const listed = KEY_GROUPS[0].keys.flatMap(([keys]) => keys.split(" "));
    const names = { Space: " ", "←": "ArrowLeft", "→": "ArrowRight" };
    const target = { closest: () => null };
    for (const name of listed) assert.notEqual(playerAction({ key: names[name] ?? name, target }), null, name);
    assert.equal(new Set(listed).size, 9);
});
