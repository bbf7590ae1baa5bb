// What the heatmap shows before the user chooses.

/** The metrics of a run to choose from, posted ones first; the server computes the others. */
export function offeredMetrics({ metrics = [], derived = [] }) {
    return [...metrics.map((name) => ({ name, isDerived: false })), ...derived.map((name) => ({ name, isDerived: true }))];
}

/** The metrics to begin with where no finding names one, the best first. */
const FIRST_CHOICES = ["activation_std", "gradient_l2_norm", "update_ratio", "weight_std"];

/** The metric to begin with: that of the worst finding, otherwise a common one. Null if the run has none. */
export function metricToShow(offered, ofFinding) {
    const names = offered.map(({ name }) => name);
    return [ofFinding, ...FIRST_CHOICES].find((name) => names.includes(name)) ?? names[0] ?? null;
}

/** A layer that is sick from this share of the run on differs from other layers, not from its own past. */
const FROM_THE_START = 0.05;

/** The colouring to begin with: `ratio` to each layer's own median, or `value`. */
export function colouringToShow(matrix, findings) {
    const column = findings.originStep === null ? Infinity : matrix.columnOf(findings.originStep);
    return column <= FROM_THE_START * matrix.columns ? "value" : "ratio";
}
