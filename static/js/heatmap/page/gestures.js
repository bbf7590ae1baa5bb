// The pointer on the heatmap: the cursor is moved in the cells; the names and the axis are dragged over to zoom.

export class Gestures {
    #plot;
    #actions;
    /** `{ area, x, y }` of the press, or null. */
    #press = null;
    /** The pointer, `{ x, y }`, or null while it is elsewhere. */
    pointer = null;

    /**
     * `actions`: `areaAt(x, y)`, `moveCursor(x, y)`, `select(area, from, to)` for a zoom between two points,
     * `requestPaint()`.
     */
    constructor(plot, actions) {
        this.#plot = plot;
        this.#actions = actions;
        plot.addEventListener("pointerdown", (event) => this.#pressed(event));
        plot.addEventListener("pointermove", (event) => this.#moved(event));
        plot.addEventListener("pointerup", (event) => this.#released(event));
        plot.addEventListener("pointercancel", () => this.#cancelled());
        plot.addEventListener("pointerleave", () => {
            this.pointer = null;
            actions.requestPaint();
        });
        plot.addEventListener("dblclick", (event) => {
            const { x, y } = this.#place(event);
            if (actions.areaAt(x, y) === "cells") actions.openLayer();
            else actions.zoom("all");
        });
    }

    /** The points between which the pointer is dragged to zoom, `{ area, from, to }`, or null. */
    get selection() {
        if (this.#press === null || this.#press.area === "cells" || this.pointer === null) return null;
        return { area: this.#press.area, from: this.#press, to: this.pointer };
    }

    #pressed(event) {
        if (event.button !== 0) return;
        const place = this.#place(event);
        const area = event.shiftKey ? "both" : this.#actions.areaAt(place.x, place.y);
        if (area === null) return;
        this.#plot.focus({ preventScroll: true });
        this.#plot.setPointerCapture(event.pointerId);
        event.preventDefault();
        this.#press = { area, ...place };
        if (area === "cells") this.#actions.moveCursor(place.x, place.y);
    }

    #moved(event) {
        this.pointer = this.#place(event);
        if (this.#press?.area === "cells") this.#actions.moveCursor(this.pointer.x, this.pointer.y);
        this.#actions.requestPaint();
    }

    #released(event) {
        const press = this.#press;
        this.#press = null;
        if (press === null || press.area === "cells") return;
        const end = this.#place(event);
        const isDrag = Math.abs(end.x - press.x) > 4 || Math.abs(end.y - press.y) > 4;
        if (isDrag) this.#actions.select(press.area, press, end);
        else this.#actions.moveCursor(press.x, press.y, press.area);
        this.#actions.requestPaint();
    }

    #cancelled() {
        this.#press = null;
        this.#actions.requestPaint();
    }

    #place(event) {
        const { left, top } = this.#plot.getBoundingClientRect();
        return { x: event.clientX - left, y: event.clientY - top };
    }
}
