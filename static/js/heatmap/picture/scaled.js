// A matrix with what it takes to draw it: scales, medians, and the layers that stand out.

import { ShownLayers } from "./raster.js";
import { layerMedians, ratioScale, valueScale } from "./scale.js";

/**
 * `{ matrix, colouring, findings, scale, values, medians, shown }`: `scale` is that of the colours, `ratio` to each
 * layer's own median or `value`; `values` that of the values, for axes.
 */
export function scaledMatrix(matrix, colouring, findings) {
    const values = valueScale(matrix);
    const scale = colouring === "ratio" ? ratioScale(matrix) : values;
    const medians = scale.medians ?? layerMedians(matrix);
    const shown = new ShownLayers(matrix, scale, findings.rowsByImportance(matrix.layers));
    return { matrix, colouring, findings, scale, values, medians, shown };
}
