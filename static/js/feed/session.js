// The browser's session with the server: whether it exists, whether it has ended, and how to end it.

import { serverAddress } from "../server-address.js";

/**
 * Whether the server requires a session for this page: then it redirects a request without the cookie to the login.
 * The cookie itself is HttpOnly, so scripts cannot read it.
 */
export async function hasSession() {
    try {
        const options = { method: "HEAD", credentials: "omit", redirect: "manual", cache: "no-store" };
        const answer = await fetch(serverAddress(), options);
        return answer.type === "opaqueredirect";
    } catch {
        return false;
    }
}

/**
 * What to do after the connection was lost: `{ retry: true, isReachable, delay? }` (milliseconds),
 * or `{ retry: false, reason }` with `login` (the session has ended) or `forbidden`.
 */
export async function checkSession() {
    try {
        const answer = await fetch(serverAddress("api/v1/runs"), { method: "HEAD", cache: "no-store" });
        if (answer.status === 401) return { retry: false, reason: "login" };
        if (answer.status === 403) return { retry: false, reason: "forbidden" };
        const seconds = Number(answer.headers.get("Retry-After") ?? 0);
        return { retry: true, isReachable: answer.ok, delay: Number.isFinite(seconds) ? seconds * 1000 : 0 };
    } catch {
        // Without a response, it is unknown whether the session has ended.
        return { retry: true, isReachable: false };
    }
}

/** Ends the session. Sent by fetch, because a form would send `Origin: null` under `Referrer-Policy: no-referrer`. */
export async function logout() {
    await fetch(serverAddress("logout"), { method: "POST", redirect: "manual" });
}
