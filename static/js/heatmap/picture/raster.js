// The pixels of the heatmap: one for each column and line, before they are enlarged to the size on screen.

/** What a cell shows. */
export const Cell = Object.freeze({ missing: 0, value: 1, broken: 2 });

/**
 * The layer that a line shows in a column: one with a value that is not finite, otherwise the one with the largest
 * weight on the scale; -1 if none has a value.
 */
export function layerShown(matrix, [begin, end], column, scale) {
    let shown = -1;
    let heaviest = -1;
    for (let row = begin; row < end; row += 1) {
        const weight = cellWeight(matrix, row * matrix.columns + column, row, scale);
        if (weight > heaviest) {
            heaviest = weight;
            shown = row;
        }
    }
    return shown;
}

/**
 * Fills `image`, a Uint32Array of `window.lines * matrix.columns` pixels. `table` has 256 colours; cells without a value
 * are transparent. Returns the cells that are not finite, as `[line, first column, number of columns]`.
 */
export function paintCells(matrix, window, scale, table, brokenPixel, image) {
    const { columns } = matrix;
    const heaviest = new Float64Array(columns);
    const broken = [];
    for (let line = 0; line < window.lines; line += 1) {
        const [begin, end] = window.layersOf(line);
        const target = image.subarray(line * columns, (line + 1) * columns);
        target.fill(0);
        heaviest.fill(-1);
        for (let row = begin; row < end; row += 1) {
            for (let column = 0; column < columns; column += 1) {
                const index = row * columns + column;
                const weight = cellWeight(matrix, index, row, scale);
                if (!(weight > heaviest[column])) continue;
                heaviest[column] = weight;
                target[column] = weight === Infinity
                    ? brokenPixel : table[Math.round(255 * scale.place(matrix.last[index], row))];
            }
        }
        addRuns(broken, line, heaviest);
    }
    return broken;
}

/** Infinity for a value that is not finite, -1 for none; otherwise the size by which the layers of a line are compared. */
function cellWeight(matrix, index, row, scale) {
    if (matrix.isMissing(index)) return -1;
    if (matrix.isBroken(index)) return Infinity;
    return Math.min(Number.MAX_VALUE, scale.weight(matrix.last[index], row));
}

function addRuns(runs, line, weights) {
    let begin = -1;
    for (let column = 0; column <= weights.length; column += 1) {
        const isBroken = weights[column] === Infinity;
        if (isBroken && begin < 0) begin = column;
        if (!isBroken && begin >= 0) {
            runs.push([line, begin, column - begin]);
            begin = -1;
        }
    }
}
