// Step numbers: whole numbers of up to 63 bits, exact.
//
// A number is a JavaScript number where that is exact, else a BigInt. So every value has one form: `===`, `<` and the
// keys of a Map work for both. Arithmetic and Math.max do not mix them.

/** Whether this is a step number. */
export function isStepNumber(value) {
    return typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value));
}

/** The whole number that decimal digits name, in its one form. */
export function wholeNumber(digits) {
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value : BigInt(digits);
}

/** The higher of two step numbers; null counts as none. */
export function highest(a, b) {
    if (a === null || b === null) return a ?? b;
    return a < b ? b : a;
}

/** Orders step numbers, for `sort`. */
export function compareSteps(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
}
