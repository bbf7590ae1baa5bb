// Keeps the address of the page equal to what it shows, and shows what the address names.

import { formatAddress, isVisit, parseAddress } from "./address.js";

/**
 * Browsers allow about 100 changes of the address in 30 seconds: one in `INTERVAL` milliseconds, and before them as
 * many as `BURST`, so that the address is exact while a person chooses, and not while steps are played.
 */
const INTERVAL = 400;
const BURST = 20;

export class PageAddress {
    #parts = [];
    #page;
    #timer = null;
    /** The changes that were made at once; each `INTERVAL` makes room for another one. */
    #made = 0;
    #madeAt = 0;

    /** `page` is `{ location, history, addEventListener, setTimeout, clearTimeout, now }`; by default the browser's. */
    constructor(page = browserPage()) {
        this.#page = page;
        page.addEventListener("popstate", () => this.restore());
    }

    /** Adds parts of the page, those that others depend on first. */
    add(...parts) {
        this.#parts.push(...parts);
    }

    /** Shows what the address names. An address without a run is none of a view, such as the target of a link. */
    restore() {
        const state = this.#named;
        if (state.run === undefined) return;
        for (const part of this.#parts) part.restore(state);
    }

    /** The state of the page changed, or may have. A visit is written at once, other changes may wait. */
    update() {
        const now = this.#page.now();
        this.#made = Math.max(0, this.#made - Math.max(0, now - this.#madeAt) / INTERVAL);
        this.#madeAt = now;
        const wait = (this.#made + 1 - BURST) * INTERVAL;
        if (wait <= 0 || isVisit(this.#named, this.state)) return this.flush();
        if (this.#timer !== null || formatAddress(this.state) === this.#page.location.hash) return;
        this.#timer = this.#page.setTimeout(() => {
            this.#timer = null;
            this.#write();
        }, wait);
    }

    /** What the page shows. */
    get state() {
        return Object.assign({}, ...this.#parts.map((part) => part.state));
    }

    /** What the address names. */
    get #named() {
        return parseAddress(this.#page.location.hash);
    }

    /** Writes a change that waits. */
    flush() {
        this.#page.clearTimeout(this.#timer);
        this.#timer = null;
        this.#write();
    }

    #write() {
        const { state } = this;
        // Without a run there is no view: what a person chose for all runs is in the settings.
        const fragment = state.run === undefined ? "" : formatAddress(state);
        if (fragment === "" || fragment === this.#page.location.hash) return;
        const method = isVisit(this.#named, state) ? "pushState" : "replaceState";
        this.#made += 1;
        this.#page.history[method](null, "", fragment);
    }
}

function browserPage() {
    return {
        location, history, now: () => Date.now(),
        addEventListener: (...event) => addEventListener(...event),
        setTimeout: (...call) => setTimeout(...call),
        clearTimeout: (timer) => clearTimeout(timer),
    };
}
