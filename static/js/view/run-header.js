// The selected run and the facts of the viewed step.

import { exactNumber, formatCount, formatNumber, formatTime } from "../model/format.js";
import { element, setAttribute, setHidden, setText } from "./dom.js";

export class RunHeader {
    #id = element("run-id");
    #step = element("fact-step");
    #time = element("fact-time");
    #batch = element("fact-batch");
    #layers = element("fact-layers");
    #cross = element("fact-cross");

    /** `record` may be undefined: nothing to show yet. */
    show(runId, record) {
        setText(this.#id, runId);
        setText(this.#step, formatCount(record?.step));
        setAttribute(this.#step, "data-value", exactNumber(record?.step));
        setText(this.#time, formatTime(record?.timestamp));
        setAttribute(this.#time, "data-value", exactNumber(record?.timestamp));
        setText(this.#batch, formatCount(record?.batchSize));
        setAttribute(this.#batch, "data-value", exactNumber(record?.batchSize));
        setText(this.#layers, formatCount(record?.structure.length));
        // Most runs post neither: a dash in each would only take room.
        setHidden(this.#batch.parentElement, record?.batchSize === undefined);
        setHidden(this.#cross.parentElement, record?.featureStdGradient === undefined);
        setText(this.#cross, formatNumber(record?.featureStdGradient));
        setAttribute(this.#cross, "data-value", exactNumber(record?.featureStdGradient));
        setAttribute(this.#cross, "title", exactNumber(record?.featureStdGradient));
    }
}
