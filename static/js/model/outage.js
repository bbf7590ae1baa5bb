// What the page says while it is not connected and shows what it received before.

import { Phase } from "../feed/phase.js";
import { formatClock } from "./format.js";

/** A connection that returns within this time (milliseconds) is not worth a line. */
const BRIEF = 3_000;

/**
 * `{ text, next, canLogIn, canRetry }`, or null while there is nothing to say. `next` is when the page tries again.
 * @param connection the state of the feed
 * @param now milliseconds
 */
export function outage({ phase, until, lostAt, text, reason }, now) {
    const since = lostAt === null || lostAt === undefined ? "" : ` since ${formatClock(lostAt)}`;
    const kept = "What is on screen stays, and is from before.";
    if (phase === Phase.stopped) {
        if (reason === "login") {
            const why = "The session has ended: logged out elsewhere, older than 12 hours, or the token is no longer valid.";
            return { text: `${why} ${kept}`, next: "", canLogIn: true, canRetry: false };
        }
        if (reason !== "forbidden") return null;
        const why = "This token lacks the scope read, which the page needs.";
        return { text: `${why} Log in with another one.`, next: "", canLogIn: true, canRetry: false };
    }
    const isLong = lostAt !== null && lostAt !== undefined && now - lostAt >= BRIEF;
    if (phase === Phase.open || !isLong) return null;
    const seconds = phase === Phase.waiting ? Math.max(0, Math.ceil((until - now) / 1000)) : null;
    const next = seconds === null ? "Trying now." : `Next attempt in ${seconds} s.`;
    const why = text === "" ? `The server has not answered${since}.` : `The server has refused the page${since}: ${text}.`;
    return { text: `${why} ${kept}`, next, canLogIn: false, canRetry: phase === Phase.waiting };
}
