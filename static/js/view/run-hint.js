// What a run could have beside what was posted of it: layers, scalars.

import { element, setHidden, setText } from "./dom.js";

const LAYERS = "No step of this run has layers. With the Python client, nnm.watch(model) reports them; without it, post "
    + "“layers” and “metrics”.";
const SCALARS = "No step of this run has a loss or another scalar. nnm.log({\"train/loss\": loss}, step=step) reports them.";

export class RunHint {
    #hint = element("run-hint");

    /** `description` is that of the server, or null; `record` the viewed step. */
    show(description, record) {
        const { layer_count: layers, scalars = [] } = description ?? {};
        const hasLayers = layers !== 0 || record.structure.length > 0;
        const text = description === null ? "" : hasLayers ? (scalars.length === 0 ? SCALARS : "") : LAYERS;
        setText(this.#hint, text);
        setHidden(this.#hint, text === "");
    }
}
