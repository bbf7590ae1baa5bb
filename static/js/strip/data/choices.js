// Which scalars are drawn: those that a person chose, otherwise the usual ones.

import { lossName } from "../../model/verdict/loss.js";

/** Most scalars drawn at once. */
export const MOST_CHOSEN = 12;

const RATES = ["lr", "train/lr", "learning_rate", "train/learning_rate"];
const NORMS = ["grad_norm", "train/grad_norm"];
/** Scalars drawn of a run that has none of the usual names. */
const OTHERS = 3;

/** Loss, learning rate and gradient norm, as far as the run has them; otherwise its first scalars. */
export function usualScalars(names) {
    const rate = RATES.find((name) => names.includes(name)) ?? names.find((name) => /^(train\/)?lr\//u.test(name));
    const norm = NORMS.find((name) => names.includes(name));
    const usual = [lossName(names), rate, norm].filter((name) => typeof name === "string");
    // A run of v1 has hundreds of ratios between layers; a single one is of no use.
    return usual.length > 0 ? usual : names.filter((name) => !name.startsWith("gradient_norm_ratio/")).slice(0, OTHERS);
}

/** The scalars to draw of a run with these names. `chosen` is null, or a list that may have names of other runs. */
export function scalarsToShow(names, chosen) {
    if (chosen === null) return usualScalars(names);
    const known = chosen.filter((name) => names.includes(name)).slice(0, MOST_CHOSEN);
    // A choice made for runs with other names would leave this one without a picture. An empty choice is intended.
    return known.length === 0 && chosen.length > 0 ? usualScalars(names) : known;
}

/** Names as one text; commas within them are quoted. */
export function listText(names) {
    return names.map((name) => name.replace(/[\\,]/gu, "\\$&")).join(",");
}

/** The names of a text made by `listText`. */
export function namesOf(text) {
    if (text === "") return [];
    const names = [""];
    for (let index = 0; index < text.length; index += 1) {
        if (text[index] === ",") names.push("");
        else {
            if (text[index] === "\\") index += 1;
            names[names.length - 1] += text[index] ?? "";
        }
    }
    return names;
}
