// The words of a verdict: state, worst finding, loss, list and tab.

import assert from "node:assert/strict";
import test from "node:test";

import { Findings } from "../../../static/js/model/verdict/findings.js";
import { LossSeries } from "../../../static/js/model/verdict/loss.js";
import { missingCheck, missingTitle } from "../../../static/js/model/verdict/missing-checks.js";
import {
    healthVerdict, listVerdict, lossVerdict, runStatus, sinceText, stateWords, tabTitle,
} from "../../../static/js/model/verdict/verdict.js";
import { alert, episode, health } from "./health.mjs";

const NOW = 1_800_000_000_000;
const run = (data, age = 2, stepCount = 10) => ({
    status: data === null ? null : runStatus({ state: "running", ...data }), lastUpdate: NOW - 1000 * age, stepCount,
});
const words = (...values) => stateWords(run(...values), NOW).text;

test("the state is a sentence", () => {
    assert.equal(words({}), "running, last step 2 s ago");
    assert.equal(words({}, 5, 0), "running, no step yet");
    assert.equal(words({ silent: true }, 14 * 60), "silent for 14 min");
    assert.equal(words({ state: "finished", exit_code: 0 }), "finished");
    assert.equal(words({ state: "finished", exit_code: 3 }), "finished, exit code 3");
    assert.equal(words({ state: "failed" }), "failed");
    assert.equal(words({ state: "failed", exit_code: 1 }), "failed, exit code 1");
    assert.equal(words(null, 61), "last step 1 min ago");
});

test("of a reason the last line is shown, shortened", () => {
    const reason = "Traceback (most recent call last):\n  File\nValueError: loss is NaN\n";
    assert.equal(words({ state: "failed", exit_code: 1, reason }), "failed, exit code 1: ValueError: loss is NaN");
    assert.ok(words({ state: "failed", reason: "x".repeat(65536) }).length < 150);
});

test("without a connection a run is not said to be running", () => {
    assert.deepEqual(stateWords(run({}), NOW, { isConnected: false }), {
        kind: "lost", text: "not connected; was running 2 s ago",
    });
    assert.equal(stateWords(run({ state: "finished" }), NOW, { isConnected: false }).text, "finished");
    assert.equal(stateWords(undefined, NOW).text, "not on the server");
    assert.equal(stateWords(undefined, NOW, { missingReason: "evicted" }).text, "evicted from the server");
});

function verdictOf(answer) {
    const findings = new Findings();
    findings.load(answer);
    return healthVerdict(findings);
}

test("the verdict is the worst open finding, with its step, layers and how many others there are", () => {
    const changes = { severity: "critical", title: "the router of moe collapses", first_step: 104, layer_count: 3 };
    const worst = episode("2", changes);
    const verdict = verdictOf(health([episode("1", { first_step: 9 }), worst]));
    assert.equal(verdict.severity, "critical");
    assert.equal(verdict.title, "The router of moe collapses");
    assert.equal(verdict.detail, "critical, since step 104 · first here, 3 layers in all · 1 more finding");
    assert.equal(verdict.finding.id, "2");
});

test("the other findings that are critical are counted", () => {
    const others = (...severities) => {
        const list = ["critical", ...severities].map((severity, index) => episode(String(index), { severity }));
        return verdictOf(health(list)).detail.split(" · ").at(-1);
    };
    assert.equal(others("critical"), "1 more critical finding");
    assert.equal(others("critical", "critical"), "2 more critical findings");
    assert.equal(others("warning", "critical", "warning"), "3 more findings, 1 critical");
});

test("a run without open findings names what is past, else how many checks judged it", () => {
    const none = verdictOf(health([]));
    assert.deepEqual([none.title, none.detail], ["Healthy", "2 checks find nothing wrong"]);
    const few = health([]);
    few.rules = few.rules.filter(({ rule }) => rule !== "non_finite");
    few.rules.push({ rule: "underflow", state: "inputs_missing", enabled: true, hint: null });
    assert.equal(verdictOf(few).detail, "1 check finds nothing wrong; 2 could not run");
    const title = "the loss has a spike";
    const closed = episode("1", { state: "closed", title, first_step: 130, closed_step: 149, origin: null });
    const verdict = verdictOf(health([closed]));
    assert.deepEqual([verdict.severity, verdict.title, verdict.detail],
        ["ok", "Healthy again", "earlier: The loss has a spike, step 130 to 149"]);
    assert.equal(verdictOf(health([], { status: "waiting" })).title, "Not judged yet");
});

test("a check that could not run names the numbers to post and what they belong to", () => {
    const hint = "post `overflow_fraction` and `activation_max_abs` to get this rule";
    assert.deepEqual(missingCheck({ name: "overflow", hint }),
        { title: "Overflow", needs: ["overflow_fraction", "activation_max_abs"], onlyFor: "training in half precision" });
    assert.deepEqual(missingCheck({ name: "new_rule", hint: "" }), { title: "New rule", needs: [], onlyFor: "" });
    assert.equal(missingTitle(1), "1 check could not run: its numbers are not posted");
});

test("before the findings are read nothing is called healthy", () => {
    const findings = new Findings();
    assert.equal(healthVerdict(findings).severity, "unknown");
    assert.equal(healthVerdict(findings).title, "Findings not read yet");
    findings.failed();
    assert.equal(healthVerdict(findings).title, "Findings cannot be read");
});

test("first signs are named where they came before the finding of the title", () => {
    const [finding] = loaded([episode("1", { first_step: 91, origin: { layer: "c", step: 94 } })]);
    assert.equal(sinceText(finding), "since step 94, first signs at step 91");
    const [huge] = loaded([episode("1", { first_step: 2n ** 60n })]);
    assert.equal(sinceText(huge), "since step 1,152,921,504,606,846,976");
    const findings = new Findings();
    findings.load(health([]));
    const ofTrainer = { state: "closed", source: "trainer", first_step: null, layer: null };
    const posted = findings.takeAlert(alert("7", "7", ofTrainer));
    assert.equal(sinceText(posted), "");
});

function loaded(episodes) {
    const findings = new Findings();
    findings.load(health(episodes));
    return findings.list;
}

test("the loss has its last value and where it goes", () => {
    const loss = new LossSeries();
    assert.equal(lossVerdict(loss), null);
    for (let step = 0; step < 40; step += 1) loss.add(step, { loss: 2 - step / 40 });
    assert.deepEqual(lossVerdict(loss), {
        name: "loss", value: "1.025", trend: "↘ falling over the last 9 steps", isBroken: false,
    });
    loss.add(40, { loss: "NaN" });
    assert.deepEqual(lossVerdict(loss), { name: "loss", value: "NaN", trend: "not finite", isBroken: true });
});

test("a run in the list has its worst finding, numbers of alerts until that is known, and its state", () => {
    const line = (data, finding = null) => {
        const { severity, text } = listVerdict({ ...run(data), finding }, NOW);
        return [severity, text];
    };
    assert.deepEqual(line({}), [null, "running"]);
    assert.deepEqual(line(null), [null, ""]);
    assert.deepEqual(line({ alerts: { critical: 2, warning: 1 } }), ["critical", "2 critical, 1 warning"]);
    assert.deepEqual(line({ alerts: { critical: 0, warning: 2 } }), ["warning", "2 warnings"]);
    const finding = { severity: "critical", title: "conv1 is dead", sinceStep: 1200 };
    const alerts = { critical: 2, warning: 0 };
    assert.deepEqual(line({ alerts }, finding), ["critical", "conv1 is dead since step 1,200"]);
    assert.deepEqual(line({ state: "failed", exit_code: 1, reason: "x" }, finding),
        ["critical", "conv1 is dead since step 1,200 · failed, exit code 1"]);
    assert.deepEqual(line({ state: "finished" }), [null, "finished"]);
});

test("the title of a tab begins with the sign and the run", () => {
    const running = { kind: "running", text: "running, last step 1 s ago" };
    const bad = { severity: "critical", title: "conv1 is dead" };
    const good = { severity: "ok", title: "Healthy" };
    assert.equal(tabTitle("r7", bad, running), "✖ r7: conv1 is dead · NNMonitor");
    assert.equal(tabTitle("r7", good, running), "r7 · NNMonitor");
    assert.equal(tabTitle("r7", good, { kind: "finished", text: "finished" }), "r7: finished · NNMonitor");
});
