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
