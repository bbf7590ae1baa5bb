// What the page says when it has nothing to show, is not connected, or cannot read an answer.

import assert from "node:assert/strict";
import test from "node:test";

import { Phase } from "../../../static/js/feed/phase.js";
import { ConnectionLost, ReadError, UnreadableAnswer, read } from "../../../static/js/feed/read.js";
import { RunReads } from "../../../static/js/feed/reads.js";
import { commandNote, firstCommands } from "../../../static/js/model/commands.js";
import { emptyState } from "../../../static/js/model/empty-state.js";
import { outage } from "../../../static/js/model/outage.js";
import { Problems, problems } from "../../../static/js/problems.js";

const server = "https://host:8443/monitor";

test("commands contain the server's address, the run, and the token where one is required", () => {
    const texts = firstCommands({ server }).map(({ text }) => text);
    assert.equal(texts[0], "pip install ./clients/python");
    assert.ok(texts[1].includes(`url="${server}"`));
    assert.equal(texts[1].split("\n").length, 3);
    assert.ok(texts[2].startsWith(`curl '${server}/api/v2/runs/first/steps'`));
    assert.ok(!texts[2].includes("Authorization"));
    const odd = firstCommands({ server: "http://h/o'neill", runId: 'a"b/c', isProtected: true }).map(({ text }) => text);
    assert.equal(odd[0], "export NN_MONITOR_TOKEN=...");
    assert.ok(odd[2].includes('id="a\\"b/c"'));
    assert.ok(odd[3].startsWith("curl 'http://h/o'\\''neill/api/v2/runs/a%22b%2Fc/steps'"));
    assert.ok(odd[3].includes("Authorization: Bearer $NN_MONITOR_TOKEN"));
    assert.notEqual(commandNote({ server }), "");
    assert.equal(commandNote({ server: "http://h" }), "");
});

test("each empty state says what happened", () => {
    const open = { phase: Phase.open, text: "" };
    const state = (changes) => emptyState({
        run: null, connection: open, hasListing: true, limits: { runs: 100, stepsPerRun: 10 }, server, ...changes });
    assert.equal(state({}).runId, null);
    assert.equal(state({ hasListing: false }).title, "Waiting for the server");
    const silent = state({ hasListing: false, connection: { phase: Phase.waiting, text: "" } });
    assert.ok(silent.text.includes(server));
    const full = state({ hasListing: false, connection: { phase: Phase.waiting, text: "it is full" } });
    assert.ok(full.text.includes("it is full"));
    const run = { id: "r", isMissing: false, isLoading: false };
    assert.equal(state({ run }).runId, "r");
    assert.equal(state({ run: { ...run, isLoading: true } }).title, "Loading steps");
    const missing = (missingReason) => state({ run: { ...run, isMissing: true, missingReason } }).text;
    assert.ok(missing("deleted").includes("deleted") && !missing("deleted").includes("MAX_RUNS"));
    for (const reason of ["evicted", null]) assert.ok(missing(reason).includes("100 runs") && missing(reason).includes("MAX_RUNS"));
});

test("an outage names its beginning and the next attempt, and is silent while it is brief", () => {
    const lost = { phase: Phase.waiting, until: 17_500, lostAt: 10_000, text: "", reason: null };
    assert.equal(outage(lost, 11_000), null);
    const shown = outage(lost, 14_000);
    assert.ok(/since \d\d:\d\d:10/u.test(shown.text));
    assert.equal(shown.next, "Next attempt in 4 s.");
    assert.ok(shown.canRetry && !shown.canLogIn);
    assert.equal(outage({ ...lost, phase: Phase.connecting }, 14_000).canRetry, false);
    assert.ok(outage({ ...lost, text: "too many" }, 14_000).text.includes("too many"));
    assert.equal(outage({ phase: Phase.open, lostAt: null, text: "" }, 14_000), null);
    assert.equal(outage({ phase: Phase.waiting, until: 1, lostAt: null, text: "" }, 14_000), null);
    const ended = (reason) => outage({ phase: Phase.stopped, lostAt: 10_000, text: "", reason }, 14_000);
    assert.ok(ended("login").canLogIn && ended("forbidden").canLogIn);
    assert.equal(ended(null), null);
});

test("problems of one key are one entry, which stays until it is removed", () => {
    const own = new Problems();
    let changes = 0;
    own.onChange = () => { changes += 1; };
    own.report("a", "first");
    own.report("a", "second");
    own.report("b", "other");
    assert.deepEqual(own.list, [{ key: "a", text: "second", count: 2 }, { key: "b", text: "other", count: 1 }]);
    own.remove("a");
    own.remove("a");
    assert.equal(changes, 4);
    assert.deepEqual(own.list.map(({ key }) => key), ["b"]);
});

function answering(t, answer) {
    t.mock.method(globalThis, "fetch", answer);
    t.after(() => problems.list.forEach(({ key }) => problems.remove(key)));
}

const page = (text, type = "application/json") => ({
    ok: true, status: 200, headers: new Headers({ "Content-Type": type }), text: async () => text,
});

test("an answer that is no JSON is a problem with its address, until one is read", async (t) => {
    let answer = page("<html>\n <p>Please log in</p>", "text/html; charset=utf-8");
    answering(t, async () => answer);
    await assert.rejects(read("api/v1/runs?x=1", { what: "the list of runs" }), UnreadableAnswer);
    const [problem] = problems.list;
    for (const part of ["The list of runs", "GET api/v1/runs", "text/html", "“<html> <p>Please log in</p>”"]) {
        assert.ok(problem.text.includes(part), part);
    }
    assert.ok(!problem.text.includes("x=1"));
    answer = page('{"r":1}');
    assert.deepEqual((await read("api/v1/runs", { what: "the list of runs" })).value, { r: 1 });
    assert.deepEqual(problems.list, []);
});

test("JSON of another form is a problem too, and one of a run that is no longer selected is not", async (t) => {
    const abort = new AbortController();
    const reads = new RunReads("r", abort.signal);
    for (const text of ["{}", "null", "[]", '{"steps":1,"last_steps":[]}', '{"steps":[1']) {
        answering(t, async () => page(text));
        await assert.rejects(reads.stepNumbers({ from: 1 }), UnreadableAnswer, text);
        assert.equal(problems.list.length, 1);
        t.mock.restoreAll();
    }
    abort.abort();
    assert.deepEqual(problems.list, []);
});

test("a refusal and a lost connection are no unreadable answers", async (t) => {
    answering(t, async () => ({ ok: false, status: 503 }));
    await assert.rejects(read("health", { what: "x" }), (error) => error instanceof ReadError && error.status === 503);
    t.mock.restoreAll();
    answering(t, async () => { throw new TypeError("Failed to fetch"); });
    await assert.rejects(read("health", { what: "x" }), ConnectionLost);
    assert.deepEqual(problems.list, []);
});
