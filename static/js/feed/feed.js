// The live connection: opens the WebSocket, detects that it is dead, and reopens it.
// It does not use the DOM; the socket, the clock and the session check are parameters.

import { parseMessage, ping } from "./protocol.js";

/** Phases of `Feed.state`: `{ phase, until }`, `until` (clock milliseconds) only while waiting. */
export const Phase = Object.freeze({
    connecting: "connecting",
    open: "open",
    waiting: "waiting",
    stopped: "stopped",
});

export class Feed {
    #openSocket;
    #backoff;
    #clock;
    #checkSession;
    #handlers;
    #times;
    #socket = null;
    #timer = null;
    #openedAt = 0;
    #generation = 0;

    state = { phase: Phase.stopped };

    /**
     * @param openSocket makes a socket with the interface of WebSocket
     * @param backoff a `Backoff`
     * @param clock `{ now, setTimeout, clearTimeout }`
     * @param checkSession async; resolves to `{ retry: true, delay? }` (milliseconds at least) or `{ retry: false }`
     * @param handlers `{ onState(state), onOpen(), onMessage(message), onUnreadable(text) }`
     * @param times milliseconds: `quiet` without a message before a ping is sent, `answer` to wait for its pong,
     *   `stable` a connection must have lasted for the backoff to start over
     */
    constructor({ openSocket, backoff, clock, checkSession, handlers, times = {} }) {
        this.#openSocket = openSocket;
        this.#backoff = backoff;
        this.#clock = clock;
        this.#checkSession = checkSession;
        this.#handlers = handlers;
        this.#times = { quiet: 20_000, answer: 10_000, stable: 5_000, ...times };
    }

    start() {
        this.#connect();
    }

    /** Connects at once if waiting for the next attempt. */
    retryNow() {
        if (this.state.phase === Phase.waiting) this.#connect();
    }

    stop() {
        this.#abandonSocket();
        this.#enter({ phase: Phase.stopped });
    }

    /** Sends a message if connected; returns whether it was sent. */
    send(text) {
        if (this.state.phase !== Phase.open) return false;
        this.#socket.send(text);
        return true;
    }

    #connect() {
        this.#abandonSocket();
        const generation = this.#generation;
        const current = (action) => (event) => {
            if (generation === this.#generation) action(event);
        };
        const socket = this.#openSocket();
        this.#socket = socket;
        socket.onopen = current(() => this.#opened());
        socket.onmessage = current((event) => this.#received(event.data));
        socket.onclose = current(() => this.#closed());
        this.#enter({ phase: Phase.connecting });
    }

    #opened() {
        this.#openedAt = this.#clock.now();
        this.#enter({ phase: Phase.open });
        this.#awaitMessage();
        this.#handlers.onOpen();
    }

    #received(text) {
        this.#awaitMessage();
        const message = parseMessage(text);
        if (message !== null) this.#handlers.onMessage(message);
        else this.#handlers.onUnreadable(text);
    }

    /** Pings after a quiet time and reconnects without a response: a half-open connection reports no error. */
    #awaitMessage() {
        this.#setTimer(this.#times.quiet, () => {
            this.#socket.send(ping());
            this.#setTimer(this.#times.answer, () => this.#closed());
        });
    }

    async #closed() {
        const wasStable = this.state.phase === Phase.open && this.#clock.now() - this.#openedAt >= this.#times.stable;
        if (wasStable) this.#backoff.reset();
        this.#abandonSocket();
        const generation = this.#generation;
        const delay = this.#backoff.next();
        this.#wait(delay);
        const answer = await this.#checkSession();
        if (generation !== this.#generation) return;
        if (!answer.retry) this.stop();
        else if ((answer.delay ?? 0) > delay) this.#wait(answer.delay);
    }

    #wait(delay) {
        this.#enter({ phase: Phase.waiting, until: this.#clock.now() + delay });
        this.#setTimer(delay, () => this.#connect());
    }

    /** Ignores all later events of the current socket and timer. */
    #abandonSocket() {
        this.#generation += 1;
        this.#clock.clearTimeout(this.#timer);
        const socket = this.#socket;
        this.#socket = null;
        socket?.close();
    }

    #setTimer(delay, action) {
        this.#clock.clearTimeout(this.#timer);
        const generation = this.#generation;
        this.#timer = this.#clock.setTimeout(() => {
            if (generation === this.#generation) action();
        }, delay);
    }

    #enter(state) {
        this.state = state;
        this.#handlers.onState(state);
    }
}
