// Buttons, slider and keys of the player. `Player` defines what they do.

import { formatAge, formatCount } from "../model/format.js";
import { behindOf } from "../model/player.js";
import { wholeNumber } from "../model/step-number.js";
import { playerAction } from "./player-keys.js";
import { element, setAttribute, setHidden, setText } from "./dom.js";

const BUTTONS = ["first", "back", "toggle", "forward", "last", "play"];

export class PlayerControls {
    #buttons = Object.fromEntries(BUTTONS.map((name) => [name, element(name)]));
    #ofFindings = [element("previous-finding"), element("next-finding")];
    #speed = element("speed");
    #thenLive = element("then-live");
    #track = element("player-track");
    #slider = element("slider");
    #first = element("first-step");
    #viewed = element("viewed-step");
    #last = element("last-step");
    #jumpStep = element("jump-step");
    #message = element("jump-message");
    #behind = element("behind");
    #behindText = element("behind-text");
    /** The step at which the player was paused when the message was shown, null while live. */
    #noted = null;

    /**
     * `actions` is `{ first, back, toggle, forward, last, live, play, chooseSpeed(speed), chooseEnd(isLive),
     * finding(by), seekIndex(index), seekStep(step) }`; `seekStep` resolves to the step that is shown then.
     */
    constructor(actions) {
        for (const name of BUTTONS) this.#buttons[name].addEventListener("click", () => actions[name]());
        element("return-live").addEventListener("click", () => actions.live());
        this.#ofFindings[0].addEventListener("click", () => actions.finding(-1));
        this.#ofFindings[1].addEventListener("click", () => actions.finding(1));
        this.#speed.addEventListener("change", () => actions.chooseSpeed(Number(this.#speed.value)));
        this.#thenLive.addEventListener("change", () => actions.chooseEnd(this.#thenLive.checked));
        this.#slider.addEventListener("input", () => actions.seekIndex(this.#slider.valueAsNumber));
        element("jump").addEventListener("submit", (event) => {
            event.preventDefault();
            this.#jump(actions.seekStep);
        });
        document.addEventListener("keydown", (event) => this.#key(event, actions));
    }

    /** `hasAxis`: a picture has the time axis, so that no slider is needed; `hasFindings`: there is one to go to. */
    show(player, history, { hasAxis, speed, isLiveAfter, hasFindings }) {
        const index = player.viewedIndex(history);
        const last = history.length - 1;
        const { first, back, toggle, forward, last: end, play } = this.#buttons;
        setText(toggle, player.isPaused && !player.isPlaying ? "Live" : "Pause");
        setText(play, player.isPlaying ? "Stop" : "Play");
        setAttribute(play, "title", `Play from ${player.isAtEnd(history) ? "the first step" : "here, or stop"} (p)`);
        toggle.disabled = history.length === 0;
        first.disabled = index <= 0;
        back.disabled = index <= 0;
        forward.disabled = !player.isPaused || index >= last;
        end.disabled = history.length === 0 || (player.isPaused && index >= last);
        play.disabled = history.length < 2;
        for (const button of this.#ofFindings) button.disabled = !hasFindings;
        this.#speed.value = String(speed);
        this.#thenLive.checked = isLiveAfter;
        this.#showTrack(index, history, hasAxis);
        setText(this.#viewed, formatCount(history.at(index)?.step));
        setText(this.#last, formatCount(history.last?.step));
        setAttribute(this.#behind, "data-shown", String(player.isPaused));
        setText(this.#behindText, behindText(behindOf(player, history)));
        if (this.#noted !== player.step) this.#clearNote(player.step);
    }

    /** Shows a line below the buttons, until the viewed step, `step` while paused, is another one. */
    note(text, step) {
        setText(this.#message, text);
        this.#noted = step;
    }

    /** Another run is shown. */
    clear() {
        this.#clearNote(null);
    }

    #clearNote(step) {
        setText(this.#message, "");
        this.#noted = step;
    }

    #showTrack(index, history, hasAxis) {
        setHidden(this.#track, hasAxis);
        setAttribute(this.#slider, "max", String(Math.max(0, history.length - 1)));
        this.#slider.value = String(Math.max(0, index));
        this.#slider.disabled = history.length === 0;
        setAttribute(this.#slider, "aria-valuetext", index < 0 ? "no steps" : `step ${history.at(index).step}`);
        setText(this.#first, formatCount(history.first?.step));
    }

    async #jump(seekStep) {
        // The field's `valueAsNumber` is rounded beyond 2^53; its text is exact.
        const text = this.#jumpStep.value;
        const wanted = /^\d+$/.test(text) ? wholeNumber(text) : this.#jumpStep.valueAsNumber;
        if (Number.isNaN(wanted)) return;
        const shown = await seekStep(wanted);
        const isExact = shown === wanted || shown === null;
        this.note(isExact ? "" : `Step ${wanted} is not kept; showing ${shown}.`, shown);
    }

    #key(event, actions) {
        const action = playerAction(event, this.#slider);
        if (action === null) return;
        if (action.name === "jump") this.#jumpStep.focus();
        else if (action.name === "finding") actions.finding(action.by);
        else if (!event.repeat || action.repeats) actions[action.name]();
        event.preventDefault();
    }
}

/** "120 steps, 2 min behind". */
export function behindText({ steps, isExact, seconds }) {
    if (steps === 0) return "at the last step";
    const count = `${isExact ? "" : "over "}${formatCount(steps)} step${steps === 1 ? "" : "s"}`;
    return seconds === null || seconds < 0 ? `${count} behind` : `${count}, ${formatAge(seconds)} behind`;
}
