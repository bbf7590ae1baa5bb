// The worst finding of each run in the list: what is read for it.

import assert from "node:assert/strict";
import test from "node:test";

import { RunDirectory } from "../../../static/js/model/runs/run-directory.js";
import { Findings } from "../../../static/js/model/verdict/findings.js";
import { RunVerdicts } from "../../../static/js/run-verdicts.js";
import { alert, episode, health } from "./health.mjs";

const CREATED = "2026-11-30T12:00:00.000000+00:00";
const settle = async () => {
    for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
};

/**
 * A list of runs `0`, `1`, ... with as many critical alerts each. `descriptions`: the pages that were read, `reads`: the
 * runs whose findings were read, `singles`: those whose description was read alone. `fails(path)`: a status, or undefined.
 */
function listed(t, { count = 3, critical = 1, pages = 1, fails = () => undefined } = {}) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const ids = Array.from({ length: count }, (_, index) => String(index));
    const entry = { created_at: CREATED, last_update: CREATED, step_count: 5, latest_step: 4, last_seq: 5 };
    const runs = new RunDirectory();
    runs.applyListing(Object.fromEntries(ids.map((id) => [id, entry])));
    const reads = [];
    const descriptions = [];
    const singles = [];
    const signals = [];
    const described = (id) => ({ run_id: id, state: "running", ...entry, alerts: { critical, warning: 0 } });
    t.mock.method(globalThis, "fetch", async (address, { signal }) => {
        signals.push(signal);
        const url = new URL(address, "http://x");
        const [, name, part] = /\/api\/v2\/runs\/(\w+)(\/health)?$/u.exec(url.pathname) ?? [];
        let body;
        if (name === undefined) {
            descriptions.push(url.searchParams.get("cursor"));
            const page = Number(url.searchParams.get("cursor") ?? 0) + 1;
            const length = Math.ceil(count / pages);
            const shown = ids.slice((page - 1) * length, page * length);
            body = { runs: shown.map(described), next: page < pages ? String(page) : null };
        } else if (part === undefined) {
            singles.push(name);
            body = described(name);
        } else {
            reads.push(name);
            // Of a run with hundreds of findings the row needs the worst one.
            assert.equal(url.searchParams.get("limit"), "1");
            body = health([episode("1", { severity: "critical", layer: `layer${name}` })]);
        }
        const status = fails(url.pathname) ?? 200;
        return { ok: status === 200, status, text: async () => JSON.stringify(body) };
    });
    const verdicts = new RunVerdicts(runs, () => {});
    return { runs, verdicts, reads, descriptions, singles, signals, shown: (...names) => names.map((id) => runs.get(String(id))) };
}

test("runs with open alerts get their worst finding, the selected one from its own findings", async (t) => {
    const { runs, verdicts, reads } = listed(t);
    verdicts.selectedId = "1";
    verdicts.watch(runs.list());
    await settle();
    assert.deepEqual(reads, [], "nothing is read before the list of the server is known");
    verdicts.listed();
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
    const { runs, verdicts, reads } = listed(t, { critical: 0 });
    verdicts.listed();
    verdicts.watch(runs.list());
    await settle();
    assert.deepEqual(reads, []);
});

test("of many sick rows only the first are read", async (t) => {
    const { runs, verdicts, reads, descriptions, singles } = listed(t, { count: 50 });
    verdicts.listed();
    verdicts.watch(runs.list());
    for (let turn = 0; turn < 30; turn += 1) await settle();
    assert.deepEqual(reads, runs.list().slice(0, 20).map(({ id }) => id));
    assert.deepEqual([descriptions, singles], [[null], []]);
    assert.equal(runs.list().filter((run) => run.status.critical === 1).length, 50);
});

test("only runs with a row are read: the first page, then few of them alone and many in pages", async (t) => {
    const { verdicts, reads, descriptions, singles, shown } = listed(t, { count: 5000, critical: 0, pages: 25 });
    verdicts.listed();
    await settle();
    assert.deepEqual([descriptions, singles, reads], [[], [], []]);
    verdicts.watch(shown(1, 4998, 4999));
    await settle();
    assert.deepEqual([descriptions, singles], [[null], ["4998", "4999"]]);
    const numbers = (from, count) => Array.from({ length: count }, (_, index) => from + index);
    verdicts.watch(shown(...numbers(150, 100)));
    await settle();
    assert.deepEqual([descriptions, singles.length], [[null, "1"], 2]);
    verdicts.watch(shown(...numbers(150, 100)));
    await settle();
    assert.equal(descriptions.length, 2);
    // Rows that the first 1000 runs do not have.
    verdicts.watch(shown(...numbers(4000, 30)));
    for (let turn = 0; turn < 10; turn += 1) await settle();
    assert.deepEqual([descriptions.length, singles.slice(2)], [5, numbers(4000, 30).map(String)]);
    // Another listing: what was read may be old.
    verdicts.watch(shown(1, 2));
    await settle();
    verdicts.listed();
    await settle();
    assert.deepEqual([descriptions.length, singles.length], [6, 32]);
});

test("a live alert of a run without a row is read once the run has one", async (t) => {
    const { verdicts, reads, shown } = listed(t, { count: 2 });
    verdicts.listed();
    verdicts.watch(shown(0));
    await settle();
    assert.deepEqual(reads, ["0"]);
    verdicts.takeAlert("1", alert("a", "1", { severity: "critical" }));
    t.mock.timers.tick(2000);
    await settle();
    assert.deepEqual(reads, ["0"]);
    verdicts.watch(shown(0, 1));
    await settle();
    assert.deepEqual(reads, ["0", "1"]);
});

test("a removed run is skipped, and after another failure the reads pause", async (t) => {
    const statuses = { "/api/v2/runs/10": 404, "/api/v2/runs/11": 503 };
    const fails = (path) => statuses[path.replace(/.*(?=\/api)/u, "")];
    const { verdicts, singles, reads, shown } = listed(t, { count: 20, pages: 2, fails });
    verdicts.listed();
    verdicts.watch(shown(10, 11, 12));
    await settle();
    assert.deepEqual(singles, ["10", "11"]);
    verdicts.watch(shown(10, 11, 12));
    await settle();
    assert.deepEqual(singles, ["10", "11"]);
    t.mock.timers.tick(10_000);
    await settle();
    assert.deepEqual([singles, reads], [["10", "11", "12"], ["12"]]);
});

test("a live alert is shown at once, and the run's findings are read once after many", async (t) => {
    const { runs, verdicts, reads, shown } = listed(t, { critical: 1, count: 1 });
    verdicts.listed();
    verdicts.watch(shown(0));
    await settle();
    reads.length = 0;
    runs.get("0").finding = null;
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
    const { verdicts, reads, signals, shown } = listed(t);
    verdicts.watch(shown(0, 1, 2));
    verdicts.listed();
    assert.equal(signals.length, 1);
    verdicts.stop();
    assert.equal(signals[0].aborted, true);
    await settle();
    verdicts.takeAlert("0", alert("1", "1"));
    t.mock.timers.tick(10_000);
    await settle();
    assert.deepEqual(reads, []);
});
