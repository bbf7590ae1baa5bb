// A button that shows or hides a part of the page, as the person chose it before.

import { keepSetting, setting } from "../../settings.js";
import { element, setAttribute } from "../../view/dom.js";

export class Toggle {
    #button;
    #name;
    #isOn;

    /** `name` is that of the setting; `isOn` holds without a choice. `onChange()` is called after a click. */
    constructor(buttonId, name, isOn, onChange) {
        this.#button = element(buttonId);
        this.#name = name;
        this.#isOn = setting(name, isOn) === true;
        this.#button.addEventListener("click", () => {
            this.isOn = !this.#isOn;
            keepSetting(this.#name, this.#isOn);
            onChange();
        });
        this.isOn = this.#isOn;
    }

    get isOn() {
        return this.#isOn;
    }

    set isOn(value) {
        this.#isOn = value;
        setAttribute(this.#button, "aria-pressed", String(value));
    }
}
