// Detects that the server's own origin differs from this page's. Then the server rejects the page's WebSocket, and the
// browser does not report the reason.

import { serverAddress } from "../server-address.js";

/**
 * The server's own origin; null if it equals this page's or cannot be determined. It is read from the WebSocket's
 * address in the Content-Security-Policy of the login page.
 */
export async function foreignOwnOrigin(page = location) {
    const answer = await fetch(serverAddress("login"), { method: "HEAD", cache: "no-store" }).catch(() => null);
    const policy = answer?.headers.get("Content-Security-Policy") ?? "";
    const named = /\bws(s?:\/\/[^\s;]+)/u.exec(policy)?.[1];
    if (named === undefined) return null;
    const origin = `http${named}`;
    return origin === page.origin ? null : origin;
}
