// Reads over HTTP: the list of runs, which the WebSocket sends only once, and the server's limits.

import { parseExact } from "./exact-json.js";

/** `{ listing, clockOffset, requestedAt }` (milliseconds), or null if the request failed. */
export async function fetchListing() {
    const requestedAt = Date.now();
    try {
        const answer = await fetch("/api/v1/runs", { cache: "no-store" });
        if (!answer.ok) return null;
        const clockOffset = clockOffsetOf(answer, requestedAt);
        return { listing: parseExact(await answer.text()), clockOffset, requestedAt };
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
        const answer = await fetch("/health", { cache: "no-store" });
        if (!answer.ok) return null;
        const clockOffset = clockOffsetOf(answer, requestedAt);
        const { max_runs: runs, max_steps_per_run: stepsPerRun } = await answer.json();
        const isKnown = Number.isSafeInteger(runs) && Number.isSafeInteger(stepsPerRun);
        return { limits: isKnown ? { runs, stepsPerRun } : null, clockOffset };
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
