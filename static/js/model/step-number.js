// Step numbers: whole numbers of up to 63 bits, exact.
//
// A step number is a JavaScript number if that is exact, otherwise a BigInt. So each value has one form, and `===`, `<`
// and the keys of a Map work for both. Arithmetic and Math.max do not mix them.

/** Whether this is a step number. */
export function isStepNumber(value) {
    return typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value));
}

/** The step number of decimal digits, in its one form. */
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
