// Server-Sent Events: their parser, and the transport that they make.

import assert from "node:assert/strict";
import test from "node:test";

import { EventParser } from "../../../static/js/feed/transport/event-parser.js";
import { Fallback } from "../../../static/js/feed/transport/fallback.js";
import { subscribeRun, watchRuns } from "../../../static/js/feed/protocol.js";
import { EventsTransport } from "../../../static/js/feed/transport/transports.js";

const TEXT = "\uFEFF: hello\n\ndata: {\"a\":1}\nid: 7\n\nid: 8\n\nevent: x\ndata:one\r\ndata: two\r\n\r\ndata: cut";

test("events are the same however the text is cut", () => {
    const whole = new EventParser().push(TEXT);
    assert.deepEqual(whole, [
        { data: null, id: null }, { data: '{"a":1}', id: "7" }, { data: null, id: "8" }, { data: "one\ntwo", id: null },
    ]);
    for (let size = 1; size < TEXT.length; size += 1) {
        const parser = new EventParser();
        const events = [];
        for (let begin = 0; begin < TEXT.length; begin += size) events.push(...parser.push(TEXT.slice(begin, begin + size)));
        assert.deepEqual(events, whole, `pieces of ${size}`);
    }
});

test("lines may end with CR alone", () => {
    const parser = new EventParser();
    assert.deepEqual(parser.push("data: a\r\rdata: b\r\rx"), [{ data: "a", id: null }, { data: "b", id: null }]);
});

/** A transport whose streams the test feeds. */
function started() {
    const streams = [];
    const messages = [];
    const calls = [];
    const page = { hidden: false, addEventListener(_, action) { page.turn = action; }, removeEventListener() {} };
    const clock = { time: 0, now: () => clock.time };
    const listing = { text: "{}" };
    const transport = new EventsTransport({
        openStream: (path, handlers) => {
            const stream = { path, ...handlers, isClosed: false, close() { stream.isClosed = true; } };
            streams.push(stream);
            return stream;
        },
        readListing: async () => listing.text, page, clock,
    });
    transport.onopen = () => calls.push("open");
    transport.onmessage = ({ data }) => messages.push(JSON.parse(data));
    transport.onclose = (end) => calls.push(end);
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const query = (stream) => Object.fromEntries(new URL(stream.path, "http://h/").searchParams);
    return { transport, streams, messages, calls, page, clock, listing, settle, query };
}

test("the list comes first, and what changed meanwhile after it", async () => {
    const { streams, messages, calls, settle, query, listing } = started();
    listing.text = '{"r":{"step_count":9007199254740993}}';
    assert.deepEqual(query(streams[0]), { form: "runs" });
    streams[0].onOpen();
    streams[0].onEvent({ data: '{"type":"run","run_id":"r"}', id: null });
    // The stream of the run has it in order with the steps.
    streams[0].onEvent({ data: '{"type":"reset","run_id":"r","from_step":3}', id: null });
    assert.deepEqual(messages, []);
    await settle();
    assert.deepEqual(calls, ["open"]);
    assert.deepEqual(messages.map(({ type }) => type), ["initial_runs", "run"]);
});

test("a run is followed from the next step on, or from a seq, and positions pass gaps", async () => {
    const { transport, streams, messages, settle, query } = started();
    streams[0].onOpen();
    await settle();
    transport.send(watchRuns());
    transport.send(subscribeRun("a,b", ["activation_std", "b,c"]));
    const { metrics, ...first } = query(streams[1]);
    assert.deepEqual(first, { run: "a,b", form: "columns", layers: "false" });
    assert.equal(metrics, "activation_std,b\\,c");
    messages.length = 0;
    streams[1].onOpen();
    assert.deepEqual(messages, [
        { type: "run_history", run_id: "a,b", reset: true, data: { created_at: null, steps: [], last_seq: null } }]);
    transport.send(watchRuns());
    assert.equal(streams[1].isClosed, true);
    transport.send(subscribeRun("r", ["a"], { sinceSeq: 5, createdAt: "t", limit: 9 }));
    const { since_seq: since, created_at: createdAt, limit } = query(streams[2]);
    assert.deepEqual({ since, createdAt, limit }, { since: "5", createdAt: "t", limit: "9" });
    messages.length = 0;
    streams[2].onOpen();
    streams[2].onEvent({ data: '{"type":"step","run_id":"r","seq":8}', id: "8" });
    streams[2].onEvent({ data: null, id: "9" });
    // The list has these already, and the server resumes by itself.
    for (const type of ["run", "alert", "lagged"]) streams[2].onEvent({ data: `{"type":"${type}"}`, id: null });
    assert.deepEqual(messages.map(({ type, reset, seq }) => [type, reset, seq]), [
        ["run_history", false, undefined], ["step", undefined, 8], ["position", undefined, 8], ["position", undefined, 9]]);
});

test("a run that does not exist is an error message, any other end closes the transport", async () => {
    const { transport, streams, messages, calls, settle } = started();
    streams[0].onOpen();
    await settle();
    transport.send(subscribeRun("r", ["a"]));
    messages.length = 0;
    streams[1].onEnd({ status: 404, delay: 0, text: "Run 'r' not found" });
    assert.deepEqual(messages, [{ type: "error", message: "Run 'r' not found" }]);
    transport.send(subscribeRun("r", ["a"]));
    streams[2].onEnd({ status: 503, delay: 4000, text: "full" });
    assert.deepEqual(calls, ["open", { status: 503, delay: 4000, text: "full" }]);
    assert.equal(streams[0].isClosed, true);
    streams[0].onEnd({});
    assert.equal(calls.length, 2, "the end is reported once");
});

test("a hidden page has no stream of descriptions, and reads the list when it is shown again", async () => {
    const { streams, messages, page, settle } = started();
    streams[0].onOpen();
    await settle();
    page.hidden = true;
    page.turn();
    assert.equal(streams[0].isClosed, true);
    page.hidden = false;
    page.turn();
    messages.length = 0;
    streams[1].onOpen();
    await settle();
    assert.deepEqual(messages.map(({ type }) => type), ["initial_runs"]);
});

test("a stream without a comment of the server is dead", async () => {
    const { transport, streams, messages, clock, settle } = started();
    streams[0].onOpen();
    await settle();
    messages.length = 0;
    clock.time = 89_000;
    transport.send({ action: "ping" });
    assert.deepEqual(messages, [{ type: "pong" }]);
    streams[0].onEvent({ data: null, id: null });
    clock.time = 178_000;
    transport.send({ action: "ping" });
    assert.equal(messages.length, 2);
    clock.time = 180_000;
    transport.send({ action: "ping" });
    assert.equal(messages.length, 2);
});

test("events are used after two blocked sockets, and the socket is tried less and less often", () => {
    const fallback = new Fallback();
    fallback.socketFailed();
    assert.equal(fallback.isActive, false);
    fallback.socketWorks();
    fallback.socketFailed();
    assert.equal(fallback.isActive, false);
    fallback.socketFailed();
    assert.equal(fallback.isActive, true);
    const delays = [];
    for (let probe = 0; probe < 6; probe += 1) {
        delays.push(fallback.probeDelay / 60_000);
        fallback.probeFailed();
    }
    assert.deepEqual(delays, [1, 2, 4, 8, 10, 10]);
    fallback.socketWorks();
    assert.equal(fallback.isActive, false);
});
