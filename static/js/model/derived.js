// Metrics that are computed from posted ones, by the formulas of SCHEMA.md, "Derived metrics". Steps do not carry them,
// so the page computes their values at the viewed step; over the whole run they are read from the server.

/** What the number of weights is computed from where the layer has no `parameters`. */
const COUNT_INPUTS = ["weight_frobenius_norm", "weight_std", "weight_mean"];

const FORMULAS = {
    gradient_to_weight: {
        inputs: ["gradient_l2_norm", "weight_frobenius_norm"],
        compute: ([gradient, weight]) => gradient / weight,
    },
    stable_rank: {
        inputs: ["weight_frobenius_norm", "weight_spectral_norm"],
        compute: ([frobenius, spectral]) => (frobenius * frobenius) / (spectral * spectral),
    },
    gradient_rms: {
        inputs: ["gradient_l2_norm"],
        needsCount: true,
        compute: ([gradient], count) => gradient / Math.sqrt(count),
    },
    heavy_tail: {
        inputs: ["gradient_l2_norm", "gradient_max_abs"],
        needsCount: true,
        compute: ([gradient, maximum], count) => maximum / (gradient / Math.sqrt(count)),
    },
};

/** The posted metrics that are needed for the values of `{ name, isDerived }`. */
export function postedNames({ name, isDerived }) {
    if (!isDerived) return [name];
    const formula = Object.hasOwn(FORMULAS, name) ? FORMULAS[name] : undefined;
    return formula === undefined ? [] : [...new Set([...formula.inputs, ...(formula.needsCount ? COUNT_INPUTS : [])])];
}

/** The value of a derived metric; undefined where an input is missing. `valueOf(name)` is a posted value. */
export function derivedValue(name, valueOf, parameters) {
    if (!Object.hasOwn(FORMULAS, name)) return undefined;
    const { inputs, needsCount, compute } = FORMULAS[name];
    const values = inputs.map(valueOf);
    if (values.includes(undefined)) return undefined;
    const count = needsCount ? weightCount(valueOf, parameters) : 1;
    if (count === undefined) return undefined;
    const value = compute(values, count);
    // 0 / 0 has no value. The result of a NaN or an infinity is NaN.
    return Number.isNaN(value) && values.every(Number.isFinite) ? undefined : value;
}

/** The value of `{ name, isDerived }` of a layer, by position, in the record of a step; undefined if it has none. */
export function metricValue(record, { name, isDerived }, index) {
    if (!isDerived) return record.value(name, index);
    const parameters = record.structure.layers[index]?.parameters;
    return derivedValue(name, (input) => record.value(input, index), parameters);
}

function weightCount(valueOf, parameters) {
    if (parameters !== undefined) return parameters > 0 ? Number(parameters) : undefined;
    const [frobenius, deviation, mean] = COUNT_INPUTS.map(valueOf);
    const count = (frobenius * frobenius) / (deviation * deviation + mean * mean);
    return count > 0 && Number.isFinite(count) ? count : undefined;
}
