// The main area: the selected run, or the reason that there is none to show and what to do; and the line above it.

import { commandNote, firstCommands } from "../model/commands.js";
import { emptyState } from "../model/empty-state.js";
import { lossOf } from "../model/losses.js";
import { serverName } from "../server-address.js";
import { CommandList } from "./command-list.js";
import { element, setHidden, setText } from "./dom.js";

export class Stage {
    #run = element("run");
    #notice = element("notice");
    #empty = element("empty");
    #title = element("empty-title");
    #text = element("empty-text");
    #first = element("first-steps");
    #note = element("first-note");
    #commands = new CommandList(element("first-commands"));

    /** Whether the server requires a token. */
    isProtected = false;

    /**
     * `run` is the `SelectedRun` or null, `notice` a line to show or "", `hasListing` whether the server has sent one,
     * `limits` the server's limits or null, `connection` the state of the feed.
     */
    show({ run, notice, hasListing, limits, connection }) {
        const hasSteps = run?.shownRecord !== undefined;
        const line = notice || (hasSteps ? lossOf(run, limits) : "");
        setText(this.#notice, line);
        setHidden(this.#notice, line === "");
        setHidden(this.#run, !hasSteps);
        setHidden(this.#empty, hasSteps);
        if (hasSteps) return;
        const server = serverName();
        const { title, text, runId } = emptyState({ run, connection, hasListing, limits, server });
        setText(this.#title, title);
        setText(this.#text, text);
        setHidden(this.#first, runId === undefined);
        if (runId === undefined) return;
        this.#commands.show(firstCommands({ server, runId, isProtected: this.isProtected }));
        const note = commandNote({ server });
        setText(this.#note, note);
        setHidden(this.#note, note === "");
    }
}
