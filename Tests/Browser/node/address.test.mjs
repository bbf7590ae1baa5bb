// The state of the page in its address.

import assert from "node:assert/strict";
import test from "node:test";

import { formatAddress, isVisit, parseAddress, stepOf } from "../../../static/js/address/address.js";
import { PageAddress } from "../../../static/js/address/page-address.js";

test("a state comes back from its address, whatever its texts contain", () => {
    for (const text of ["plain", "a b", "a&b=c#d", "h.0/attn:q", "ä ö 🙂", "100%", "%41", "?x=1", "+", "__proto__", "\\,*"]) {
        const state = { run: text, step: "9223372036854775807", metric: text, first: text };
        const address = formatAddress(state);
        assert.deepEqual(parseAddress(address), state);
        // What the browser makes of it.
        assert.deepEqual(parseAddress(new URL(address, "http://h/").hash), state);
    }
});

test("layer ids stay readable", () => {
    assert.equal(formatAddress({ run: "r/7", first: "h.0/attn" }), "#run=r/7&first=h.0/attn");
});

test("what is no state is ignored", () => {
    assert.deepEqual(parseAddress(""), {});
    assert.deepEqual(parseAddress("#layers"), {});
    assert.deepEqual(parseAddress("#run=a&&x&=y&z=&bad=%ff&%ff=1&__proto__=p&run=b"), { run: "a" });
    assert.equal(formatAddress({}), "");
    assert.equal(formatAddress({ run: "a", step: undefined, metric: "", from: null }), "#run=a");
});

test("a lone surrogate does not break the address", () => {
    assert.equal(parseAddress(formatAddress({ run: "\ud800" })).run, "\ufffd");
});

test("steps are exact", () => {
    assert.equal(stepOf("12"), 12);
    assert.equal(stepOf("9223372036854775807"), 9223372036854775807n);
    for (const text of [undefined, "", "-1", "1.5", "1e3", "x", "12345678901234567890"]) assert.equal(stepOf(text), null);
});

test("another run and an opened layer are visits, other changes are not", () => {
    assert.equal(isVisit({}, { run: "a" }), false);
    assert.equal(isVisit({ run: "a" }, { run: "b" }), true);
    assert.equal(isVisit({ run: "a", step: "1" }, { run: "a", step: "2" }), false);
    assert.equal(isVisit({ run: "a" }, { run: "a", layer: "l" }), true);
    assert.equal(isVisit({ run: "a", layer: "k" }, { run: "a", layer: "l" }), true);
    assert.equal(isVisit({ run: "a", layer: "l" }, { run: "a" }), false);
    assert.equal(isVisit({}, { run: "a", layer: "l" }), false);
});

/** A browser's page of which the test holds the clock. */
function browser(hash = "") {
    const page = {
        location: { hash }, written: [], time: 0, timers: [], listeners: {},
        now: () => page.time,
        setTimeout(action, delay) {
            const timer = { action, at: page.time + delay };
            page.timers.push(timer);
            return timer;
        },
        clearTimeout: (timer) => { page.timers = page.timers.filter((other) => other !== timer); },
        addEventListener: (name, action) => { page.listeners[name] = action; },
        advance(duration) {
            page.time += duration;
            const due = page.timers.filter(({ at }) => at <= page.time);
            page.timers = page.timers.filter(({ at }) => at > page.time);
            for (const { action } of due) action();
        },
    };
    const write = (kind) => (_, __, fragment) => {
        page.written.push([kind, fragment]);
        page.location.hash = fragment;
    };
    page.history = { pushState: write("push"), replaceState: write("replace") };
    return page;
}

function part(state) {
    return { state, restored: [], restore(wanted) { this.restored.push(wanted); } };
}

test("many changes are few writes, and the last one is written", () => {
    const page = browser();
    const address = new PageAddress(page);
    const run = part({ run: "a" });
    const step = part({});
    address.add(run, step);
    for (let count = 1; count <= 500; count += 1) {
        step.state = { step: String(count) };
        address.update();
        if (count <= 20) assert.equal(page.written.length, count, "a few changes are written at once");
        page.advance(20);
    }
    page.advance(1000);
    assert.ok(page.written.length <= 20 + 10_000 / 400 + 2, `${page.written.length} writes`);
    assert.deepEqual(page.written.at(-1), ["replace", "#run=a&step=500"]);
    const { length } = page.written;
    address.update();
    page.advance(1000);
    assert.equal(page.written.length, length, "nothing changed, nothing is written");
});

test("a selected run is written at once, because a reload may follow", () => {
    const page = browser("#run=a");
    const address = new PageAddress(page);
    const run = part({ run: "a" });
    const step = part({ step: "1" });
    address.add(run, step);
    for (let count = 1; count <= 21; count += 1) {
        step.state = { step: String(count) };
        address.update();
    }
    step.state = { step: "2" };
    address.update();
    run.state = { run: "b" };
    address.update();
    page.advance(1000);
    assert.deepEqual(page.written.slice(-2), [["replace", "#run=a&step=20"], ["push", "#run=b&step=2"]]);
});

test("a selected run is pushed, and Back restores every part in order", () => {
    const page = browser("#run=a&step=3");
    const address = new PageAddress(page);
    const parts = [part({ run: "b" }), part({})];
    address.add(...parts);
    address.update();
    assert.deepEqual(page.written, [["push", "#run=b"]]);
    page.location.hash = "#run=a&step=3";
    page.listeners.popstate();
    assert.deepEqual(parts.map(({ restored }) => restored), [[{ run: "a", step: "3" }], [{ run: "a", step: "3" }]]);
    // The target of a link in the page.
    page.location.hash = "#layers";
    page.listeners.popstate();
    assert.equal(parts[0].restored.length, 1);
});
