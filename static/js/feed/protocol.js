// The messages of `/ws`, in both directions.

import { parseExact } from "./exact-json.js";

/** Requests a run's whole history; later steps follow as `new_metrics`. */
export function subscribeRun(runId) {
    return JSON.stringify({ action: "subscribe_run", run_id: runId });
}

export function ping() {
    return JSON.stringify({ action: "ping" });
}

/** Parses a message of the server; null if the text is not an object with a type. */
export function parseMessage(text) {
    let message;
    try {
        message = parseExact(text);
    } catch {
        return null;
    }
    return typeof message?.type === "string" ? message : null;
}

/** Whether this is the error for `subscribe_run` with a run that the server does not have. */
export function isRunNotFound(message, runId) {
    return message.type === "error" && message.message === `Run '${runId}' not found`;
}
