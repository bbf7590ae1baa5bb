// The findings of a run, as they were read and as live alerts change them.

import assert from "node:assert/strict";
import test from "node:test";

import { Findings } from "../../../static/js/model/verdict/findings.js";
import { spreadText } from "../../../static/js/model/verdict/verdict.js";
import { alert, episode, health } from "./health.mjs";

function loaded(episodes, options) {
    const findings = new Findings();
    findings.load(health(episodes, options));
    return findings;
}

const ids = (list) => list.map(({ id }) => id);

test("open ones come first, the worst, then those that began first; of the closed those that ended last", () => {
    const findings = loaded([
        episode("late", { severity: "critical", first_step: 50 }),
        episode("warning", { first_step: 1 }),
        episode("old", { state: "closed", severity: "critical", closed_step: 20 }),
        episode("early", { severity: "critical", first_step: 40 }),
        episode("recent", { state: "closed", severity: "critical", closed_step: 30 }),
    ]);
    assert.deepEqual(ids(findings.open), ["early", "late", "warning"]);
    assert.deepEqual(ids(findings.closed), ["recent", "old"]);
});

test("steps beyond 2^53 are ordered", () => {
    const findings = loaded([episode("b", { first_step: 2n ** 60n }), episode("a", { first_step: 7 })]);
    assert.deepEqual(ids(findings.open), ["a", "b"]);
});

test("the rules without inputs are those that are enabled", () => {
    const findings = loaded([]);
    assert.deepEqual(findings.missingRules, [{ name: "saturation", hint: "post `saturation` to get this rule" }]);
    assert.equal(findings.runningRules, 2);
});

test("an alert of a new episode is news; one that changes nothing of its severity is not", () => {
    const findings = loaded([]);
    assert.equal(findings.takeAlert(alert("1", "e")).title, "conv1 is dead");
    assert.equal(findings.takeAlert(alert("1", "e")), null);
    assert.equal(findings.takeAlert(alert("1", "e", { severity: "critical" })).severity, "critical");
    assert.equal(findings.takeAlert(alert("2", "e", { layer: "conv2" })), null);
    const [finding, ...others] = findings.open;
    assert.deepEqual([finding.layerCount, finding.severity, others], [2, "critical", []]);
});

test("an episode is open as long as one of its alerts is", () => {
    const alerts = [alert("1", "e"), alert("2", "e", { layer: "conv2" })];
    const findings = loaded([episode("e", { layer_count: 2 })], { alerts });
    findings.takeAlert(alert("1", "e", { state: "closed", closed_step: 30 }));
    assert.equal(findings.open.length, 1);
    findings.takeAlert(alert("2", "e", { state: "closed", closed_step: 31, layer: "conv2" }));
    assert.deepEqual([findings.open.length, findings.closed[0].closedStep], [0, 31]);
});

test("a finding names what its severity comes from, and how many layers still have it", () => {
    const layers = ["a", "b", "c", "d"];
    const alerts = layers.map((layer, index) => {
        return alert(String(index), "e", { layer, severity: index < 2 ? "warning" : "critical" });
    });
    const findings = loaded([episode("e", { layer: "a", layers, layer_count: 4, severity: "critical" })], { alerts });
    const text = () => spreadText(findings.list[0], findings.spreadOf(findings.list[0]));
    assert.equal(text(), "Critical because of c and 1 other layer; warning at a, where it began, and 1 other layer.");
    for (const id of ["0", "1", "2"]) findings.takeAlert({ ...alerts[Number(id)], state: "closed", closed_step: 20 });
    assert.equal(text().split(". ")[1], "1 of 4 layers still has it.");
    const one = loaded([episode("e")], { alerts: [alert("1", "e")] });
    assert.equal(spreadText(one.list[0], one.spreadOf(one.list[0])), "");
    const alike = loaded([episode("e", { layer_count: 2 })], { alerts: [alert("1", "e"), alert("2", "e", { layer: "b" })] });
    assert.equal(spreadText(alike.list[0], alike.spreadOf(alike.list[0])), "");
});

test("alerts that came during a read are applied to its answer", () => {
    const findings = new Findings();
    findings.load(health([]), [alert("1", "e")]);
    assert.deepEqual(ids(findings.open), ["e"]);
});

test("the alert of a trainer is closed at once and needs no step", () => {
    const findings = loaded([episode("e")]);
    const ofTrainer = { state: "closed", source: "trainer", severity: "info", first_step: null, layer: null };
    assert.equal(findings.takeAlert(alert("9", "t", { ...ofTrainer, title: "the end" })).title, "the end");
    assert.deepEqual([findings.open.length, findings.closed.length], [1, 1]);
    assert.equal(findings.closed[0].isFromTrainer, true);
});
