// What the page reads of the findings and the loss of the selected run, and when.

import assert from "node:assert/strict";
import test from "node:test";

import { RunHealth } from "../../../static/js/run-health.js";
import { alert, episode, health } from "./health.mjs";

/** A run whose reads are answered by the test: `answer(path, body)`, where `path` is the end of the address. */
function started(t) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const asked = [];
    t.mock.method(globalThis, "fetch", (address, { signal }) => {
        const [path, query] = address.replace(/^.*\/api\/v2\/runs\/r7/, "").split("?");
        return new Promise((resolve, reject) => {
            const request = { path, query: new URLSearchParams(query), resolve, isAnswered: false };
            asked.push(request);
            signal.addEventListener("abort", () => reject(signal.reason));
        });
    });
    const news = [];
    const run = new RunHealth("r7", { onChange() {}, onFinding: (finding) => news.push(finding.title) });
    const settle = async () => {
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    };
    const answer = async (path, body, status = 200) => {
        const request = asked.find((candidate) => candidate.path === path && !candidate.isAnswered);
        request.isAnswered = true;
        request.resolve({ ok: status === 200, status, text: async () => JSON.stringify(body) });
        await settle();
    };
    const open = (path) => asked.filter((request) => request.path === path && !request.isAnswered).length;
    const wait = async (milliseconds) => {
        t.mock.timers.tick(milliseconds);
        await settle();
    };
    return { run, asked, news, answer, open, wait };
}

test("findings and loss are read when the run was loaded", async (t) => {
    const { run, asked, answer } = started(t);
    run.loaded({ created_at: "t", scalars: ["lr", "train/loss"] });
    assert.deepEqual(asked.map(({ path }) => path), ["/health", "/series"]);
    assert.equal(asked[0].query.get("layers"), "false");
    assert.equal(asked[1].query.get("scalars"), "train/loss");
    await answer("/health", health([episode("1")]));
    await answer("/series", { last_steps: [1, 2], scalars: { "train/loss": { last: [4, 3] } } });
    assert.equal(run.findings.open.length, 1);
    assert.deepEqual(run.loss.last, { step: 2, value: 3 });
});

test("many alerts at once cause one read after a second, and one that came during a read is kept", async (t) => {
    const { run, news, answer, open, wait } = started(t);
    for (let id = 1; id <= 100; id += 1) run.receive({ type: "alert", data: alert(`${id}`, "e", { layer: `l${id}` }) });
    assert.equal(open("/health"), 0);
    await wait(1000);
    assert.equal(open("/health"), 1);
    run.receive({ type: "alert", data: alert("200", "f") });
    await answer("/health", health([episode("e")]));
    assert.deepEqual(run.findings.open.map(({ id }) => id), ["e", "f"]);
    assert.deepEqual(news, ["conv1 is dead", "conv1 is dead"]);
    await wait(1000);
    assert.equal(open("/health"), 1);
});

test("after a lost connection the findings are read again, after a subscription for other metrics they are not", async (t) => {
    const { run, open, answer } = started(t);
    run.receive({ type: "run_history", reset: false });
    run.interrupted();
    run.receive({ type: "run_history", reset: true });
    assert.equal(open("/health"), 0);
    run.receive({ type: "run_history", reset: false });
    assert.equal(open("/health"), 1);
    await answer("/health", health([]));
    run.receive({ type: "run_history", reset: false });
    assert.equal(open("/health"), 0);
});

test("a failed read is repeated later and shown, one of a removed run is not repeated", async (t) => {
    const { run, answer, open, wait } = started(t);
    run.read();
    await answer("/health", {}, 503);
    assert.equal(run.findings.hasFailed, true);
    await wait(10_000);
    assert.equal(open("/health"), 1);
    await answer("/health", {}, 404);
    await wait(60_000);
    assert.equal(open("/health"), 0);
});

test("a new run of the same id begins with its own loss", async (t) => {
    const { run, answer } = started(t);
    run.loaded({ created_at: "t", scalars: ["loss"] });
    await answer("/series", { last_steps: [100], scalars: { loss: { last: [4] } } });
    run.loaded({ created_at: "u", scalars: ["loss"] });
    await answer("/series", { last_steps: [1], scalars: { loss: { last: [9] } } });
    assert.deepEqual(run.loss.last, { step: 1, value: 9 });
});

test("a page that left the run reads nothing of it any more", async (t) => {
    const { run, open, wait } = started(t);
    run.receive({ type: "alert", data: alert("1", "e") });
    run.stop();
    await wait(60_000);
    assert.equal(open("/health"), 0);
});
