/** Runs `paint` at most once per animation frame, however often it is asked to. */
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
