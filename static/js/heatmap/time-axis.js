// The x axis that pictures of the same steps share: the columns in view, the cursor, the pointer, and zooming in time.

import { TimeCursor } from "./cursor.js";
import { narrowedColumns } from "./viewpoint.js";

export class TimeAxis {
    #cursor;
    #viewpoint = null;
    #requestPaint;
    /** For each picture a function that gives the column at its pointer, or null. */
    #pointers = new Map();
    #seams = { columns: null, list: null, shown: [] };

    /** The columns in view, `StepColumns`, null until they were read; and their `Geometry`, null until it is known. */
    columns = null;
    geometry = null;
    /** Where the training was restarted: `[{ step, text }]`, ascending. */
    seams = [];

    /** `seekStep(step)` resolves to the step that the page shows then, or null. */
    constructor({ seekStep, requestPaint }) {
        this.#cursor = new TimeCursor(seekStep);
        this.#requestPaint = requestPaint;
    }

    /** `run` is a `SelectedRun`, `viewpoint` has the ranges of steps zoomed into. */
    select(run, viewpoint) {
        this.#cursor.select(run);
        this.#viewpoint = viewpoint;
        this.columns = null;
        this.geometry = null;
        this.seams = [];
    }

    /** Adds a picture; `columnAt` gives the column at its pointer, or null. */
    addPicture(picture, columnAt) {
        this.#pointers.set(picture, columnAt);
    }

    /** The column at the pointer, in any picture but `picture`; null if it is in none. */
    hover(picture = null) {
        for (const [other, columnAt] of this.#pointers) {
            const column = other === picture ? null : columnAt();
            if (column !== null) return column;
        }
        return null;
    }

    /** The range of steps in view, `{ from, to }`, null for the ends of the run. */
    get range() {
        return this.#viewpoint.range;
    }

    /** The column of the cursor; -1 if it is out of view. */
    get cursor() {
        return this.#cursor.columnIn(this.columns, this.range);
    }

    /** Why the page shows another step than that of the cursor, or "". */
    get note() {
        return this.#cursor.note;
    }

    /** The seams in view, each with the column before which it is: `[{ column, step, text }]`. */
    get seamsInView() {
        const { columns, seams } = this;
        if (this.#seams.columns !== columns || this.#seams.list !== seams) {
            this.#seams = { columns, list: seams, shown: seamsIn(columns, seams) };
        }
        return this.#seams.shown;
    }

    /** The texts of the seams at a column, each after a separator; "" if there is none. */
    seamText(column) {
        return this.seamsInView.filter((seam) => seam.column === column).map(({ text }) => ` · ${text}`).join("");
    }

    /** Moves the range so that it has the cursor. */
    follow() {
        const range = this.#cursor.rangeToFollow(this.range, this.columns?.columns ?? 0);
        if (range !== null) this.#viewpoint.moveSteps(range);
    }

    /** Moves the cursor to a column. */
    async moveTo(column) {
        await this.#cursor.moveTo(this.columns, this.range, column);
        this.#requestPaint();
    }

    /** Moves the cursor to a step. */
    async seek(step) {
        await this.#cursor.seek(step);
    }

    /** Shows columns, `[first, last]`, in more detail. A range that ends with the last column follows the run. */
    async zoomTo(columns) {
        if (columns === null) return;
        const [first, last] = columns;
        const { steps, lastSteps, columns: count } = this.columns;
        const { cursor } = this;
        const isOpen = last === count - 1 && this.range.to === null;
        const range = { from: steps[first], to: isOpen ? null : lastSteps[last] };
        // First the step, so that the range has it and is not moved.
        if (cursor < first || cursor > last) await this.seek(lastSteps[last]);
        this.#viewpoint.showSteps(range);
        this.#requestPaint();
    }

    /** Zooms in around a column. */
    zoomAround(column) {
        this.zoomTo(narrowedColumns(this.columns.columns, Math.max(0, column)));
    }

    zoomOut() {
        this.#viewpoint.zoomOutSteps();
        this.#requestPaint();
    }
}

/** The seams within columns, each with the column before which it is. */
export function seamsIn(columns, seams) {
    if (columns === null || columns.columns === 0) return [];
    const begin = columns.steps[0];
    const end = columns.lastSteps.at(-1);
    return seams.filter(({ step }) => step >= begin && step <= end).map((seam) => {
        const column = columns.columnOf(seam.step);
        // A step that was not posted again is between two columns.
        return { ...seam, column: seam.step > columns.lastSteps[column] ? column + 1 : column };
    });
}
