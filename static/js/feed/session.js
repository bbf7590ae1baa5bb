// The browser's session with the server: is there one, has it ended, end it.

/**
 * Whether this page is protected by a session. Asked without the cookie, the server redirects to the login
 * when it wants one; the cookie itself is HttpOnly and cannot be seen from here.
 */
export async function hasSession() {
    try {
        const answer = await fetch("/", { method: "HEAD", credentials: "omit", redirect: "manual", cache: "no-store" });
        return answer.type === "opaqueredirect";
    } catch {
        return false;
    }
}

/**
 * What to do after the connection was lost: `{ retry: true, delay? }` (milliseconds),
 * or `{ retry: false, reason }` with `login` (the session has ended) or `forbidden`.
 */
export async function checkSession() {
    try {
        const answer = await fetch("/api/v1/runs", { method: "HEAD", cache: "no-store" });
        if (answer.status === 401) return { retry: false, reason: "login" };
        if (answer.status === 403) return { retry: false, reason: "forbidden" };
        const seconds = Number(answer.headers.get("Retry-After") ?? 0);
        return { retry: true, delay: Number.isFinite(seconds) ? seconds * 1000 : 0 };
    } catch {
        // The server is away, which says nothing about the session.
        return { retry: true };
    }
}

/** Ends the session. Sent by fetch, because a form would send `Origin: null` under `Referrer-Policy: no-referrer`. */
export async function logout() {
    await fetch("/logout", { method: "POST", redirect: "manual" });
}
