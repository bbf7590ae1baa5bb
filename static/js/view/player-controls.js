// Buttons, slider and keys of the player. `Player` defines what they do.

import { formatAge, formatCount } from "../model/format.js";
import { behindOf } from "../model/player.js";
import { playerAction } from "./player-keys.js";
import { closeLikeMenu, element, setAttribute, setHidden, setText } from "./dom.js";
import { StepField } from "./step-field.js";

/** The text of the toggle for a run that gets no more steps: at its newest step, and at an earlier one. */
const ENDED = { live: "At the end", kept: "Return to end" };
const STATE_WORDS = Object.freeze({
    finished: ENDED, failed: ENDED, gone: ENDED, lost: { live: "Not connected", kept: "Return to live" },
});
const HOLD_TITLE = "New steps are shown as they come. Press to stay at this step; the training goes on (space)";
const LIVE_TITLE = "Show the newest step, and new ones as they come (space stops playing first)";

const BUTTONS = ["first", "back", "forward", "last", "play"];

export class PlayerControls {
    #player = element("player");
    #buttons = Object.fromEntries(BUTTONS.map((name) => [name, element(name)]));
    #toggle = element("toggle");
    #toggleText = element("toggle-text");
    #status = element("player-status");
    #ofFindings = [element("previous-finding"), element("next-finding")];
    #speed = element("speed");
    #speedText = element("speed-text");
    #thenLive = element("then-live");
    #track = element("player-track");
    #slider = element("slider");
    #first = element("first-step");
    #last = element("last-step");
    #jumpStep = new StepField(element("jump-step"));
    #message = element("jump-message");
    #behind = element("behind");
    #behindText = element("behind-text");
    /** Whether the newest step was shown last; null before the first step of a run. */
    #isLive = null;
    /** The step at which the player was paused when the message was shown, null while live. */
    #noted = null;

    /**
     * `actions` is `{ first, back, toggle, follow, forward, last, play, chooseSpeed(speed), chooseEnd(isLive),
     * finding(by), seekIndex(index), seekStep(step) }`; `seekStep` resolves to the step that is shown then.
     */
    constructor(actions) {
        for (const name of BUTTONS) this.#buttons[name].addEventListener("click", () => actions[name]());
        this.#toggle.addEventListener("click", () => actions.follow());
        this.#ofFindings[0].addEventListener("click", () => actions.finding(-1));
        this.#ofFindings[1].addEventListener("click", () => actions.finding(1));
        this.#speed.addEventListener("change", () => actions.chooseSpeed(Number(this.#speed.value)));
        this.#thenLive.addEventListener("change", () => actions.chooseEnd(this.#thenLive.checked));
        closeLikeMenu(element("play-options"));
        this.#slider.addEventListener("input", () => actions.seekIndex(this.#slider.valueAsNumber));
        element("jump").addEventListener("submit", (event) => {
            event.preventDefault();
            this.#jump(actions.seekStep);
        });
        document.addEventListener("keydown", (event) => this.#key(event, actions));
    }

    /**
     * `hasAxis`: a picture has the time axis, so that no slider is needed; `hasFindings`: there is one to go to;
     * `runState`: the `kind` of `stateWords`.
     */
    show(player, history, { hasAxis, speed, isLiveAfter, hasFindings, runState }) {
        const index = player.viewedIndex(history);
        const last = history.length - 1;
        const { first, back, forward, last: end, play } = this.#buttons;
        this.#showState(player, history, runState);
        setAttribute(play, "aria-label", player.isPlaying ? "Stop" : "Play");
        setAttribute(play, "data-playing", String(player.isPlaying));
        setAttribute(play, "title", playTitle(player, history));
        first.disabled = index <= 0;
        back.disabled = index <= 0;
        forward.disabled = !player.isPaused || index >= last;
        end.disabled = history.length === 0 || (player.isPaused && index >= last);
        play.disabled = history.length < 2;
        for (const button of this.#ofFindings) button.disabled = !hasFindings;
        this.#speed.value = String(speed);
        setText(this.#speedText, `${speed}/s`);
        this.#thenLive.checked = isLiveAfter;
        this.#showTrack(index, history, hasAxis);
        this.#jumpStep.show(history.at(index)?.step, history.last?.step);
        setText(this.#last, formatCount(history.last?.step));
        if (this.#noted !== player.step) this.#clearNote(player.step);
    }

    /** Whether new steps are shown; otherwise how far the viewed step is behind. */
    #showState(player, history, runState) {
        const isLive = !player.isPaused;
        const words = STATE_WORDS[runState] ?? { live: "Live", kept: "Return to live" };
        // Read to a screen reader when a key changes it, not when the run is opened.
        if (this.#isLive !== null && this.#isLive !== isLive) setText(this.#status, isLive ? words.live : "Not live");
        this.#isLive = isLive;
        setAttribute(this.#player, "data-live", String(isLive));
        setAttribute(this.#player, "data-run-state", runState);
        setText(this.#toggleText, isLive ? words.live : words.kept);
        setAttribute(this.#toggle, "aria-pressed", String(isLive));
        setAttribute(this.#toggle, "title", isLive ? HOLD_TITLE : LIVE_TITLE);
        this.#toggle.disabled = history.length === 0;
        setAttribute(this.#behind, "data-shown", String(!isLive));
        const text = isLive ? "newest step" : behindText(behindOf(player, history));
        setText(this.#behindText, text);
        // A narrow player cuts it.
        setAttribute(this.#behindText, "title", text);
    }

    /** Shows a line below the buttons, until the viewed step, `step` while paused, is another one. */
    note(text, step) {
        setText(this.#message, text);
        this.#noted = step;
    }

    /** Another run is shown. */
    clear() {
        this.#clearNote(null);
        this.#isLive = null;
        setText(this.#status, "");
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
        const wanted = this.#jumpStep.take();
        if (wanted === null) return;
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

function playTitle(player, history) {
    if (player.isPlaying) return "Stop at this step (p)";
    return `Show the kept steps one after the other, from ${player.isAtEnd(history) ? "the first" : "here"} on (p)`;
}

/** "120 steps, 2 min behind". */
export function behindText({ steps, isExact, seconds }) {
    if (steps === 0) return "at the last step";
    const count = `${isExact ? "" : "over "}${formatCount(steps)} step${steps === 1 ? "" : "s"}`;
    return seconds === null || seconds < 0 ? `${count} behind` : `${count}, ${formatAge(seconds)} behind`;
}
