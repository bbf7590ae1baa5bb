// How live messages reach the page: over the WebSocket, or where a proxy blocks it, as Server-Sent Events.
//
// A transport has `send(action)` with an action of `/ws`, and `close()`. It calls `onopen()`, `onmessage({ data })`
// with the text of a message, and once `onclose({ delay, text })`: the milliseconds to wait at least, and
// why, both optional.

import { serverAddress, socketAddress } from "../../server-address.js";
import { EventStream } from "./event-stream.js";

/** The WebSocket. */
export class SocketTransport {
    #socket = new WebSocket(socketAddress());

    onopen = () => {};
    onmessage = () => {};
    onclose = () => {};

    constructor() {
        this.#socket.onopen = () => this.onopen();
        this.#socket.onmessage = ({ data }) => this.onmessage({ data });
        this.#socket.onclose = () => this.onclose({});
    }

    send(action) {
        this.#socket.send(JSON.stringify(action));
    }

    close() {
        this.#socket.close();
    }
}

/** A stream without a byte for so long (milliseconds) is dead: the server sends a comment every 20 s by default. */
const SILENCE = 90_000;

/**
 * Server-Sent Events: one stream of the descriptions of all runs, and one of the steps of the selected run. A browser
 * has few connections for a server, which all its tabs share: a hidden page has no stream of descriptions.
 */
export class EventsTransport {
    #openStream;
    #readListing;
    #page;
    #clock;
    /** The streams; null where there is none. */
    #list = null;
    #run = null;
    #isOpen = false;
    #isClosed = false;
    #heardAt = 0;

    onopen = () => {};
    onmessage = () => {};
    onclose = () => {};

    /**
     * `openStream(path, handlers)` makes an `EventStream`, `readListing()` resolves to the text of the list of runs or
     * null, `page` is the document, `clock` has `now()`.
     */
    constructor({ openStream, readListing, page, clock } = {}) {
        this.#openStream = openStream ?? ((path, handlers) => new EventStream(path, handlers));
        this.#readListing = readListing ?? readListingText;
        this.#page = page ?? document;
        this.#clock = clock ?? Date;
        this.#page.addEventListener("visibilitychange", this.#turn);
        this.#openList();
    }

    send(action) {
        if (action.action === "watch") this.#closeRun();
        else if (action.action === "subscribe_run") this.#openRun(action);
        else if (action.action === "ping") this.#answerPing();
    }

    close() {
        this.#isClosed = true;
        this.#page.removeEventListener("visibilitychange", this.#turn);
        this.#list?.close();
        this.#run?.close();
    }

    #turn = () => {
        if (!this.#isOpen) return;
        if (this.#page.hidden) {
            this.#list?.close();
            this.#list = null;
        } else if (this.#list === null) this.#openList();
    };

    /** The list follows when the stream is open, so that no change is missed between the two. */
    #openList() {
        /** Messages that arrive before the list; null afterwards. */
        let waiting = [];
        const stream = this.#open("form=runs", {
            onOpen: async () => {
                const text = await this.#readListing();
                if (this.#isClosed || stream !== this.#list) return;
                if (text === null) return this.#ended({});
                if (!this.#isOpen) this.onopen();
                this.#isOpen = true;
                this.onmessage({ data: `{"type":"initial_runs","data":${text}}` });
                const missed = waiting;
                waiting = null;
                for (const data of missed) this.onmessage({ data });
            },
            onEvent: ({ data }) => {
                // The stream of the run has its resets, in order with its steps; here they may come after later steps.
                if (data === null || typeOf(data) === "reset") return;
                if (waiting === null) this.onmessage({ data });
                else waiting.push(data);
            },
            onEnd: (end) => this.#ended(end),
        });
        this.#list = stream;
    }

    /** The stream of a run, with the steps that changed after `since_seq` first. */
    #openRun({ run_id: run, form, metrics, layers, since_seq: since, created_at: createdAt, limit }) {
        this.#closeRun();
        const names = metrics.map(quoted).join(",");
        const query = new URLSearchParams({ run, form, metrics: names, layers: String(layers) });
        if (since !== undefined) {
            query.set("since_seq", String(since));
            query.set("created_at", createdAt);
            query.set("limit", String(limit));
        }
        const isResumed = since !== undefined;
        const seen = { created_at: isResumed ? createdAt : null, steps: [], last_seq: since ?? null };
        this.#run = this.#open(query.toString(), {
            onOpen: () => this.#emit({ type: "run_history", run_id: run, reset: !isResumed, data: seen }),
            onEvent: (event) => this.#runEvent(run, event),
            onEnd: (end) => {
                if (end.status !== 404) return this.#ended(end);
                this.#run = null;
                this.#emit({ type: "error", message: end.text });
            },
        });
    }

    #closeRun() {
        this.#run?.close();
        this.#run = null;
    }

    #runEvent(run, { data, id }) {
        // The server resumes this stream by itself, and the list has the other messages while it is open.
        const type = data === null ? null : typeOf(data);
        const isOfList = type !== "step" && type !== "structure" && type !== "reset" && type !== undefined;
        if (data !== null && type !== "lagged" && !(isOfList && this.#list !== null)) this.onmessage({ data });
        // The server sends steps in the order of their seq: the page has everything up to here.
        if (id !== null && /^\d+$/u.test(id)) this.#emit({ type: "position", run_id: run, seq: Number(id) });
    }

    #answerPing() {
        const isAlive = this.#clock.now() - this.#heardAt < SILENCE;
        const hasStream = this.#list !== null || this.#run !== null;
        if (isAlive || !hasStream) this.#emit({ type: "pong" });
    }

    #open(query, { onOpen, onEvent, onEnd }) {
        const heard = (action) => (event) => {
            this.#heardAt = this.#clock.now();
            action(event);
        };
        return this.#openStream(`api/v2/events?${query}`, { onOpen: heard(onOpen), onEvent: heard(onEvent), onEnd });
    }

    #emit(message) {
        this.onmessage({ data: JSON.stringify(message) });
    }

    #ended(end) {
        if (this.#isClosed) return;
        this.close();
        this.onclose(end);
    }
}

/** The type of a message, which the server writes first; undefined for a text that is none. */
function typeOf(data) {
    return /^\{"type":"(\w+)"/u.exec(data)?.[1];
}

/** A name as one item of a list in a query. */
function quoted(name) {
    return name.replace(/[\\,]/g, "\\$&");
}

async function readListingText() {
    try {
        const answer = await fetch(serverAddress("api/v1/runs"), { cache: "no-store" });
        return answer.ok ? await answer.text() : null;
    } catch {
        return null;
    }
}
