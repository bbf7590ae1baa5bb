// Server-Sent Events of a text that arrives in pieces (HTML Living Standard, 9.2.6).

export class EventParser {
    #rest = "";
    #data = [];
    #id = null;
    #isFirst = true;

    /**
     * Takes a piece of the text and returns what it completes: `{ data, id }`, each null where the event has none. An
     * event with an id alone, or with neither (a comment), is returned as well: it shows that the connection works.
     */
    push(piece) {
        let text = this.#rest + piece;
        if (this.#isFirst && text !== "") {
            this.#isFirst = false;
            text = text.replace(/^\uFEFF/u, "");
        }
        const events = [];
        for (;;) {
            // A CR at the end may be the first half of a CRLF.
            const end = /\r\n|\n|\r(?!$)/u.exec(text);
            if (end === null) break;
            const event = this.#line(text.slice(0, end.index));
            if (event !== null) events.push(event);
            text = text.slice(end.index + end[0].length);
        }
        this.#rest = text;
        return events;
    }

    #line(line) {
        if (line === "") return this.#complete();
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /u, "");
        if (name === "data") this.#data.push(value);
        else if (name === "id" && !value.includes("\0")) this.#id = value;
        return name === "" ? Object.freeze({ data: null, id: null }) : null;
    }

    #complete() {
        if (this.#data.length === 0 && this.#id === null) return null;
        const event = Object.freeze({ data: this.#data.length > 0 ? this.#data.join("\n") : null, id: this.#id });
        this.#data = [];
        this.#id = null;
        return event;
    }
}
