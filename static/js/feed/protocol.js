// The messages of `/ws`, in both directions. Actions are objects; the transport writes them.

import { parseExact } from "./exact-json.js";

/** From now on: descriptions of all runs as they change, and no steps. */
export function watchRuns() {
    return { action: "watch", run_ids: null, form: "runs" };
}

/**
 * Adds the live steps of a run, with the metrics that are in view and without their layers.
 * With `resume`, `{ sinceSeq, createdAt, limit }`, the steps that changed since come first, at most `limit`.
 */
export function subscribeRun(runId, metrics, resume = null) {
    const message = { action: "subscribe_run", run_id: runId, form: "columns", metrics, layers: false };
    if (resume === null) return { ...message, limit: 0 };
    const { sinceSeq, createdAt, limit } = resume;
    return { ...message, since_seq: sinceSeq, created_at: createdAt, limit };
}

export function ping() {
    return { action: "ping" };
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
