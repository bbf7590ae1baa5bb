// The state of the page in its address: `#run=ID&step=N&metric=NAME&...`, and which parts of the page it has.
//
// To add a part: give it `get state()`, an object of short texts under keys of its own, without those at their default,
// and `restore(state)`, which takes its keys from the object and resets those that are absent; list the part in
// `RunView.addressParts` or in main.js. A part that cannot restore at once, because it must read something first,
// returns the wanted state until then: otherwise the address would lose it. The address follows after each paint of the
// dashboard, so a part whose state changed requests a paint and nothing else. Keys in use:
//
// run, runs        the selected run, and the text that the list of runs is narrowed down by (dashboard.js)
// step             the viewed step while paused; absent while live (viewed-step.js)
// metric, colour   of the heatmap (heatmap/chosen-view.js)
// from, to         the range of steps in view; absent for the ends of the run
// first, last      the ids of the first and the last layer in view; absent for all
// folds            the groups that are folded (heatmap/outline.js)
// scalars          those in the strip, if a person chose (strip/strip.js)
// speed            steps a second while playing (time-travel.js)
// sort, filter, type, group, finding, metrics   of the table of layers (layers/layer-table.js)
// layer            the id of the opened layer (layers/layers.js)

import { isStepNumber, wholeNumber } from "../model/step-number.js";

/** Keys whose new value is an entry of the browser's history, so that Back leads to the value before. */
const VISITED = Object.freeze(["run", "layer"]);

/** The state in a fragment; parts that are no `key=value`, or not decodable, are ignored. */
export function parseAddress(fragment) {
    const state = {};
    for (const part of fragment.replace(/^#/u, "").split("&")) {
        const equals = part.indexOf("=");
        if (equals < 1) continue;
        try {
            const [key, value] = [part.slice(0, equals), part.slice(equals + 1)].map(decodeURIComponent);
            if (value !== "" && Object.hasOwn(state, key) === false && key !== "__proto__") state[key] = value;
        } catch {
            // Not valid UTF-8.
        }
    }
    return state;
}

/** The fragment of a state, with its `#`; empty without a state. */
export function formatAddress(state) {
    const parts = Object.entries(state)
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([key, value]) => `${encode(key)}=${encode(value)}`);
    return parts.length === 0 ? "" : `#${parts.join("&")}`;
}

/** Whether the change from one state to another is a visit of its own in the browser's history. */
export function isVisit(before, after) {
    const isOther = (key) => before[key] !== undefined && after[key] !== undefined && after[key] !== before[key];
    const isOpened = before.layer === undefined && after.layer !== undefined && before.run === after.run;
    return isOpened || VISITED.some(isOther);
}

/** The step number in a text of the address, or null. */
export function stepOf(text) {
    if (!/^\d{1,19}$/u.test(text ?? "")) return null;
    const step = wholeNumber(text);
    return isStepNumber(step) ? step : null;
}

/** Slashes and colons, which layer ids are full of, stay readable: a fragment may have them. */
function encode(text) {
    // A lone surrogate cannot be encoded.
    return encodeURIComponent(String(text).toWellFormed?.() ?? String(text)).replace(/%2F/gu, "/").replace(/%3A/gu, ":");
}
