// The messages of `/ws`, in both directions.

import { parseExact } from "./exact-json.js";

/** Asks for a run's whole history; later steps follow as `new_metrics`. */
export function subscribeRun(runId) {
    return JSON.stringify({ action: "subscribe_run", run_id: runId });
}

export function ping() {
    return JSON.stringify({ action: "ping" });
}

/** A message of the server, or null for text that is no object with a type (nothing to act on). */
export function parseMessage(text) {
    let message;
    try {
        message = parseExact(text);
    } catch {
        return null;
    }
    return typeof message?.type === "string" ? message : null;
}

/** True for the error that answers `subscribe_run` of a run the server does not hold. */
export function isRunNotFound(message, runId) {
    return message.type === "error" && message.message === `Run '${runId}' not found`;
}
