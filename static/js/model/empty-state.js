// What the main area says while it has no steps to show, and why.

import { formatCount } from "./format.js";
import { Phase } from "../feed/phase.js";

/**
 * `{ title, text, runId }`; with a `runId`, or null for any run, commands to post a step follow; undefined for none.
 * @param run the `SelectedRun` or null
 * @param connection the state of the feed
 * @param hasListing whether the server has sent its list of runs
 * @param limits `{ runs, stepsPerRun }`, or null
 * @param server the server's address
 */
export function emptyState({ run, connection, hasListing, limits, server }) {
    if (run?.isMissing) return missing(run, limits, server);
    if (!hasListing) return waiting(connection, server);
    if (run === null) {
        return { title: "No runs yet", text: "A run appears here with its first step. Post one:", runId: null };
    }
    if (run.isLoading) return { title: "Loading steps", text: "" };
    const text = `Run ${run.id} has begun, and the server has no step of it. Post one:`;
    return { title: "No step yet", text, runId: run.id };
}

function waiting({ phase, text }, server) {
    if (phase !== Phase.waiting) return { title: "Waiting for the server", text: "" };
    if (text !== "") return { title: "The server refuses the connection", text: `${server}: ${text}.` };
    return {
        title: "The server does not answer",
        text: `Nothing answers at ${server}. Check that the server runs (script/server starts it) and that this machine `
            + "reaches it. The page connects by itself as soon as it does.",
    };
}

function missing(run, limits, server) {
    const kept = limits === null ? "a limited number of runs" : `the ${formatCount(limits.runs)} runs updated last`;
    const why = {
        deleted: "It was deleted.",
        evicted: `It was evicted: the server keeps ${kept} (MAX_RUNS), as far as its memory allows (MAX_MEMORY).`,
    }[run.missingReason] ?? (
        "It was never posted to this server, was deleted, or was evicted: the server keeps "
        + `${kept} (MAX_RUNS), as far as its memory allows (MAX_MEMORY), and a restart may empty it.`);
    return {
        title: "Run not found",
        text: `The server at ${server} has no run ${run.id}. ${why} Choose another run from the list, or check the address; `
            + "if the run posts again, it is shown at once.",
    };
}
