// Whether the server takes this page's address for its own. Where it does not, it refuses the page's WebSocket, and a
// browser does not say why.

/**
 * The origin that the server takes for its own, or null when it is this page's or cannot be told. The server names the
 * address of its WebSocket in the Content-Security-Policy of its pages.
 */
export async function foreignOwnOrigin(page = location) {
    const answer = await fetch("/login", { method: "HEAD", cache: "no-store" }).catch(() => null);
    const policy = answer?.headers.get("Content-Security-Policy") ?? "";
    const named = /\bws(s?:\/\/[^\s;]+)/u.exec(policy)?.[1];
    if (named === undefined) return null;
    const origin = `http${named}`;
    return origin === page.origin ? null : origin;
}
