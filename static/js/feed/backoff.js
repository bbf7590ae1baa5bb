// How long to wait before the next attempt.

/** Exponential backoff with jitter: between half and the whole of a doubling, capped delay. */
export class Backoff {
    #attempt = 0;
    #base;
    #cap;
    #random;

    /** Times in milliseconds; `random` gives numbers in [0, 1). */
    constructor({ base = 500, cap = 30_000, random = Math.random } = {}) {
        this.#base = base;
        this.#cap = cap;
        this.#random = random;
    }

    /** The next delay in milliseconds; each call doubles the following one up to the cap. */
    next() {
        const whole = Math.min(this.#cap, this.#base * 2 ** this.#attempt);
        this.#attempt = Math.min(this.#attempt + 1, 32);
        return whole / 2 + (this.#random() * whole) / 2;
    }

    reset() {
        this.#attempt = 0;
    }
}
