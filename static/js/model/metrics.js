// The metrics of a layer, as columns of one flat array per step.
// Their order is the order in `StepRecord.values`; `path` is the place of the number in a layer of a STEP.

const DEFINITIONS = [
    ["activation_std", "activation std", ["intermediate_features", "activation_std"]],
    ["activation_mean", "activation mean", ["intermediate_features", "activation_mean"]],
    ["cross_layer_std_ratio", "cross-layer std ratio", ["intermediate_features", "cross_layer_std_ratio"]],
    ["gradient_l2_norm", "gradient L2 norm", ["gradient_flow", "gradient_l2_norm"]],
    ["gradient_std", "gradient std", ["gradient_flow", "gradient_std"]],
    ["gradient_max_abs", "gradient max", ["gradient_flow", "gradient_max_abs"]],
    ["weight_std", "weight std", ["parameter_statistics", "weight", "std"]],
    ["weight_mean", "weight mean", ["parameter_statistics", "weight", "mean"]],
    ["weight_spectral_norm", "weight spectral norm", ["parameter_statistics", "weight", "spectral_norm"]],
    ["weight_frobenius_norm", "weight Frobenius norm", ["parameter_statistics", "weight", "frobenius_norm"]],
    ["bias_std", "bias std", ["parameter_statistics", "bias", "std"]],
    ["bias_mean_abs", "bias mean |b|", ["parameter_statistics", "bias", "mean_abs"]],
];

/** Every metric: `{ name, label, path, column }`. */
export const METRICS = Object.freeze(
    DEFINITIONS.map(([name, label, path], column) => Object.freeze({ name, label, path, column })),
);

/** Numbers per layer in `StepRecord.values`. */
export const COLUMN_COUNT = METRICS.length;

/** Column of a metric by its name; throws for a name that does not exist. */
export function columnOf(name) {
    const metric = METRICS.find((candidate) => candidate.name === name);
    if (metric === undefined) throw new RangeError(`no metric named ${name}`);
    return metric.column;
}

/**
 * Reads one metric of a layer.
 * Returns undefined if the layer does not report it (null, or absent in the lite form).
 * The strings "NaN", "Infinity" and "-Infinity" are the numbers of these names.
 */
export function readMetric(layer, path) {
    let value = layer;
    for (const key of path) {
        if (value === null || value === undefined) return undefined;
        value = value[key];
    }
    if (typeof value === "number") return value;
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    return undefined;
}
