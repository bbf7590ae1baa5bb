// The pointer on the heatmap: the cursor is moved in the cells; the names and the axis are dragged over to zoom.

/** Wheel distance for one zoom (pixels), and least time between two (milliseconds). */
const WHEEL_NOTCH = 50;
const WHEEL_PAUSE = 120;

export class Gestures {
    #plot;
    #actions;
    /** `{ area, clicked, x, y }` of the press, or null: `clicked` for a click, `area` for a drag that begins there. */
    #press = null;
    /** How far the wheel was turned since the last zoom, and when that was. */
    #turned = 0;
    #zoomedAt = -Infinity;
    /** The pointer, `{ x, y }`, or null while it is elsewhere. */
    pointer = null;

    /**
     * `actions`: `areaAt(x, y)`, `moveCursor(x, y, area)`, `select(area, from, to)` for a zoom between two points,
     * `zoom(name)`, `wheel(x, isIn)` for a zoom in time, `requestPaint()`; optionally `focus(area)`, if that is not the
     * plot's.
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
        plot.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
        plot.addEventListener("dblclick", (event) => {
            const { x, y } = this.#place(event);
            const area = actions.areaAt(x, y);
            if (area === "cells") actions.openLayer?.();
            else if (area === "names" || area === "axis") actions.zoom("all");
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
        const clicked = event.shiftKey ? "both" : this.#actions.areaAt(place.x, place.y);
        if (clicked === null) return;
        const area = clicked === "tree" ? "names" : clicked;
        if (this.#actions.focus === undefined) this.#plot.focus({ preventScroll: true });
        else this.#actions.focus(area);
        this.#plot.setPointerCapture(event.pointerId);
        event.preventDefault();
        this.#press = { area, clicked, ...place };
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
        else this.#actions.moveCursor(press.x, press.y, press.clicked);
        this.#actions.requestPaint();
    }

    /** Over the axis the wheel zooms, elsewhere only with Ctrl, which is also what pinching gives: it scrolls the page. */
    #wheeled(event) {
        const { x, y } = this.#place(event);
        const area = this.#actions.areaAt(x, y);
        if (area === null || (area !== "axis" && !event.ctrlKey)) return;
        event.preventDefault();
        const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_NOTCH;
        this.#turned = Math.sign(pixels) === Math.sign(this.#turned) ? this.#turned + pixels : pixels;
        const isDue = event.timeStamp - this.#zoomedAt >= WHEEL_PAUSE;
        if (Math.abs(this.#turned) < WHEEL_NOTCH || !isDue) return;
        const isIn = this.#turned < 0;
        this.#turned = 0;
        this.#zoomedAt = event.timeStamp;
        this.#actions.wheel(x, isIn);
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
