// The login page: sends the token, and shows the reason of a refusal in place.

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
    // The server refuses a page of another origin before it looks at the token, and says which origins these are.
    return answer.status === 403 ? `The token was not checked. ${message}.` : message;
}

// By fetch, so that a refusal needs no second page. The form alone works too, without this script.
form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    field.removeAttribute("aria-invalid");
    const button = form.querySelector("button");
    button.disabled = true;
    try {
        const answer = await fetch("/login", {
            method: "POST",
            body: new URLSearchParams({ token: field.value.trim() }),
        });
        const isStillLogin = answer.redirected && new URL(answer.url).pathname === "/login";
        if (answer.ok && !isStillLogin) location.replace("/");
        else refuse(await refusal(answer));
    } catch {
        refuse("The server does not respond.");
    } finally {
        button.disabled = false;
    }
});

const query = new URLSearchParams(location.search);
if (query.has("failed")) refuse("This token is not valid.");
// A browser that follows a link of another site is not logged in by it: the site could choose the token.
if (query.has("foreign")) {
    refuse("A link on another site does not log you in. Enter the token here, or paste the link into the address bar.");
}
