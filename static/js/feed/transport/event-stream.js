// One stream of Server-Sent Events. It is read with fetch, because EventSource hides the status of a refusal.

import { serverAddress } from "../../server-address.js";
import { EventParser } from "./event-parser.js";

export class EventStream {
    #abort = new AbortController();

    /**
     * Opens a stream at a path of the server. `handlers`: `onOpen()`, `onEvent({ data, id })`, and `onEnd(end)` once,
     * `end` as `{ status, delay, text }`: the status of a refusal or null, the milliseconds to wait at least before the
     * next attempt, and the reason in words or "".
     */
    constructor(path, handlers) {
        this.#read(path, handlers);
    }

    /** Ends the stream without `onEnd`. */
    close() {
        this.#abort.abort();
    }

    async #read(path, { onOpen, onEvent, onEnd }) {
        const { signal } = this.#abort;
        let end = { status: null, delay: 0, text: "" };
        try {
            const headers = { Accept: "text/event-stream" };
            const answer = await fetch(serverAddress(path), { cache: "no-store", headers, signal });
            const type = answer.headers.get("Content-Type") ?? "";
            if (!answer.ok) end = await refusalOf(answer);
            else if (!type.startsWith("text/event-stream")) {
                end.text = `the answer to GET ${path.split("?")[0]} is ${type || "untyped"}`;
            } else {
                onOpen();
                const parser = new EventParser();
                const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
                for (;;) {
                    const { done, value } = await reader.read();
                    if (done || signal.aborted) break;
                    for (const event of parser.push(value)) if (!signal.aborted) onEvent(event);
                }
            }
        } catch {
            // The connection was cut, or never made.
        }
        if (!signal.aborted) onEnd(end);
    }
}

/** The reason of a refusal, and how long the server wants to be left alone. */
async function refusalOf(answer) {
    const seconds = Number(answer.headers.get("Retry-After") ?? 0);
    const body = await answer.json().catch(() => null);
    const text = body?.detail?.message ?? `the server answered with status ${answer.status}`;
    const isFull = answer.status === 503 && text.includes("subscribers");
    return {
        status: answer.status,
        delay: Number.isFinite(seconds) ? seconds * 1000 : 0,
        text: isFull ? `${text}. Close pages that are not needed, or raise the limit (MAX_SUBSCRIBERS)` : text,
    };
}
