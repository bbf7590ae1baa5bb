// The field that shows the viewed step, and in which a person types another one.

import { wholeNumber } from "../model/step-number.js";

/** Least width of the field (digits), so that it seldom grows with the run. */
const LEAST_DIGITS = 4;

export class StepField {
    #input;
    /** Whether a person is typing: then the field keeps its text. */
    #isEdited = false;
    #shown = "";
    #digits = 0;

    constructor(input) {
        this.#input = input;
        // What is typed replaces the step. A click that enters the field would undo the selection.
        let isEntered = false;
        input.addEventListener("focus", () => {
            isEntered = true;
            input.select();
        });
        input.addEventListener("click", () => {
            if (isEntered) input.select();
            isEntered = false;
        });
        input.addEventListener("input", () => {
            this.#isEdited = true;
        });
        input.addEventListener("blur", () => this.#restore());
        input.addEventListener("keydown", (event) => {
            if (event.key !== "Escape") return;
            this.#restore();
            input.blur();
            event.preventDefault();
        });
    }

    /** Shows the viewed step. `last` is the last one, which sets the width of the field. Both may be undefined. */
    show(step, last) {
        const digits = Math.max(LEAST_DIGITS, String(last ?? "").length);
        if (digits !== this.#digits) this.#input.style.setProperty("--digits", String(digits));
        this.#digits = digits;
        this.#input.disabled = step === undefined;
        this.#shown = String(step ?? "");
        if (!this.#isEdited) this.#restore();
    }

    focus() {
        this.#input.focus();
    }

    /** The typed step, null if there is none. Leaves the field, so that the keys of the page work again. */
    take() {
        // `valueAsNumber` is rounded beyond 2^53; the text is exact.
        const text = this.#input.value;
        const step = /^\d+$/.test(text) ? wholeNumber(text) : this.#input.valueAsNumber;
        this.#isEdited = false;
        this.#input.blur();
        return Number.isNaN(step) ? null : step;
    }

    #restore() {
        this.#isEdited = false;
        if (this.#input.value === this.#shown) return;
        this.#input.value = this.#shown;
        if (document.activeElement === this.#input) this.#input.select();
    }
}
