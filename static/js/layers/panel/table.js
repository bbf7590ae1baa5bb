// The charts of a layer as a table: their text alternative.

import { formatCount, formatNumber } from "../../model/format.js";
import { element, setText } from "../../view/dom.js";

function cell(tag, text, scope = null) {
    const node = document.createElement(tag);
    node.textContent = text;
    if (scope !== null) node.scope = scope;
    return node;
}

/** A bucket's last value, and how many of it are not finite. */
function bucketText({ last, nonfinite }, index) {
    const value = formatNumber(last[index]);
    const isHidden = nonfinite[index] > 0 && Number.isFinite(last[index]);
    return isHidden ? `${value} (${formatCount(nonfinite[index])} not finite)` : value;
}

/** Fills the table with the buckets of a series; `entries` are `{ metric, curve }`. */
export function fillTable(series, entries) {
    const isFinest = series.steps.every((step, index) => step === series.lastSteps[index]);
    const caption = isFinest ? "Each row is one step." : "Each row has the last value of some steps.";
    setText(element("layer-panel-caption"), caption);
    const titles = document.createElement("tr");
    titles.append(cell("th", "Step", "col"), ...entries.map(({ metric }) => cell("th", metric, "col")));
    element("layer-panel-columns").replaceChildren(titles);
    element("layer-panel-rows").replaceChildren(...series.steps.map((step, index) => {
        const row = document.createElement("tr");
        const last = series.lastSteps[index];
        const range = step === last ? formatCount(step) : `${formatCount(step)}–${formatCount(last)}`;
        row.append(cell("th", range, "row"), ...entries.map(({ curve }) => cell("td", bucketText(curve.lists, index))));
        return row;
    }));
}
