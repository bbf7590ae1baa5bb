// The pixels of the heatmap: one for each column and line, before they are enlarged to the size on screen.

/**
 * Which of the layers that share a line is shown in a column: one with a value that is not finite, otherwise one with a
 * finding, otherwise the one with the largest weight on the scale.
 */
export class ShownLayers {
    #weigh;

    /** `marked` are the rows of layers with findings. */
    constructor(matrix, scale, marked = []) {
        this.matrix = matrix;
        this.#weigh = scale.weight;
        this.marked = new Uint8Array(matrix.rows);
        for (const row of marked) this.marked[row] = 1;
    }

    /** Infinity for a value that is not finite, -1 for none; otherwise what the layers of a line are compared by. */
    weight(index, row) {
        if (this.matrix.isMissing(index)) return -1;
        if (this.matrix.isBroken(index)) return Infinity;
        if (this.marked[row] === 1) return Number.MAX_VALUE;
        return Math.min(1e300, this.#weigh(this.matrix.last[index], row));
    }

    /** The layer shown of those in `[begin, end)`; -1 if none has a value. */
    at([begin, end], column) {
        let shown = -1;
        let heaviest = -1;
        for (let row = begin; row < end; row += 1) {
            const weight = this.weight(row * this.matrix.columns + column, row);
            if (weight > heaviest) {
                heaviest = weight;
                shown = row;
            }
        }
        return shown;
    }
}

/**
 * Fills `image`, a Uint32Array of a pixel for each line and column. `colours` is `{ table, broken }`: 256 pixels, and
 * that of cells that are not finite; cells without a value are transparent.
 * Returns the cells that are not finite, as `[line, first column, number of columns]`.
 */
export function paintCells(shown, window, scale, { table, broken }, image) {
    const { last, columns } = shown.matrix;
    const heaviest = new Float64Array(columns);
    const runs = [];
    for (let line = 0; line < window.lines; line += 1) {
        const [begin, end] = window.layersOf(line);
        const target = image.subarray(line * columns, (line + 1) * columns);
        target.fill(0);
        heaviest.fill(-1);
        for (let row = begin; row < end; row += 1) {
            for (let column = 0; column < columns; column += 1) {
                const index = row * columns + column;
                const weight = shown.weight(index, row);
                if (!(weight > heaviest[column])) continue;
                heaviest[column] = weight;
                target[column] = weight === Infinity ? broken : table[Math.round(255 * scale.place(last[index], row))];
            }
        }
        addRuns(runs, line, heaviest);
    }
    return runs;
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
