/** Calls `paint` at most once per animation frame, after any number of requests. */
export class FrameScheduler {
    #paint;
    #isScheduled = false;

    constructor(paint) {
        this.#paint = paint;
    }

    request() {
        if (this.#isScheduled) return;
        this.#isScheduled = true;
        requestAnimationFrame(() => {
            this.#isScheduled = false;
            this.#paint();
        });
    }
}
