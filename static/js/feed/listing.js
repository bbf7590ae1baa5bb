// Reads over HTTP: the list of runs, which the WebSocket sends only once, and the server's limits.

import { read, requireMembers } from "./read.js";

/** `{ listing, clockOffset, requestedAt }` (milliseconds), or null if the request failed. */
export async function fetchListing() {
    const requestedAt = Date.now();
    try {
        const { value: listing, answer } = await read("api/v1/runs", { what: "the list of runs" });
        return { listing, clockOffset: clockOffsetOf(answer, requestedAt), requestedAt };
    } catch {
        return null;
    }
}

/**
 * `{ limits, clockOffset }`: the server's maximum numbers of runs and of steps of a run, `{ runs, stepsPerRun }`, and
 * the milliseconds to add to its time; null if the request failed.
 */
export async function fetchHealth() {
    const requestedAt = Date.now();
    try {
        const parse = (text) => requireMembers(JSON.parse(text), { max_runs: "number", max_steps_per_run: "number" });
        const { value, answer } = await read("health", { what: "the limits of the server", parse });
        const limits = { runs: value.max_runs, stepsPerRun: value.max_steps_per_run };
        return { limits, clockOffset: clockOffsetOf(answer, requestedAt) };
    } catch {
        return null;
    }
}

/** Milliseconds to add to a time of the server to get one of this browser. Below two seconds they are noise. */
function clockOffsetOf(answer, requestedAt) {
    const serverTime = Date.parse(answer.headers.get("Date") ?? "");
    if (Number.isNaN(serverTime)) return 0;
    // `Date` has whole seconds, so half a second is the best estimate of the fraction.
    const offset = (requestedAt + Date.now()) / 2 - (serverTime + 500);
    return Math.abs(offset) < 2000 ? 0 : offset;
}
