// Values of layer metrics. The names of the metrics are those of the open wire.

/**
 * A value of the server as a number; undefined if there is none.
 * The strings "NaN", "Infinity" and "-Infinity" are the numbers of these names.
 */
export function readNumber(value) {
    if (typeof value === "number") return value;
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    return undefined;
}
