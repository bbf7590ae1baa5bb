// The clock of playing: calls for as many steps as are due.

/** Least time between two calls (milliseconds): about a frame. */
const LEAST_INTERVAL = 20;
/** Steps that were not ready in time are not caught up for, beyond this part of a second. */
const MOST_LATE = 0.25;

export class Playback {
    #clock;
    #advance;
    #timer = null;
    #speed = 0;

    /**
     * `clock` is `{ now, setTimeout, clearTimeout }`. `advance(count)` is called when steps are due, and resolves to
     * the number of steps shown, or to null when playing has ended.
     */
    constructor(clock, advance) {
        this.#clock = clock;
        this.#advance = advance;
    }

    /** Begins, or goes on at another speed (steps a second). */
    start(speed) {
        this.stop();
        this.#speed = speed;
        this.#schedule({ at: this.#clock.now(), due: 0 });
    }

    stop() {
        this.#clock.clearTimeout(this.#timer);
        this.#timer = null;
    }

    #schedule(state) {
        const wait = Math.max(LEAST_INTERVAL, ((1 - Math.min(1, state.due)) * 1000) / this.#speed);
        const timer = this.#clock.setTimeout(() => this.#tick(state, timer), wait);
        this.#timer = timer;
    }

    async #tick({ at, due }, timer) {
        const now = this.#clock.now();
        const most = Math.max(1, MOST_LATE * this.#speed);
        const wanted = Math.min(most, due + ((now - at) * this.#speed) / 1000);
        const count = Math.floor(wanted);
        const shown = count > 0 ? await this.#advance(count) : 0;
        if (this.#timer !== timer || shown === null) return;
        this.#schedule({ at: now, due: Math.max(0, wanted - shown) });
    }
}
