"""The feed without the DOM: connecting, waiting and giving up, with a simulated clock."""

FEED = """
const { Feed, Phase } = await import("/static/js/feed/feed.js");
const { Backoff } = await import("/static/js/feed/backoff.js");
const clock = {
    time: 0, timers: new Map(), last: 0,
    now() { return this.time; },
    setTimeout(action, delay) { this.timers.set(++this.last, { at: this.time + delay, action }); return this.last; },
    clearTimeout(id) { this.timers.delete(id); },
    advance(duration) {
        const end = this.time + duration;
        for (;;) {
            const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
            if (due === undefined) break;
            this.timers.delete(due[0]);
            this.time = due[1].at;
            due[1].action();
        }
        this.time = end;
    },
};
const sockets = [], messages = [], phases = [], unreadable = [];
let opened = 0, session = { retry: true };
const feed = new Feed({
    openSocket: () => { const socket = { sent: [], send(text) { this.sent.push(text); }, close() { this.isClosed = true; } }; sockets.push(socket); return socket; },
    backoff: new Backoff({ base: 1000, cap: 8000, random: () => 1 }),
    clock, checkSession: async () => session,
    handlers: { onState: (state) => phases.push(state.phase), onOpen: () => { opened += 1; }, onMessage: (m) => messages.push(m), onUnreadable: (text) => unreadable.push(text) },
});
const settle = () => new Promise((resolve) => setTimeout(resolve));
"""


def test_backoff_doubles_with_jitter_up_to_its_cap(run):
    assert run("""
        const { Backoff } = await import("/static/js/feed/backoff.js");
        const delays = (random) => { const b = new Backoff({ base: 500, cap: 4000, random }); return [1, 2, 3, 4, 5].map(() => b.next()); };
        const many = new Backoff({ random: () => 0.5 });
        for (let n = 0; n < 5000; n += 1) many.next();
        return [delays(() => 0), delays(() => 1), many.next()];
    """) == [[250, 500, 1000, 2000, 2000], [500, 1000, 2000, 4000, 4000], 22500]


def test_the_feed_opens_again_after_longer_and_longer_waits(run):
    assert run(FEED + """
        feed.start();
        const waits = [];
        for (let n = 0; n < 5; n += 1) {
            sockets.at(-1).onclose({});
            waits.push(feed.state.until - clock.time);
            await settle();
            clock.advance(waits.at(-1));
        }
        return [waits, sockets.length, feed.state.phase];
    """) == [[1000, 2000, 4000, 8000, 8000], 6, "connecting"]


def test_only_a_connection_that_lasted_starts_the_backoff_over(run):
    assert run(FEED + """
        feed.start();
        const waits = [];
        for (const lasted of [0, 1000, 6000, 0]) {
            sockets.at(-1).onopen({});
            clock.advance(lasted);
            sockets.at(-1).onclose({});
            waits.push(feed.state.until - clock.time);
            await settle();
            clock.advance(waits.at(-1));
        }
        return [waits, opened];
    """) == [[1000, 2000, 1000, 2000], 4]


def test_a_silent_connection_is_asked_and_given_up_without_an_answer(run):
    assert run(FEED + """
        feed.start();
        const first = sockets[0];
        first.onopen({});
        clock.advance(20000);
        const asked = [...first.sent];
        first.onmessage({ data: '{"type":"pong"}' });
        clock.advance(19999);
        const stillOpen = feed.state.phase;
        clock.advance(1 + 10000);
        return [asked, stillOpen, feed.state.phase, first.isClosed];
    """) == [[{"action": "ping"}], "open", "waiting", True]


def test_an_abandoned_socket_is_not_listened_to(run):
    assert run(FEED + """
        feed.start();
        sockets[0].onopen({});
        sockets[0].onclose({});
        feed.retryNow();
        await settle();
        sockets[0].onmessage({ data: '{"type":"pong"}' });
        sockets[0].onclose({});
        sockets[1].onopen({});
        sockets[1].onmessage({ data: "no JSON" });
        sockets[1].onmessage({ data: '{"type":"new_metrics"}' });
        return [sockets.length, messages, unreadable, feed.state.phase];
    """) == [2, [{"type": "new_metrics"}], ["no JSON"], "open"]


def test_an_ended_session_stops_the_attempts_and_a_limit_is_waited_for(run):
    assert run(FEED + """
        feed.start();
        session = { retry: true, delay: 60000 };
        sockets[0].onclose({});
        await settle();
        const limited = feed.state.until - clock.time;
        clock.advance(60000);
        session = { retry: false };
        sockets[1].onclose({});
        await settle();
        clock.advance(1000000);
        return [limited, feed.state.phase, sockets.length, feed.send("x")];
    """) == [60000, "stopped", 2, False]


def test_messages_that_are_none_are_told_apart(run):
    assert run("""
        const { parseMessage, isRunNotFound, subscribeRun } = await import("/static/js/feed/protocol.js");
        return [["", "[]", "null", "7", '{"a":1}', '{"type":1}'].map(parseMessage),
            isRunNotFound({ type: "error", message: "Run 'it's' not found" }, "it's"),
            isRunNotFound({ type: "error", message: "Run 'a' not found" }, "b"),
            subscribeRun('quo"te').run_id];
    """) == [[None] * 6, True, False, 'quo"te']


# A feed that may use events: `kinds` has the transports in the order in which they were made.
FALLBACK = FEED + """
const kinds = [], transports = [];
const made = (kind) => () => {
    const transport = { kind, sent: [], send(action) { this.sent.push(action); }, close() { this.isClosed = true; } };
    kinds.push(kind);
    transports.push(transport);
    return transport;
};
session = { retry: true, isReachable: true };
const both = new Feed({
    openSocket: made("socket"), openEvents: made("events"), clock, checkSession: async () => session,
    backoff: new Backoff({ base: 1000, cap: 8000, random: () => 1 }),
    handlers: { onState() {}, onOpen() { opened += 1; }, onMessage: (m) => messages.push(m.type), onUnreadable: (text) => unreadable.push(text) },
});
const fail = async (end = {}) => {
    transports.at(-1).onclose(end);
    await settle();
    clock.advance(both.state.until - clock.time);
};
"""


def test_events_are_used_after_two_blocked_sockets_while_the_server_answers(run):
    assert run(FALLBACK + """
        both.start();
        session = { retry: true, isReachable: false };
        for (let n = 0; n < 3; n += 1) await fail();
        session = { retry: true, isReachable: true };
        for (let n = 0; n < 2; n += 1) await fail();
        transports.at(-1).onopen();
        return [kinds, both.state.phase, both.state.isFallback];
    """) == [["socket"] * 5 + ["events"], "open", True]


def test_a_socket_that_opens_and_brings_nothing_is_blocked_and_one_that_hangs_is_too(run):
    assert run(FALLBACK + """
        both.start();
        transports[0].onopen();
        await fail();
        clock.advance(20000);
        await settle();
        clock.advance(both.state.until - clock.time);
        return kinds;
    """) == ["socket", "socket", "events"]


def test_the_socket_is_tried_beside_the_events_and_takes_over_with_its_first_message(run):
    assert run(FALLBACK + """
        both.start();
        for (let n = 0; n < 2; n += 1) await fail();
        const events = transports.at(-1);
        events.onopen();
        const wait = (time) => { for (let n = 0; n < time; n += 10000) { clock.advance(10000); events.onmessage({ data: '{"type":"pong"}' }); } };
        wait(60000);
        transports.at(-1).onclose({});
        const afterOne = [kinds.length, both.state.isFallback, events.isClosed];
        wait(120000);
        const socket = transports.at(-1);
        socket.onopen?.();
        const beforeMessage = both.state.isFallback;
        socket.onmessage({ data: '{"type":"initial_runs"}' });
        both.send("action");
        return [kinds, afterOne, beforeMessage, both.state.isFallback, events.isClosed, socket.sent, messages.at(-1), opened];
    """) == [["socket", "socket", "events", "socket", "socket"], [4, True, None], True, False, True, ["action"],
             "initial_runs", 2]


def test_where_events_fail_too_both_are_tried_in_turn_and_the_reason_is_kept(run):
    assert run(FALLBACK + """
        both.start();
        for (let n = 0; n < 2; n += 1) await fail();
        transports.at(-1).onclose({ delay: 30000, text: "full" });
        await settle();
        const waited = both.state.until - clock.time;
        clock.advance(30000);
        await fail();
        return [kinds, waited, both.state.text];
    """) == [["socket", "socket", "events", "socket", "events"], 30000, "full"]


def test_a_message_that_the_page_cannot_take_is_reported(run):
    assert run(FEED + """
        const failing = new Feed({
            openSocket: () => (sockets.push({ send() {}, close() {} }), sockets.at(-1)), backoff: new Backoff(), clock,
            checkSession: async () => session,
            handlers: { onState() {}, onOpen() {}, onMessage(m) { m.data.step; }, onUnreadable: (text, error) => unreadable.push([text, error.name]) },
        });
        failing.start();
        sockets[0].onopen();
        sockets[0].onmessage({ data: '{"type":"step"}' });
        return [unreadable, failing.state.phase];
    """) == [[['{"type":"step"}', "TypeError"]], "open"]
