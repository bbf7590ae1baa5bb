// Numbers and steps of the heatmap as text.

import { formatCount, formatNumber } from "../../model/format.js";
import { alertSeverityText } from "../../model/verdict/severity.js";

/** Where a value has no ratio to the median: one of them is missing or not finite. */
const NO_RATIO = formatNumber(undefined);

/** Three significant digits at most, without zeros at the end: for legends. */
export function formatShort(value) {
    if (value === 0 || !Number.isFinite(value)) return formatNumber(value);
    const size = Math.abs(value);
    const rounded = Number(value.toPrecision(3));
    const text = size >= 1e-3 && size < 1e4 ? String(rounded) : rounded.toExponential().replace("e+", "e");
    return text.replaceAll("-", "−");
}

/** "step 7" or "steps 8–11" of a column. */
export function formatSteps(first, last) {
    return first === last ? `step ${formatCount(first)}` : `steps ${formatCount(first)}–${formatCount(last)}`;
}

/** The value of a cell as text. */
export function formatCell(matrix, index) {
    if (matrix.isMissing(index)) return "no value";
    const value = matrix.last[index];
    if (!matrix.isBroken(index)) return Number.isFinite(value) ? formatNumber(value) : `beyond ${formatShort(3.4e38)}`;
    const count = matrix.nonfinite[index];
    if (!Number.isFinite(value)) return formatNumber(value);
    return `${formatNumber(value)}, with ${formatCount(count)} not finite`;
}

/** The cell at a line and column as text, for the readout and for assistive technology. */
export function describeCell({ matrix, layer, sharing, column, ratio, entry }) {
    const steps = formatSteps(matrix.steps[column], matrix.lastSteps[column]);
    const parts = [`${steps} · ${matrix.layers[layer]}`];
    if (sharing > 1) parts[0] += ` (stands out of ${sharing} layers in this line)`;
    const index = layer * matrix.columns + column;
    const value = `${matrix.metric} ${formatCell(matrix, index)}`;
    parts.push(ratio === NO_RATIO || matrix.isMissing(index) ? value : `${value}, ${ratio} its median`);
    for (const { rule, severity, own, firstStep } of entry?.alerts ?? []) {
        parts.push(`${alertSeverityText(own, severity)}: ${rule.replaceAll("_", " ")} since step ${formatCount(firstStep)}`);
    }
    return parts.join(" · ");
}

/**
 * A cell of the heatmap as text: of the layer, or where it has none of the layer shown of those that share the line.
 * `model` is `{ matrix, shown, medians, findings, window }`.
 */
export function lineText({ matrix, shown, medians, findings, window }, { line, column, layer }) {
    const [begin, end] = window.layersOf(line);
    const isOne = layer !== undefined && window.nodeOf(line) === null;
    const row = isOne ? layer : Math.max(begin, shown.at([begin, end], column));
    const ratio = ratioText(matrix.last[row * matrix.columns + column], medians[row]);
    const entry = findings.of(matrix.layers[row]);
    return describeCell({ matrix, column, layer: row, sharing: isOne ? 1 : end - begin, ratio, entry });
}

/**
 * `{ text, valueText }`: a cell, or the whole picture if it is null, and the layer at the cursor. `picture` is that of
 * `lineText`, with `seamText(column)` and `hoverNode`, a node whose bar is under the pointer, or null.
 */
export function cursorTexts(picture, cell, cursor, layer) {
    const { matrix, window, seamText, hoverNode } = picture;
    const textOf = (each) => lineText(picture, each) + seamText(each.column);
    const line = Math.max(0, window.lineOf(layer));
    return {
        text: hoverNode !== null ? foldText(hoverNode, window.rows)
            : cell === null ? pictureText(matrix, window.rows) : textOf(cell),
        valueText: cursor < 0 ? "no step in view" : textOf({ line, column: cursor, layer }),
    };
}

function foldText(node, rows) {
    const action = rows.nodeOf(rows.rowOf(node.begin)) === node ? "unfold" : "fold";
    return `${node.name}: ${formatCount(node.end - node.begin)} layers · click to ${action}`;
}

function pictureText(matrix, rows) {
    const bucket = matrix.isFinest ? "each column is one step"
        : `the first column has ${formatSteps(matrix.steps[0], matrix.lastSteps[0])}`;
    const folded = rows.count < rows.layers ? ` in ${formatCount(rows.count)} rows` : "";
    return `${matrix.rows} layers${folded} × ${matrix.columns} columns; ${bucket}`;
}

/** An item of the tree for assistive technology: `{ text, level, isExpanded, position, count }`. */
export function itemText({ node, layer, level, isFolded, position, count }, tree, findings) {
    const [begin, end] = node === null ? [layer, layer + 1] : [node.begin, node.end];
    let sick = 0;
    for (let row = begin; row < end; row += 1) if (findings.of(tree.ids[row]) !== undefined) sick += 1;
    const name = node === null ? tree.ids[layer] : `${node.name}, ${formatCount(end - begin)} layers`;
    const note = sick === 0 ? "" : node === null ? `, ${findings.of(tree.ids[layer]).severity}` : `, ${sick} with findings`;
    return { text: name + note, level, isExpanded: node === null ? null : !isFolded, position, count };
}

/** A value relative to the layer's median, "0.5×", or a dash. */
export function ratioText(value, median) {
    const ratio = Math.abs(value) / median;
    if (Number.isNaN(ratio)) return formatNumber(undefined);
    return Number.isFinite(ratio) ? `${formatShort(ratio)}×` : NO_RATIO;
}
