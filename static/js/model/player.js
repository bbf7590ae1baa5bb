// Which step is on screen: the newest (live), a chosen one (paused), or one after the other (playing).

/** Speeds of playing (steps a second). */
export const SPEEDS = Object.freeze([1, 2, 5, 10, 50]);

/**
 * The state machine behind the player's buttons.
 * States: `live`, and `paused` at a step number; while paused it may be playing. It holds no data and no clock: the
 * history is passed in, and `advance` is called in time.
 */
export class Player {
    #step = null;
    #speed = 0;
    #pausedEnd = null;

    get isPaused() {
        return this.#step !== null;
    }

    /** The viewed step number while paused, otherwise null. */
    get step() {
        return this.#step;
    }

    /** The last step of pictures while paused: that of the run when the pause began; null while live. */
    get pausedEnd() {
        return this.isPaused ? this.#pausedEnd : null;
    }

    get isPlaying() {
        return this.#speed > 0;
    }

    /** Steps a second while playing, otherwise 0. */
    get speed() {
        return this.#speed;
    }

    /** Position in the history to show, or -1 if it is empty. */
    viewedIndex(history) {
        return this.isPaused ? history.nearestIndex(this.#step) : history.length - 1;
    }

    /** Whether the viewed step is the last one. */
    isAtEnd(history) {
        return this.viewedIndex(history) >= history.length - 1;
    }

    live() {
        this.#step = null;
        this.#speed = 0;
    }

    /** Pauses at the viewed step. Does nothing if there is no step. */
    pause(history) {
        this.#travel(history, this.viewedIndex(history));
    }

    /** Pauses while live or playing, otherwise goes live. */
    toggle(history) {
        if (this.isPaused && !this.isPlaying) this.live();
        else this.pause(history);
    }

    back(history) {
        this.#travel(history, Math.max(0, this.viewedIndex(history) - 1));
    }

    /** Shows the next step, if the player is paused and there is one. */
    forward(history) {
        if (this.isPaused) this.#travel(history, Math.min(history.length - 1, this.viewedIndex(history) + 1));
    }

    /** Shows the record at a position of the history. */
    seekIndex(history, index) {
        this.#travel(history, Math.min(Math.max(0, index), history.length - 1));
    }

    /** Shows this step, or the nearest lower one that is kept. Returns the number shown, or null. */
    seekStep(history, step) {
        this.#travel(history, history.nearestIndex(step));
        return this.#step;
    }

    /** Plays from the viewed step on; from the first step if the viewed one is the last. */
    play(history, speed) {
        if (history.length < 2) return;
        this.#travel(history, this.isAtEnd(history) ? 0 : this.viewedIndex(history));
        this.#speed = speed;
    }

    /** Changes the speed while playing. */
    playAt(speed) {
        if (this.isPlaying) this.#speed = speed;
    }

    /**
     * Shows the step `count` steps later while playing, as far as `isReady(index)` allows. At the last step playing
     * ends: paused, or live if `thenLive`. Returns the number of steps.
     */
    advance(history, count, isReady, thenLive = false) {
        if (!this.isPlaying) return 0;
        const begin = this.viewedIndex(history);
        let index = begin;
        while (index < begin + count && index + 1 < history.length && isReady(index + 1)) index += 1;
        this.#show(history.at(index).step, history);
        if (index === history.length - 1) {
            this.#speed = 0;
            if (thenLive) this.live();
        }
        return index - begin;
    }

    /** Adapts to a reloaded history, which may lack the chosen step and have steps that were missed before. */
    historyReplaced(history) {
        if (!this.isPaused) return;
        if (history.length === 0) return this.live();
        this.#step = history.at(history.nearestIndex(this.#step)).step;
    }

    /** Pictures end later if a person goes beyond their end. */
    #show(step, history) {
        this.#step = step;
        if (step > this.#pausedEnd) this.#pausedEnd = history.last.step;
    }

    /** Shows a step that a person chose: playing ends. */
    #travel(history, index) {
        const record = history.at(index);
        if (record === undefined) return;
        if (!this.isPaused) this.#pausedEnd = history.last.step;
        this.#show(record.step, history);
        this.#speed = 0;
    }
}

/**
 * How far the viewed step is behind the last one: `{ steps, isExact, seconds }`. `steps` counts the known step
 * numbers; a gap between them hides more. `seconds` is null where the page lacks a time.
 */
export function behindOf(player, history) {
    const index = player.viewedIndex(history);
    const [viewed, last] = [history.at(index), history.last];
    if (viewed === undefined) return { steps: 0, isExact: true, seconds: null };
    const seconds = last.timestamp - viewed.timestamp;
    return {
        steps: history.length - 1 - index,
        isExact: !history.hasGapFrom(viewed.step),
        seconds: Number.isFinite(seconds) ? seconds : null,
    };
}
