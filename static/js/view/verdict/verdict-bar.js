// The first line of a run: its state, the worst finding, and the loss.

import { exactNumber, formatCount } from "../../model/format.js";
import { element, setAttribute, setHidden, setText } from "../dom.js";
import { showMark } from "./severity-mark.js";

export class VerdictBar {
    #state = element("verdict-state");
    #stateText = element("verdict-state-text");
    #health = element("verdict-health");
    #mark = element("verdict-mark");
    #title = element("verdict-title");
    #travel = element("verdict-travel");
    #detail = element("verdict-detail");
    #loss = element("verdict-loss");
    #lossName = element("verdict-loss-name");
    #lossValue = element("verdict-loss-value");
    #lossTrend = element("verdict-loss-trend");
    #finding = null;

    /** `onTravel(finding)` is called when the finding is chosen. */
    constructor(onTravel) {
        this.#travel.addEventListener("click", () => onTravel(this.#finding));
    }

    /** `state`: `stateWords`; `health`: `healthVerdict`; `loss`: a `LossSeries`, and `lossText` its `lossVerdict`. */
    show(state, health, loss, lossText) {
        setAttribute(this.#state, "data-kind", state.kind);
        setText(this.#stateText, state.text);
        setAttribute(this.#health, "data-severity", health.severity);
        showMark(this.#mark, health.severity);
        setText(this.#title, health.title);
        setText(this.#detail, health.detail);
        this.#finding = health.finding;
        const step = health.finding?.firstStep ?? null;
        setHidden(this.#travel, step === null);
        setText(this.#travel, `Go to step ${formatCount(step)}`);
        setHidden(this.#loss, lossText === null);
        if (lossText === null) return;
        setText(this.#lossName, lossText.name);
        setText(this.#lossValue, lossText.value);
        setAttribute(this.#lossValue, "data-value", exactNumber(loss.last.value));
        setText(this.#lossTrend, lossText.trend);
        setAttribute(this.#loss, "data-broken", String(lossText.isBroken));
    }
}
