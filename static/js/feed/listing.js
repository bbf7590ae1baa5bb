// Reads over HTTP: the list of runs, which the WebSocket sends only once, and the server's limits.

import { parseExact } from "./exact-json.js";

/** `{ listing, clockOffset, requestedAt }` (milliseconds), or null if the request failed. */
export async function fetchListing() {
    const requestedAt = Date.now();
    try {
        const answer = await fetch("/api/v1/runs", { cache: "no-store" });
        if (!answer.ok) return null;
        const serverTime = Date.parse(answer.headers.get("Date") ?? "");
        // `Date` has whole seconds, so half a second is the best estimate of the fraction.
        const clockOffset = Number.isNaN(serverTime) ? 0 : (requestedAt + Date.now()) / 2 - (serverTime + 500);
        return { listing: parseExact(await answer.text()), clockOffset: Math.abs(clockOffset) < 2000 ? 0 : clockOffset, requestedAt };
    } catch {
        return null;
    }
}

/** `{ runs, stepsPerRun }`: the server's maximum numbers of runs and of steps of a run; null if unknown. */
export async function fetchLimits() {
    try {
        const answer = await fetch("/health", { cache: "no-store" });
        if (!answer.ok) return null;
        const { max_runs: runs, max_steps_per_run: stepsPerRun } = await answer.json();
        return Number.isSafeInteger(runs) && Number.isSafeInteger(stepsPerRun) ? { runs, stepsPerRun } : null;
    } catch {
        return null;
    }
}
