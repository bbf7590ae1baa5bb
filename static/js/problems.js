// What the page could not read. An entry stays until a later read of the same kind succeeds, or until it is dismissed.

/** Characters of an unreadable text that a problem shows. */
const EXCERPT = 60;

export class Problems {
    /** Key to `{ key, text, count }`. */
    #entries = new Map();

    /** Called after each change. */
    onChange = () => {};

    /** The entries, the oldest first. */
    get list() {
        return [...this.#entries.values()];
    }

    /** Adds a problem; of one key the last text is shown, with the number of reports. */
    report(key, text) {
        const count = (this.#entries.get(key)?.count ?? 0) + 1;
        this.#entries.set(key, Object.freeze({ key, text, count }));
        this.onChange();
    }

    /** Removes a problem, which no longer exists or was read. */
    remove(key) {
        if (this.#entries.delete(key)) this.onChange();
    }
}

/** The problems of this page. */
export const problems = new Problems();

/** The beginning of a text in quotes, on one line. */
export function excerpt(text) {
    const line = text.slice(0, 4 * EXCERPT).replaceAll(/\s+/gu, " ").trim();
    return `“${line.slice(0, EXCERPT)}${line.length > EXCERPT || text.length > 4 * EXCERPT ? "…" : ""}”`;
}
