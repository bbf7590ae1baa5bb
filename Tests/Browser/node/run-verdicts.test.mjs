// The worst finding of each run in the list: what is read for it.

import assert from "node:assert/strict";
import test from "node:test";

import { RunDirectory } from "../../../static/js/model/runs.js";
import { Findings } from "../../../static/js/model/verdict/findings.js";
import { RunVerdicts } from "../../../static/js/run-verdicts.js";
import { alert, episode, health } from "./health.mjs";

const CREATED = "2026-11-30T12:00:00.000000+00:00";
const settle = async () => {
    for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
};

/** A list of runs `0`, `1`, ... with as many critical alerts each. `reads`: the runs whose findings were read. */
function listed(t, { count = 3, critical = 1, pages = 1 } = {}) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const ids = Array.from({ length: count }, (_, index) => String(index));
    const entry = { created_at: CREATED, last_update: CREATED, step_count: 5, latest_step: 4, last_seq: 5 };
    const runs = new RunDirectory();
    runs.applyListing(Object.fromEntries(ids.map((id) => [id, entry])));
    const reads = [];
    const descriptions = [];
    const signals = [];
    const described = (id) => ({ run_id: id, state: "running", ...entry, alerts: { critical, warning: 0 } });
    t.mock.method(globalThis, "fetch", async (address, { signal }) => {
        signals.push(signal);
        const url = new URL(address, "http://x");
        const name = /\/api\/v2\/runs\/(.+)\/health$/u.exec(url.pathname)?.[1];
        let body;
        if (name === undefined) {
            descriptions.push(url.searchParams.get("cursor"));
            const page = descriptions.length;
            const part = Math.ceil(count / pages);
            const shown = ids.slice((page - 1) * part, page * part);
            body = { runs: shown.map(described), next: page < pages ? `after ${page}` : null };
        } else {
            reads.push(name);
            // Of a run with hundreds of findings the row needs the worst one.
            assert.equal(url.searchParams.get("limit"), "1");
            body = health([episode("1", { severity: "critical", layer: `layer${name}` })]);
        }
        return { ok: true, status: 200, text: async () => JSON.stringify(body) };
    });
    const verdicts = new RunVerdicts(runs, () => {});
    return { runs, verdicts, reads, descriptions, signals };
}

test("runs with open alerts get their worst finding, the selected one from its own findings", async (t) => {
    const { runs, verdicts, reads } = listed(t);
    verdicts.selectedId = "1";
    await verdicts.listed();
    await settle();
    assert.deepEqual(reads.sort(), ["0", "2"]);
    assert.equal(runs.get("2").finding.title, "layer2 is dead");
    const findings = new Findings();
    verdicts.show("1", findings);
    assert.equal(runs.get("1").finding, null);
    findings.load(health([episode("1", { layer: "own" })]));
    verdicts.show("1", findings);
    assert.equal(runs.get("1").finding.title, "own is dead");
});

test("healthy runs are not read", async (t) => {
    const healthy = listed(t, { critical: 0 });
    await healthy.verdicts.listed();
    await settle();
    assert.deepEqual(healthy.reads, []);
});

test("of many sick runs only the first of the list are read, and all pages of descriptions", async (t) => {
    const { runs, verdicts, reads, descriptions } = listed(t, { count: 50, pages: 3 });
    await verdicts.listed();
    for (let turn = 0; turn < 30; turn += 1) await settle();
    assert.equal(reads.length, 20);
    assert.deepEqual(descriptions, [null, "after 1", "after 2"]);
    assert.equal(runs.list().filter((run) => run.status.critical === 1).length, 50);
});

test("a live alert is shown at once, and the run's findings are read once after many", async (t) => {
    const { runs, verdicts, reads } = listed(t);
    runs.applyStatus("0", { state: "running", alerts: { critical: 1, warning: 0 } });
    for (let id = 0; id < 50; id += 1) verdicts.takeAlert("0", alert(`${id}`, "1", { severity: "critical" }));
    assert.deepEqual(runs.get("0").finding, { severity: "critical", title: "conv1 is dead", sinceStep: 10 });
    t.mock.timers.tick(2000);
    await settle();
    assert.deepEqual(reads, ["0"]);
    assert.equal(runs.get("0").finding.title, "layer0 is dead");
    runs.applyStatus("0", { state: "running", alerts: { critical: 0, warning: 0 } });
    assert.equal(runs.get("0").finding, null);
});

test("a page whose session ends aborts its reads and begins no others", async (t) => {
    const { verdicts, reads, signals } = listed(t);
    const reading = verdicts.listed();
    assert.equal(signals.length, 1);
    verdicts.stop();
    assert.equal(signals[0].aborted, true);
    await reading;
    verdicts.takeAlert("0", alert("1", "1"));
    t.mock.timers.tick(10_000);
    await settle();
    assert.deepEqual(reads, []);
});
