// When the page uses Server-Sent Events instead of the WebSocket.

/** Attempts of the WebSocket that must fail in a row, while the server answers over HTTP. */
const ATTEMPTS = 2;
/** Time to the next attempt of the WebSocket while events are used (milliseconds); it doubles up to the longest. */
const FIRST_PROBE = 60_000;
const LONGEST_PROBE = 600_000;

export class Fallback {
    #failures = 0;
    #probes = 0;

    /** Whether to connect with events. */
    get isActive() {
        return this.#failures >= ATTEMPTS;
    }

    /** Milliseconds to the next attempt of the WebSocket while events are used. */
    get probeDelay() {
        return Math.min(LONGEST_PROBE, FIRST_PROBE * 2 ** this.#probes);
    }

    /** A WebSocket brought a message. */
    socketWorks() {
        this.#failures = 0;
        this.#probes = 0;
    }

    /** A WebSocket closed without a message, although the server answers over HTTP. */
    socketFailed() {
        this.#failures += 1;
    }

    /** An attempt of the WebSocket beside the events failed. */
    probeFailed() {
        this.#probes = Math.min(this.#probes + 1, 10);
    }
}
