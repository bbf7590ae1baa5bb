// The server's descriptions of its runs over HTTP, which the list of runs of the WebSocket does not have.

import { parseExact } from "./exact-json.js";

const PAGE_SIZE = 200;
/** Runs that are described after a listing, those updated last; the others when something of them changes. */
const MOST_RUNS = 1000;

/** Calls `onRun(id, description)` for each run, the last updated first. Ends early if a request fails or is aborted. */
export async function readDescriptions(onRun, signal) {
    let cursor = null;
    for (let count = 0; count < MOST_RUNS; count += PAGE_SIZE) {
        const parameters = new URLSearchParams({ limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) });
        try {
            const answer = await fetch(`/api/v2/runs?${parameters}`, { cache: "no-store", signal });
            if (!answer.ok) return;
            const { runs, next } = parseExact(await answer.text());
            for (const run of runs) onRun(run.run_id, run);
            if (next === null) return;
            cursor = next;
        } catch {
            // A lost connection: the next one reads the list again.
            return;
        }
    }
}
