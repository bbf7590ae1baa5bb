// JSON whose whole numbers are exact. JSON.parse rounds those beyond 2^53 to the nearest double.

import { wholeNumber } from "../model/step-number.js";

/** The keys whose values are whole numbers of up to 63 bits in what the server sends. */
const WHOLE_NUMBERS = new Set([
    "step", "latest_step", "first_step", "last_step", "from_step", "opened_step", "escalated_step", "closed_step",
    "worst_step", "batch_size", "depth",
]);

/** The keys of lists of step numbers. */
const STEP_LISTS = new Set(["steps", "last_steps"]);

/** A value of this length may be beyond 2^53. Few messages have one. */
const MAY_BE_LONG = /[:,[]-?\d{16}/;

/**
 * A string and, if it is a key before a long whole number or a list of whole numbers, that number or list. In valid
 * JSON a quote outside of a string begins one, so a match never begins inside of a string.
 */
const STRING_AND_NUMBER = /"((?:[^"\\]|\\.)*)"(?::(?:(-?\d{16,})(?=[,}])|\[(\d[\d,]*)\]))?/g;

/**
 * The value of a JSON text, as JSON.parse gives it, except that the whole numbers of steps beyond 2^53 are BigInts.
 * Throws SyntaxError as JSON.parse does. The text is compact, as the server writes it.
 */
export function parseExact(text) {
    const value = JSON.parse(text);
    if (!MAY_BE_LONG.test(text)) return value;
    // The text is valid: a long number is quoted, read as a string under its key, and made a number again.
    const quoted = text.replace(STRING_AND_NUMBER, (match, key, digits, list) => {
        if (digits !== undefined && WHOLE_NUMBERS.has(key)) return `"${key}":"${digits}"`;
        return list !== undefined && STEP_LISTS.has(key) ? `"${key}":["${list.replaceAll(",", '","')}"]` : match;
    });
    const exact = JSON.parse(quoted);
    restoreNumbers(exact);
    return exact;
}

/** Makes numbers of the strings under the keys of whole numbers. A reviver would take ten times as long. */
function restoreNumbers(value) {
    for (const key of Object.keys(value)) {
        const member = value[key];
        if (typeof member === "string") {
            if (WHOLE_NUMBERS.has(key)) value[key] = wholeNumber(member);
        } else if (STEP_LISTS.has(key) && typeof member?.[0] === "string") {
            value[key] = member.map(wholeNumber);
        } else if (member !== null && typeof member === "object") {
            restoreNumbers(member);
        }
    }
}
