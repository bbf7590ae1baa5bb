// The live connection: opens the WebSocket, detects that it is dead, and reopens it. Where the WebSocket is blocked, it
// uses Server-Sent Events and tries the WebSocket again now and then.
// It does not use the DOM; the transports (see transports.js), the clock and the session check are parameters.

import { Fallback } from "./transport/fallback.js";
import { Phase } from "./phase.js";
import { parseMessage, ping } from "./protocol.js";

export { Phase };

export class Feed {
    #openSocket;
    #openEvents;
    #backoff;
    #clock;
    #checkSession;
    #handlers;
    #times;
    #fallback = new Fallback();
    #transport = null;
    #isFallback = false;
    /** A WebSocket that is tried while events are used, or null. */
    #probed = null;
    #probeTimer = null;
    #timer = null;
    #openedAt = 0;
    #hasReceived = false;
    #lostAt = null;
    #refusal = "";
    #generation = 0;

    state = { phase: Phase.stopped };

    /**
     * @param openSocket makes the transport over the WebSocket
     * @param openEvents makes the transport over Server-Sent Events; without, only the WebSocket is used
     * @param backoff a `Backoff`
     * @param clock `{ now, setTimeout, clearTimeout }`
     * @param checkSession async; resolves to `{ retry: true, isReachable, delay? }` (milliseconds at least) or
     *   `{ retry: false, reason }`
     * @param handlers `{ onState(state), onOpen(), onMessage(message), onUnreadable(text, error?) }`
     * @param times milliseconds: `opening` an attempt may take, `quiet` without a message before a ping is sent,
     *   `answer` to wait for its pong, `stable` a connection must have lasted for the backoff to start over
     */
    constructor({ openSocket, openEvents = null, backoff, clock, checkSession, handlers, times = {} }) {
        this.#openSocket = openSocket;
        this.#openEvents = openEvents;
        this.#backoff = backoff;
        this.#clock = clock;
        this.#checkSession = checkSession;
        this.#handlers = handlers;
        this.#times = { opening: 20_000, quiet: 20_000, answer: 10_000, stable: 5_000, ...times };
    }

    start() {
        this.#connect();
    }

    /** Connects at once if waiting for the next attempt. */
    retryNow() {
        if (this.state.phase === Phase.waiting) this.#connect();
    }

    stop(reason = null) {
        this.#abandonTransport();
        this.#enter({ phase: Phase.stopped, reason });
    }

    /** Sends an action if connected; returns whether it was sent. */
    send(action) {
        if (this.state.phase !== Phase.open) return false;
        this.#transport.send(action);
        return true;
    }

    #connect() {
        this.#abandonTransport();
        // Where the events fail too, both are tried in turn.
        const haveEventsFailed = this.#isFallback && !this.#hasReceived;
        this.#isFallback = this.#openEvents !== null && this.#fallback.isActive && !haveEventsFailed;
        this.#use(this.#isFallback ? this.#openEvents() : this.#openSocket());
        this.#enter({ phase: Phase.connecting });
        this.#setTimer(this.#times.opening, () => this.#closed());
    }

    /** Takes the events of this transport, as long as it is not abandoned. */
    #use(transport) {
        const generation = this.#generation;
        const current = (action) => (event) => {
            if (generation === this.#generation) action(event);
        };
        this.#transport = transport;
        this.#hasReceived = false;
        transport.onopen = current(() => this.#opened());
        transport.onmessage = current((event) => this.#received(event.data));
        transport.onclose = current((event) => this.#closed(event));
    }

    #opened() {
        this.#openedAt = this.#clock.now();
        this.#lostAt = null;
        this.#refusal = "";
        this.#enter({ phase: Phase.open });
        this.#awaitMessage();
        if (this.#isFallback) this.#probeLater();
        this.#handlers.onOpen();
    }

    #received(text) {
        this.#awaitMessage();
        this.#hasReceived = true;
        if (!this.#isFallback) this.#fallback.socketWorks();
        const message = parseMessage(text);
        if (message === null) return this.#handlers.onUnreadable(text);
        try {
            this.#handlers.onMessage(message);
        } catch (error) {
            this.#handlers.onUnreadable(text, error);
        }
    }

    /** Pings after a quiet time and reconnects without a response: a half-open connection reports no error. */
    #awaitMessage() {
        this.#setTimer(this.#times.quiet, () => {
            // Before, because the transport may answer at once.
            this.#setTimer(this.#times.answer, () => this.#closed());
            this.#transport.send(ping());
        });
    }

    async #closed({ delay: wanted = 0, text = "" } = {}) {
        const wasOpen = this.state.phase === Phase.open;
        if (wasOpen && this.#clock.now() - this.#openedAt >= this.#times.stable) this.#backoff.reset();
        if (wasOpen) this.#lostAt = this.#clock.now();
        // A WebSocket has no reason, and the one of the events still holds.
        if (this.#isFallback) this.#refusal = text;
        const isBlocked = !this.#isFallback && !this.#hasReceived;
        this.#abandonTransport();
        const generation = this.#generation;
        const delay = Math.max(wanted, this.#backoff.next());
        this.#wait(delay);
        const answer = await this.#checkSession();
        if (answer.retry && answer.isReachable && isBlocked) this.#fallback.socketFailed();
        if (generation !== this.#generation) return;
        if (!answer.retry) this.stop(answer.reason);
        else if ((answer.delay ?? 0) > delay) this.#wait(answer.delay);
    }

    #wait(delay) {
        this.#enter({ phase: Phase.waiting, until: this.#clock.now() + delay });
        this.#setTimer(delay, () => this.#connect());
    }

    #probeLater() {
        this.#clock.clearTimeout(this.#probeTimer);
        this.#probeTimer = this.#clock.setTimeout(() => this.#probe(), this.#fallback.probeDelay);
    }

    /** Tries the WebSocket beside the events, and changes to it with its first message. */
    #probe() {
        const socket = this.#openSocket();
        this.#probed = socket;
        const end = () => {
            if (socket !== this.#probed) return;
            this.#fallback.probeFailed();
            this.#endProbe();
            this.#probeLater();
        };
        this.#probeTimer = this.#clock.setTimeout(end, this.#times.opening);
        socket.onclose = end;
        socket.onmessage = ({ data }) => {
            if (socket !== this.#probed) return;
            this.#probed = null;
            this.#abandonTransport();
            this.#isFallback = false;
            this.#use(socket);
            this.#opened();
            this.#received(data);
        };
    }

    #endProbe() {
        this.#clock.clearTimeout(this.#probeTimer);
        const socket = this.#probed;
        this.#probed = null;
        socket?.close();
    }

    /** Ignores all later events of the current transport and timers. */
    #abandonTransport() {
        this.#generation += 1;
        this.#clock.clearTimeout(this.#timer);
        this.#endProbe();
        const transport = this.#transport;
        this.#transport = null;
        transport?.close();
    }

    #setTimer(delay, action) {
        this.#clock.clearTimeout(this.#timer);
        const generation = this.#generation;
        this.#timer = this.#clock.setTimeout(() => {
            if (generation === this.#generation) action();
        }, delay);
    }

    #enter(state) {
        this.state = { ...state, isFallback: this.#isFallback, lostAt: this.#lostAt, text: this.#refusal };
        this.#handlers.onState(this.state);
    }
}
