// A line above the run: the names that the server ignored; without any, which data the trainer could also post.

import { ignoredText } from "../model/losses.js";
import { element, setAttribute, setHidden, setText } from "./dom.js";

const LAYERS = "No step of this run has layers. With the Python client, nnm.watch(model) reports them; without it, post "
    + "“layers” and “metrics”.";
const SCALARS = "No step of this run has a loss or another scalar. nnm.log({\"train/loss\": loss}, step=step) reports them.";

export class RunHint {
    #hint = element("run-hint");

    /** `description` is that of the server, or null; `record` the viewed step. */
    show(description, record) {
        const { layer_count: layers, scalars = [], ignored_names: ignored } = description ?? {};
        const hasLayers = layers !== 0 || record.structure.length > 0;
        const advice = description === null ? "" : hasLayers ? (scalars.length === 0 ? SCALARS : "") : LAYERS;
        const text = ignoredText(ignored) || advice;
        setAttribute(this.#hint, "data-kind", ignored === undefined ? "advice" : "ignored");
        setText(this.#hint, text);
        setHidden(this.#hint, text === "");
    }
}
