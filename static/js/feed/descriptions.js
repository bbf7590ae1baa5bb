// The server's descriptions of its runs over HTTP, which the list of runs of the WebSocket does not have.

import { parseExact } from "./exact-json.js";
import { read, requireMembers } from "./read.js";

const PAGE_SIZE = 200;
/** Runs that are described after a listing, those updated last; the others when something of them changes. */
const MOST_RUNS = 1000;

/** Calls `onRun(id, description)` for each run, the last updated first. Ends early if a request fails or is aborted. */
export async function readDescriptions(onRun, signal) {
    let cursor = null;
    for (let count = 0; count < MOST_RUNS; count += PAGE_SIZE) {
        const parameters = new URLSearchParams({ limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) });
        try {
            const { value: { runs, next } } = await read(`api/v2/runs?${parameters}`, {
                what: "the descriptions of the runs", signal,
                parse: (text) => requireMembers(parseExact(text), { runs: "array" }),
            });
            for (const run of runs) onRun(run.run_id, run);
            if (next === null) return;
            cursor = next;
        } catch {
            // The next connection reads the list again.
            return;
        }
    }
}
