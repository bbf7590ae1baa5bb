// What the table shows before the user chooses, and the names of its sorts in addresses.

/** Metrics by which layers are compared, the best first; of each list the first one that the run has. */
const PREFERRED = Object.freeze([
    ["activation_std", "activation_rms"], ["gradient_l2_norm", "gradient_rms"], ["weight_std"], ["update_ratio"],
]);

/** Metrics of the table without a choice, and at most. */
export const FEW_METRICS = 2;
export const MOST_METRICS = 8;

/** The metrics that are asked for before those of the run are known. */
export const FIRST_METRICS = Object.freeze(["activation_std", "activation_rms", "gradient_l2_norm", "weight_std"]);

/**
 * The metrics of the table, `{ name, isDerived }`: the chosen ones that the run has, otherwise that of the worst
 * finding and common ones. `offered` are those of the run, `chosen` names or null.
 */
export function tableMetrics(offered, chosen, ofFinding) {
    const byName = new Map(offered.map((metric) => [metric.name, metric]));
    const known = (names) => names.map((name) => byName.get(name)).filter((metric) => metric !== undefined);
    const kept = known(chosen ?? []).slice(0, MOST_METRICS);
    if (kept.length > 0) return kept;
    const preferred = PREFERRED.map((names) => names.find((name) => byName.has(name)));
    const names = [...new Set([ofFinding, ...preferred, ...byName.keys()])];
    return known(names).slice(0, FEW_METRICS);
}

/** Columns by which rows can be sorted; those of metrics need one. The value is the direction of a first click. */
const COLUMNS = Object.freeze({
    name: "ascending", type: "ascending", depth: "ascending", finding: "descending",
    min: "descending", max: "descending", now: "descending", change: "descending",
});
const OF_METRICS = new Set(["min", "max", "now", "change"]);

/** The worst findings first, then by depth. */
export const DEFAULT_SORT = Object.freeze({ column: "finding", metric: null, direction: "descending" });

/** The sort after a click on a column's title. */
export function sortAfterClick(sort, column, metric = null) {
    const isSame = sort.column === column && sort.metric === metric;
    if (!isSame) return { column, metric, direction: COLUMNS[column] };
    return { column, metric, direction: sort.direction === "ascending" ? "descending" : "ascending" };
}

/** "-min.gradient_l2_norm": a minus for the direction that a first click does not give. */
export function sortText({ column, metric, direction }) {
    return `${direction === COLUMNS[column] ? "" : "-"}${column}${metric === null ? "" : `.${metric}`}`;
}

/** The sort of a text, or the default. */
export function parsedSort(text = "") {
    const [, minus, column, , metric] = /^(-?)(\w+)(\.(.+))?$/su.exec(text) ?? [];
    if (!Object.hasOwn(COLUMNS, column ?? "") || OF_METRICS.has(column) !== (metric !== undefined)) return DEFAULT_SORT;
    const other = COLUMNS[column] === "ascending" ? "descending" : "ascending";
    return { column, metric: metric ?? null, direction: minus === "-" ? other : COLUMNS[column] };
}
