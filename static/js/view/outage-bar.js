// The line over the run while the page is not connected.

import { outage } from "../model/outage.js";
import { serverAddress } from "../server-address.js";
import { element, setAttribute, setHidden, setText } from "./dom.js";

export class OutageBar {
    #bar = element("outage");
    #text = element("outage-text");
    #next = element("outage-next");
    #login = element("outage-login");
    #retry = element("outage-retry");

    /** `onLogin()` is called before the link to the login is followed. */
    constructor({ onRetry, onLogin }) {
        this.#retry.addEventListener("click", onRetry);
        this.#login.addEventListener("click", () => {
            onLogin();
            this.#keepView();
        });
    }

    /** `connection` is the state of the feed, `hasContent` whether a run is on screen. Returns whether it is shown. */
    show(connection, hasContent, now) {
        const shown = hasContent || connection.phase === "stopped" ? outage(connection, now) : null;
        setText(this.#text, shown?.text ?? "");
        setText(this.#next, shown?.next ?? "");
        setHidden(this.#bar, shown === null);
        setHidden(this.#login, !shown?.canLogIn);
        setHidden(this.#retry, !shown?.canRetry);
        if (shown?.canLogIn) this.#keepView();
        return shown !== null;
    }

    /** The fragment leads from the login back to this view. */
    #keepView() {
        setAttribute(this.#login, "href", serverAddress("login") + location.hash);
    }
}
