// The metrics of a layer that the page shows, as columns of one flat array per step.
// Their order is the order in `StepRecord.values`; the names are those of the open wire.

const NAMES = [
    "activation_std",
    "activation_mean",
    "gradient_l2_norm",
    "gradient_max_abs",
    "weight_std",
    "weight_spectral_norm",
    "bias_std",
    "bias_mean_abs",
];

/** Every metric: `{ name, column }`. */
export const METRICS = Object.freeze(NAMES.map((name, column) => Object.freeze({ name, column })));

/** The names, as the server is asked for them. */
export const METRIC_NAMES = Object.freeze([...NAMES]);

/** Numbers per layer in `StepRecord.values`. */
export const COLUMN_COUNT = METRICS.length;

/** Column of a metric by its name; throws for a name that does not exist. */
export function columnOf(name) {
    const metric = METRICS.find((candidate) => candidate.name === name);
    if (metric === undefined) throw new RangeError(`no metric named ${name}`);
    return metric.column;
}

/**
 * A value of the server as a number; undefined if there is none.
 * The strings "NaN", "Infinity" and "-Infinity" are the numbers of these names.
 */
export function readNumber(value) {
    if (typeof value === "number") return value;
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    return undefined;
}
