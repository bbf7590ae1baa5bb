// The verdict of the selected run in the page's title and icon.

import { setAttribute, setText } from "../dom.js";

export class TabMark {
    #title = document.querySelector("title");
    #icon = document.querySelector("link[rel=icon]");

    /** `severity` is `critical`, `warning`, or anything else for the plain icon. */
    show(title, severity) {
        setText(this.#title, title);
        const variant = severity === "critical" || severity === "warning" ? `-${severity}` : "";
        setAttribute(this.#icon, "href", `static/favicon${variant}.svg`);
    }
}
