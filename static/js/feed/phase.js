/**
 * Phases of `Feed.state`: `{ phase, until, isFallback, lostAt, text, reason }`. `until` (clock milliseconds) only while
 * waiting; `isFallback` whether events are used; `lostAt` when the page was last connected, null while it is and before
 * the first time; `text` why the server refused the last attempt, or ""; `reason` of a stop, that of the session check.
 */
export const Phase = Object.freeze({
    connecting: "connecting",
    open: "open",
    waiting: "waiting",
    stopped: "stopped",
});
