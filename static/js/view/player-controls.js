// Buttons, slider and keys of the player. `Player` defines what they do.

import { formatCount } from "../model/format.js";
import { wholeNumber } from "../model/step-number.js";
import { element, setAttribute, setText } from "./dom.js";

export class PlayerControls {
    #back = element("back");
    #toggle = element("toggle");
    #forward = element("forward");
    #slider = element("slider");
    #first = element("first-step");
    #viewed = element("viewed-step");
    #last = element("last-step");
    #jumpStep = element("jump-step");
    #jumpMessage = element("jump-message");
    #behind = element("behind");
    #behindText = element("behind-text");

    /**
     * `actions` is `{ back, toggle, forward, live, seekIndex(index), seekStep(step) }`; `seekStep` resolves to the step
     * that is shown then.
     */
    constructor(actions) {
        this.#back.addEventListener("click", actions.back);
        this.#toggle.addEventListener("click", actions.toggle);
        this.#forward.addEventListener("click", actions.forward);
        element("return-live").addEventListener("click", actions.live);
        this.#slider.addEventListener("input", () => actions.seekIndex(this.#slider.valueAsNumber));
        element("jump").addEventListener("submit", (event) => {
            event.preventDefault();
            this.#jump(actions.seekStep);
        });
        document.addEventListener("keydown", (event) => this.#key(event, actions));
    }

    show(player, history) {
        const index = player.viewedIndex(history);
        const last = history.length - 1;
        setText(this.#toggle, player.isPaused ? "Live" : "Pause");
        this.#toggle.disabled = history.length === 0;
        this.#back.disabled = index <= 0;
        this.#forward.disabled = !player.isPaused || index >= last;
        setAttribute(this.#slider, "max", String(Math.max(0, last)));
        this.#slider.value = String(Math.max(0, index));
        this.#slider.disabled = history.length === 0;
        setAttribute(this.#slider, "aria-valuetext", index < 0 ? "no steps" : `step ${history.at(index).step}`);
        setText(this.#first, formatCount(history.first?.step));
        setText(this.#viewed, formatCount(history.at(index)?.step));
        setText(this.#last, formatCount(history.last?.step));
        setAttribute(this.#behind, "data-shown", String(player.isPaused));
        const count = player.newSteps;
        setText(this.#behindText, `${formatCount(count)} new step${count === 1 ? "" : "s"}`);
        if (!player.isPaused) setText(this.#jumpMessage, "");
    }

    async #jump(seekStep) {
        // The field's `valueAsNumber` is rounded beyond 2^53; its text is exact.
        const text = this.#jumpStep.value;
        const wanted = /^\d+$/.test(text) ? wholeNumber(text) : this.#jumpStep.valueAsNumber;
        if (Number.isNaN(wanted)) return;
        const shown = await seekStep(wanted);
        const isExact = shown === wanted || shown === null;
        setText(this.#jumpMessage, isExact ? "" : `Step ${wanted} is not kept; showing ${shown}.`);
    }

    #key(event, actions) {
        if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
        const focused = event.target;
        // Fields and the slider use these keys themselves, and so does a focused button or link the space key,
        // except the run that is selected already: it has the focus after a click, and selecting it again does nothing.
        if (focused.closest("input:not([type=range]), textarea, select")) return;
        const isSlider = focused === this.#slider;
        if (event.key === " " && !focused.closest("button:not([aria-current=true]), a, summary")) {
            if (!event.repeat) actions.toggle();
        } else if (event.key === "ArrowLeft" && !isSlider) actions.back();
        else if (event.key === "ArrowRight" && !isSlider) actions.forward();
        else return;
        event.preventDefault();
    }
}
