// One read over HTTP. All reads of the page go through here, so that an answer that cannot be read is shown.

import { excerpt, problems } from "../problems.js";
import { serverAddress } from "../server-address.js";
import { parseExact } from "./exact-json.js";

/** The server refused a read; `status` is that of its answer. */
export class ReadError extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}

/** The server did not answer, or the connection was cut: a TypeError, as `fetch` throws it. The mark shows it. */
export class ConnectionLost extends TypeError {}

/** The answer does not have the expected form. The page lists it among its problems. */
export class UnreadableAnswer extends Error {}

/** The problems that end with a signal. */
const watched = new WeakMap();

const ADVICE = "A proxy on the way may have changed it, or wants a login. Open the address in another tab to see, then "
    + "reload this page.";

/** Aborted when the page is left: the server then ends what it is sending, which the browser would report as errors. */
const leaving = new AbortController();

/** Ends all reads, for good. */
export function endReads() {
    leaving.abort();
}

/** Aborted with any of the two; old browsers lack `any`, and abort with the read's own signal only. */
function joined(signal) {
    if (signal === undefined) return leaving.signal;
    return AbortSignal.any?.([signal, leaving.signal]) ?? signal;
}

/**
 * Reads a path of the server.
 * @param path without a slash in front, with its query
 * @param what the object of the read in words, which is the key of the problem: "the findings"
 * @param parse makes the value of the text, or of an ArrayBuffer with `isBinary`; throws if it cannot
 * @param options those of `fetch`
 * @returns `{ value, answer }`
 */
export async function read(path, { what, parse = parseExact, isBinary = false, ...options }) {
    const { signal } = options;
    let answer;
    let body;
    try {
        answer = await fetch(serverAddress(path), { cache: "no-store", ...options, signal: joined(signal) });
        if (!answer.ok) throw new ReadError(answer.status, `the server answered with status ${answer.status}`);
        body = isBinary ? await answer.arrayBuffer() : await answer.text();
    } catch (error) {
        if (signal?.aborted || error instanceof ReadError) throw error;
        throw new ConnectionLost("the server did not answer", { cause: error });
    }
    let value;
    try {
        value = parse(body);
    } catch (error) {
        if (!signal?.aborted) report(path, what, { answer, body, error, signal });
        throw new UnreadableAnswer(`${what} cannot be read: ${error.message}`, { cause: error });
    }
    problems.remove(what);
    return { value, answer };
}

function report(path, what, { answer, body, error, signal }) {
    const type = answer.headers?.get("Content-Type")?.split(";")[0] ?? "of an unknown type";
    const content = typeof body === "string" ? excerpt(body) : `${body.byteLength} bytes`;
    // Of a page of HTML the parser says nothing that the excerpt does not show.
    const why = type === "text/html" ? "" : ` (${error.message})`;
    const subject = `${what[0].toUpperCase()}${what.slice(1)}`;
    const address = `GET ${path.split("?")[0]}`;
    problems.report(what, `${subject} cannot be read: the answer to ${address} is ${type}, ${content}${why}. ${ADVICE}`);
    // When another run is selected, the problem is no longer about the page.
    if (signal === undefined || watched.get(signal)?.has(what)) return;
    watched.set(signal, (watched.get(signal) ?? new Set()).add(what));
    signal.addEventListener("abort", () => problems.remove(what), { once: true });
}

/** Throws unless a value has these members, each of a type of `typeof`, or `array`. Returns the value. */
export function requireMembers(value, members) {
    for (const [name, type] of Object.entries(members)) {
        const member = value?.[name];
        const isRight = type === "array" ? Array.isArray(member) : typeof member === type && member !== null;
        if (!isRight) throw new SyntaxError(`it has no ${type} “${name}”`);
    }
    return value;
}
