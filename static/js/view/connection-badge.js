// The state of the connection as text. Seconds count down on screen; a screen reader reads only changes of the state.

import { Phase } from "../feed/feed.js";
import { element, setAttribute, setHidden, setText } from "./dom.js";

const FALLBACK = "The WebSocket does not open, probably because of a proxy: the page uses Server-Sent Events, and tries the "
    + "WebSocket again now and then.";

export class ConnectionBadge {
    #badge = element("connection");
    #text = element("connection-text");
    #status = element("connection-status");
    #retry = element("retry");

    constructor(onRetry) {
        this.#retry.addEventListener("click", onRetry);
    }

    /** `hasOutage`: the line over the run has the button already. */
    show(state, isPaused, now, hasOutage = false) {
        const { name, text } = wording(state, isPaused, now);
        setAttribute(this.#badge, "title", state.isFallback ? FALLBACK : "");
        setAttribute(this.#badge, "data-state", name);
        setText(this.#text, text);
        setText(this.#status, state.phase === Phase.open ? text : name);
        setHidden(this.#retry, hasOutage || state.phase !== Phase.waiting);
    }
}

function wording(state, isPaused, now) {
    switch (state.phase) {
        case Phase.connecting:
            return { name: "connecting", text: "connecting" };
        case Phase.open:
            // The connection of a page that shows an earlier step is the same; steps are still received.
            return { name: isPaused ? "paused" : "live", text: state.isFallback ? "connected over SSE" : "connected" };
        case Phase.waiting: {
            const seconds = Math.max(0, Math.ceil((state.until - now) / 1000));
            return { name: "reconnecting", text: `reconnecting in ${seconds} s` };
        }
        default:
            return { name: "stopped", text: "not connected" };
    }
}
