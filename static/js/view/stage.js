// The main area: the selected run, or the reason that there is none to show; and the line above it.

import { lossOf } from "../model/losses.js";
import { element, setHidden, setText } from "./dom.js";

export class Stage {
    #run = element("run");
    #notice = element("notice");
    #empty = element("empty");
    #title = element("empty-title");
    #text = element("empty-text");

    /**
     * `run` is the `SelectedRun` or null, `notice` a line to show or "", `hasListing` whether the server has sent one,
     * `limits` the server's limits or null.
     */
    show(run, notice, hasListing, limits) {
        const hasSteps = run?.shownRecord !== undefined;
        const line = notice || (hasSteps ? lossOf(run, limits) : "");
        setText(this.#notice, line);
        setHidden(this.#notice, line === "");
        setHidden(this.#run, !hasSteps);
        setHidden(this.#empty, hasSteps);
        if (hasSteps) return;
        const [title, text] = emptyWording(run, hasListing);
        setText(this.#title, title);
        setText(this.#text, text);
    }
}

function emptyWording(run, hasListing) {
    if (run?.isMissing) return ["Run not found", `The server holds no run '${run.id}'.`];
    if (!hasListing) return ["Waiting for the server", ""];
    if (run === null) return ["No runs yet", "A run appears with its first step, posted to /api/v1/metrics/layerwise."];
    return [run.isLoading ? "Loading steps" : "No steps", ""];
}
