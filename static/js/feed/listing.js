// The list of runs over HTTP. The WebSocket sends it only once, and says nothing of runs that are evicted.

/** `{ listing, clockOffset, requestedAt }` (milliseconds), or null when it could not be had. */
export async function fetchListing() {
    const requestedAt = Date.now();
    try {
        const answer = await fetch("/api/v1/runs", { cache: "no-store" });
        if (!answer.ok) return null;
        const serverTime = Date.parse(answer.headers.get("Date") ?? "");
        // `Date` has whole seconds, so half a second is the best guess for the rest.
        const clockOffset = Number.isNaN(serverTime) ? 0 : (requestedAt + Date.now()) / 2 - (serverTime + 500);
        return { listing: await answer.json(), clockOffset: Math.abs(clockOffset) < 2000 ? 0 : clockOffset, requestedAt };
    } catch {
        return null;
    }
}
