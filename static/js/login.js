// The login page: sends the token, and shows the reason of a rejection in the form.

import { serverAddress } from "./server-address.js";
import { element } from "./view/dom.js";

const form = element("login");
const field = element("token");
const error = element("login-error");

function refuse(message) {
    error.textContent = message;
    field.setAttribute("aria-invalid", "true");
    field.select();
    field.focus();
}

async function refusal(answer) {
    if (answer.status === 429) {
        return "This token is not valid. Too many wrong tokens came from your address; a valid token is accepted at once.";
    }
    if (answer.status === 401 || answer.redirected) return "This token is not valid.";
    const body = await answer.json().catch(() => null);
    const message = body?.detail?.message ?? `The server answered ${answer.status}.`;
    // The server rejects a request of another origin before it checks the token. The message names the origins.
    return answer.status === 403 ? `The token was not checked. ${message}.` : message;
}

/** The page from which the login was opened, at the view that its fragment names. */
function pageAfterLogin() {
    const next = new URLSearchParams(location.search).get("next");
    // An address of another site must not be led to.
    return serverAddress(next === "docs" ? next : "") + location.hash;
}

// With fetch, a rejection needs no second page, and the fragment of the address is kept: therefore the page is not
// rendered before this script is there. Without scripts, the form works by itself.
form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    field.removeAttribute("aria-invalid");
    const button = form.querySelector("button");
    button.disabled = true;
    try {
        const answer = await fetch(serverAddress("login"), {
            method: "POST",
            body: new URLSearchParams({ token: field.value.trim() }),
        });
        const isStillLogin = answer.redirected && answer.url.startsWith(serverAddress("login"));
        if (answer.ok && !isStillLogin) location.replace(pageAfterLogin());
        else refuse(await refusal(answer));
    } catch {
        refuse("The server does not respond.");
    } finally {
        button.disabled = false;
    }
});

const query = new URLSearchParams(location.search);
if (query.has("failed")) refuse("This token is not valid.");
// A link on another site does not log a browser in, because that site could choose the token.
if (query.has("foreign")) {
    refuse("A link on another site does not log you in. Enter the token here, or paste the link into the address bar.");
}
