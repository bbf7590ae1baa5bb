// The columns of a picture: buckets of steps.

/** Column `c` has the steps from `steps[c]` to `lastSteps[c]`. */
export class StepColumns {
    /**
     * `base`: columns read from the start get a new one. Columns continued at their end keep it: then all columns but
     * the last one are unchanged.
     */
    constructor({ steps, lastSteps, base = Symbol("read") }) {
        this.steps = steps;
        this.lastSteps = lastSteps;
        this.base = base;
    }

    get columns() {
        return this.steps.length;
    }

    /** The column with this step, or the last one that begins before it; -1 if the step is before all columns. */
    columnOf(step) {
        let low = 0;
        let high = this.columns;
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (this.steps[middle] <= step) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    /** Whether each column is one step: no read with more points has more to show. */
    get isFinest() {
        return this.steps.every((step, column) => step === this.lastSteps[column]);
    }

    /** The least `k` for which the steps of each column have the same `step >> k`: the one that the server chose. */
    get bucketBits() {
        let widest = 0n;
        this.steps.forEach((step, column) => {
            if (step !== this.lastSteps[column]) widest |= BigInt(step) ^ BigInt(this.lastSteps[column]);
        });
        return widest === 0n ? 0 : widest.toString(2).length;
    }

    /** The columns joined where `step >> bits` is equal, and the joined column of each. */
    joined(bits) {
        const steps = [];
        const lastSteps = [];
        const columnOf = [];
        let current = null;
        this.steps.forEach((step, column) => {
            const bucket = BigInt(step) >> BigInt(bits);
            if (bucket !== current) {
                steps.push(step);
                lastSteps.push(step);
                current = bucket;
            }
            lastSteps[lastSteps.length - 1] = this.lastSteps[column];
            columnOf.push(steps.length - 1);
        });
        return { steps, lastSteps, columnOf };
    }
}
