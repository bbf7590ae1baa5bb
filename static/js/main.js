// Entry point of the dashboard page.

import { Dashboard } from "./dashboard.js";
import { Backoff } from "./feed/backoff.js";
import { Feed } from "./feed/feed.js";
import { foreignOwnOrigin } from "./feed/own-origin.js";
import { checkSession, hasSession, logout } from "./feed/session.js";
import { element } from "./view/dom.js";
import { KeysHelp } from "./view/keys-help.js";

function socketAddress() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    return `${scheme}//${location.host}/ws`;
}

/** The run named in the address, `#run=ID`, or null. */
function runOfAddress() {
    const match = /^#run=(.+)$/su.exec(location.hash);
    if (match === null) return null;
    try {
        return decodeURIComponent(match[1]);
    } catch {
        return null;
    }
}

/** Shows why the server rejects the WebSocket of its own page, if the reason can be determined. */
async function explainRefusal() {
    const origin = await foreignOwnOrigin();
    if (origin === null) return;
    dashboard.notify(
        `This page is at ${location.origin}, but the server's own address is ${origin}, so it refuses the page's `
        + "connection. The usual cause is a proxy that terminates TLS: see SECURITY.md, “Behind a proxy”.");
}

const dashboard = new Dashboard();
const { onOpen, ...handlers } = dashboard.feedHandlers;
let hasBeenOpen = false;

const feed = new Feed({
    openSocket: () => new WebSocket(socketAddress()),
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
        if (answer.reason === "login") location.assign("/login");
        if (answer.retry && !hasBeenOpen) await explainRefusal();
        if (answer.reason === "forbidden") dashboard.notify("This token lacks the scope read.");
        return answer;
    },
});

dashboard.start(feed, runOfAddress());
new KeysHelp();
addEventListener("online", () => feed.retryNow());
addEventListener("hashchange", () => {
    const run = runOfAddress();
    if (run !== null) dashboard.select(run);
});

element("logout").addEventListener("click", async () => {
    feed.stop();
    dashboard.stop();
    try {
        await logout();
    } finally {
        location.assign("/login");
    }
});
hasSession().then((isProtected) => {
    element("logout").hidden = !isProtected;
});
