// The keys of the player, which work on the whole page.

import { isTyped } from "./dom.js";

const ACTIONS = Object.freeze({
    " ": { name: "toggle" },
    ArrowLeft: { name: "back", repeats: true },
    ArrowRight: { name: "forward", repeats: true },
    Home: { name: "first" },
    End: { name: "last" },
    p: { name: "play" },
    n: { name: "finding", by: 1 },
    N: { name: "finding", by: -1 },
    g: { name: "jump" },
});

/** What a key does, `{ name, by, repeats }`; null if it is not the player's. `slider` has some of these keys itself. */
export function playerAction(event, slider) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return null;
    const action = ACTIONS[event.key];
    if (action === undefined || (event.shiftKey && event.key !== "N")) return null;
    const { target } = event;
    // Fields and modal dialogs use these keys themselves, and a focused button or link uses the space key. The button
    // of the selected run does not: it has the focus after a click, and selecting it again does nothing.
    if (isTyped(target) || target.closest("dialog:modal") !== null) return null;
    const takesSpace = "button:not([aria-current=true]), a, summary, input[type=checkbox]";
    if (event.key === " " && target.closest(takesSpace)) return null;
    const isOfSlider = target === slider && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key);
    return isOfSlider ? null : action;
}
