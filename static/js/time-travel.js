// Time travel: what moves the viewed step of the selected run, by buttons, keys and while playing.

import { FindingOrder } from "./model/finding-order.js";
import { Playback } from "./model/playback.js";
import { SPEEDS } from "./model/player.js";
import { keepSetting, setting } from "./settings.js";
import { PlayerControls } from "./view/player-controls.js";

const SPEED_SETTING = "play.speed";
const USUAL_SPEED = 10;
const LIVE_SETTING = "play.thenLive";

export class TimeTravel {
    #handlers;
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    #controls;
    #playback;
    #order = new FindingOrder();
    #speed = keptSpeed();
    #isLiveAfter = setting(LIVE_SETTING, false) === true;

    /** The findings of the run, a list. */
    findings = [];
    /** The state of the run, the `kind` of `stateWords`. */
    runState = "";

    /** `handlers`: `showFinding(finding)` resolves to the step that is shown then. */
    constructor(handlers) {
        this.#handlers = handlers;
        this.#controls = new PlayerControls({
            first: () => this.#play((player, history) => player.seekIndex(history, 0)),
            back: () => this.#move((history, index) => index - 1, (player, history) => player.back(history)),
            toggle: () => this.#play((player, history) => player.toggle(history)),
            forward: () => this.#move((history, index) => index, (player, history) => player.forward(history)),
            last: () => this.#play((player, history) => player.seekIndex(history, history.length - 1)),
            follow: () => this.#play((player, history) => {
                if (player.isPaused) player.live();
                else player.pause(history);
            }),
            play: () => this.#play((player, history) => {
                if (player.isPlaying) player.pause(history);
                else player.play(history, this.#speed);
            }),
            chooseSpeed: (speed) => this.#chooseSpeed(speed),
            chooseEnd: (isLive) => {
                this.#isLiveAfter = isLive;
                keepSetting(LIVE_SETTING, isLive ? true : null);
            },
            finding: (by) => this.#goToFinding(by),
            seekIndex: (index) => this.#play((player, history) => player.seekIndex(history, index)),
            seekStep: (step) => this.seekStep(step),
        });
        this.#playback = new Playback({
            now: () => performance.now(),
            setTimeout: (action, delay) => setTimeout(action, delay),
            clearTimeout: (timer) => clearTimeout(timer),
        }, (count) => this.#advance(count));
    }

    /** Shows another run, that of a `RunSubscription`. */
    select(subscription) {
        this.#playback.stop();
        this.#selected = subscription;
        this.findings = [];
        this.runState = "";
        this.#controls.clear();
    }

    /** The speed for the address of the page, if it is not the usual one. */
    get state() {
        return this.#speed === USUAL_SPEED ? {} : { speed: String(this.#speed) };
    }

    restore({ speed }) {
        this.#speed = SPEEDS.find((known) => String(known) === speed) ?? keptSpeed();
    }

    /** Follows the run. */
    live() {
        this.#play((player) => player.live());
    }

    /** Shows the player. `hasAxis`: the time axis of a picture is shown, so that no slider is needed. */
    show(hasAxis) {
        const { run } = this.#selected;
        const hasFindings = this.findings.some(({ firstStep }) => firstStep !== null);
        const choices = { speed: this.#speed, isLiveAfter: this.#isLiveAfter, runState: this.runState };
        this.#controls.show(run.player, run.history, { hasAxis, hasFindings, ...choices });
    }

    /** Shows this step, or the nearest lower one that is kept; resolves to the one shown, or null. */
    seekStep(step) {
        return this.#move(
            (history) => (history.indexOf(step) < 0 ? history.nearestIndex(step) : -1),
            (player, history) => player.seekStep(history, step),
        );
    }

    async #move(place, action) {
        const selected = this.#selected;
        const result = (await selected?.move(place, action)) ?? null;
        this.#followPlaying(selected);
        return result;
    }

    #play(action) {
        const result = this.#selected?.play(action) ?? null;
        this.#followPlaying(this.#selected);
        return result;
    }

    /** Starts or stops the clock, as the player is playing or not. */
    #followPlaying(selected) {
        if (selected === null || selected !== this.#selected) return;
        const { player } = selected.run;
        if (player.isPlaying) this.#playback.start(player.speed);
        else this.#playback.stop();
    }

    /** Shows the next steps while playing; resolves to their number, or to null at the end. */
    async #advance(count) {
        const selected = this.#selected;
        const { run } = selected;
        if (!run.player.isPlaying) return null;
        const { history } = run;
        const isReady = (index) => history.at(index)?.structure !== undefined && !history.hasGapAfter(index - 1);
        // What is read meanwhile requests a picture itself.
        if (!run.player.isAtEnd(history) && !isReady(run.viewedIndex + 1)) return 0;
        const shown = selected.play((player) => player.advance(history, count, isReady, this.#isLiveAfter));
        return run.player.isPlaying ? shown : null;
    }

    #chooseSpeed(speed) {
        this.#speed = speed;
        keepSetting(SPEED_SETTING, speed);
        this.#play((player) => player.playAt(speed));
    }

    /** Goes to the next finding in time, or to the one before. */
    async #goToFinding(by) {
        const viewed = this.#selected?.run.viewedRecord;
        if (viewed === undefined) return;
        const next = this.#order.next(this.findings, viewed.step, by);
        if (next === null) {
            const isNone = this.findings.every(({ firstStep }) => firstStep === null);
            const text = isNone ? "This run has no findings." : `No ${by > 0 ? "later" : "earlier"} finding.`;
            this.#controls.note(text, this.#selected.run.player.step);
            return;
        }
        const { finding, number, total } = next;
        const shown = await this.#handlers.showFinding(finding);
        this.#order.visited(finding, shown);
        this.#controls.note(`Finding ${number} of ${total}, ${finding.severity}: ${finding.title}`, shown);
    }
}

/** The speed that a person chose, or the usual one. */
function keptSpeed() {
    return SPEEDS.find((speed) => speed === setting(SPEED_SETTING, null)) ?? USUAL_SPEED;
}
