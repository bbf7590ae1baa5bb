// The checks of layer health that could not run on a run, in words: what each needs, and for which networks it is made.

/** What the inputs of a check belong to. Other checks are for any network. */
const ONLY_FOR = Object.freeze({
    dead_units: "layers before a ReLU",
    saturation: "layers before a sigmoid or tanh, and recurrent ones",
    underflow: "training in half precision",
    overflow: "training in half precision",
    router_collapse: "mixtures of experts",
    attention_logits: "attention",
    entropy_collapse: "attention",
});

/** The fold's title. */
export function missingTitle(count) {
    const [checks, their] = count === 1 ? ["check", "its"] : ["checks", "their"];
    return `${count} ${checks} could not run: ${their} numbers are not posted`;
}

/** What to do about it, above the list. */
export const MISSING_NOTE = "This is no fault of the network. Each check needs a number that the trainer has not posted. "
    + "The Python client posts those that apply to a watched model (run.watch(model)).";

/**
 * A check as `{ title, needs, onlyFor }`: names of numbers to post, and what they belong to, or "".
 * `rule` is `{ name, hint }` of `Findings.missingRules`; the hint of the server has the names in backticks.
 */
export function missingCheck({ name, hint }) {
    const words = name.replaceAll("_", " ");
    const needs = [...hint.matchAll(/`([^`]+)`/gu)].map(([, number]) => number);
    return { title: words.charAt(0).toUpperCase() + words.slice(1), needs, onlyFor: ONLY_FOR[name] ?? "" };
}
