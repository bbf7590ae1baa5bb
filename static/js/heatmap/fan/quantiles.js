// How the values of the layers spread at each column of the matrix.

/** The quantiles of the fan, from the least to the largest value. */
export const SHARES = Object.freeze([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]);

export class LayerSpread {
    /** For each of `SHARES` the quantile by column, NaN where no layer has a finite value. */
    quantiles;
    /** By column: layers with a finite value, and layers with one that is not finite. */
    counts;
    broken;
    /** By column: the layer with the least and with the largest value, and the first that is not finite; or -1. */
    lowest;
    highest;
    firstBroken;

    constructor(matrix) {
        const { rows, columns } = matrix;
        this.columns = columns;
        this.quantiles = SHARES.map(() => new Float64Array(columns).fill(NaN));
        this.counts = new Uint32Array(columns);
        this.broken = new Uint32Array(columns);
        [this.lowest, this.highest, this.firstBroken] = [0, 1, 2].map(() => new Int32Array(columns).fill(-1));
        const values = new Float32Array(rows);
        for (let column = 0; column < columns; column += 1) this.#take(matrix, column, values);
    }

    #take(matrix, column, values) {
        let count = 0;
        let [low, high] = [Infinity, -Infinity];
        for (let row = 0; row < matrix.rows; row += 1) {
            const index = row * matrix.columns + column;
            if (matrix.isBroken(index)) {
                if (this.broken[column] === 0) this.firstBroken[column] = row;
                this.broken[column] += 1;
            }
            const value = matrix.last[index];
            if (!Number.isFinite(value)) continue;
            values[count] = value;
            count += 1;
            if (value < low) {
                low = value;
                this.lowest[column] = row;
            }
            if (value > high) {
                high = value;
                this.highest[column] = row;
            }
        }
        this.counts[column] = count;
        if (count === 0) return;
        const sorted = values.subarray(0, count).sort();
        SHARES.forEach((share, place) => {
            this.quantiles[place][column] = sorted[Math.round(share * (count - 1))];
        });
    }

    /** Ranges of columns with finite values that have no gap between them, `[first, last]`. */
    get segments() {
        return rangesOf(this.columns, (column) => this.counts[column] > 0);
    }

    /** Ranges of columns with values that are not finite. */
    get brokenSegments() {
        return rangesOf(this.columns, (column) => this.broken[column] > 0);
    }
}

function rangesOf(columns, isInside) {
    const ranges = [];
    for (let column = 0; column < columns; column += 1) {
        if (!isInside(column)) continue;
        if (column > 0 && isInside(column - 1)) ranges[ranges.length - 1][1] = column;
        else ranges.push([column, column]);
    }
    return ranges;
}
