// The login page: sends the token, and says in place why it was not taken.

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
        const seconds = answer.headers.get("Retry-After");
        return `Too many attempts. Try again${seconds === null ? " later" : ` in ${seconds} s`}.`;
    }
    if (answer.status === 401 || answer.status === 403 || answer.redirected) return "This token is not valid.";
    const body = await answer.json().catch(() => null);
    return body?.detail?.message ?? `The server answered ${answer.status}.`;
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
        refuse("The server does not answer.");
    } finally {
        button.disabled = false;
    }
});

if (new URLSearchParams(location.search).has("failed")) refuse("This token is not valid.");
