// Entry point of the dashboard page.

import { Dashboard } from "./dashboard.js";
import { Backoff } from "./feed/backoff.js";
import { Feed } from "./feed/feed.js";
import { foreignOwnOrigin } from "./feed/own-origin.js";
import { checkSession, hasSession, logout } from "./feed/session.js";
import { EventsTransport, SocketTransport } from "./feed/transport/transports.js";
import { PageAddress } from "./address/page-address.js";
import { serverAddress } from "./server-address.js";
import { element } from "./view/dom.js";
import { KeysHelp } from "./view/keys-help.js";

/** Shows why the server rejects the WebSocket of its own page, if the reason can be determined. */
async function explainRefusal() {
    const origin = await foreignOwnOrigin();
    if (origin === null) return;
    dashboard.notify(
        `This page is at ${location.origin}, but the server's own address is ${origin}, so it refuses the page's `
        + "WebSocket. The usual cause is a proxy that terminates TLS: see SECURITY.md, “Behind a proxy”.");
}

const address = new PageAddress();
const dashboard = new Dashboard({ onPaint: () => address.update(), onLeave: () => address.flush() });
address.add(...dashboard.addressParts);
const { onOpen, ...handlers } = dashboard.feedHandlers;
let hasBeenOpen = false;

const feed = new Feed({
    openSocket: () => new SocketTransport(),
    openEvents: () => new EventsTransport(),
    backoff: new Backoff(),
    clock: {
        now: () => Date.now(),
        setTimeout: (action, delay) => setTimeout(action, delay),
        clearTimeout: (timer) => clearTimeout(timer),
    },
    handlers: {
        ...handlers,
        onOpen() {
            hasBeenOpen = true;
            onOpen();
        },
    },
    checkSession: async () => {
        const answer = await checkSession();
        // What is on screen stays, with a link to the login. The fragment leads back to the view.
        if (answer.reason === "login" && !dashboard.hasContent) location.assign(serverAddress("login") + location.hash);
        if (answer.retry && !hasBeenOpen) await explainRefusal();
        return answer;
    },
});

address.restore();
dashboard.start(feed);
new KeysHelp();
addEventListener("online", () => feed.retryNow());

element("logout").addEventListener("click", async () => {
    feed.stop();
    dashboard.stop();
    try {
        await logout();
    } finally {
        location.assign(serverAddress("login"));
    }
});
hasSession().then((isProtected) => {
    element("logout").hidden = !isProtected;
    dashboard.isProtected = isProtected;
});
