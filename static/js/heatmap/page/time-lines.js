// Vertical lines over a picture of steps: the cursor, the pointer, and where the training was restarted.

import { formatCount } from "../../model/format.js";

const FONT = "11px system-ui, sans-serif";
/** Distance of the pointer from a seam within which its label is shown. */
const NEAR = 6;

function line(context, x, height) {
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
}

/** The cursor, from the top down to `height`. */
export function paintCursor(context, x, height, colours) {
    for (const [width, colour] of [[3, colours.surface], [1.5, colours.text]]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        line(context, Math.round(x), height);
    }
}

/** The number of the cursor's step on the axis. */
export function paintStep(context, step, x, top, geometry, colours) {
    paintLabel(context, formatCount(step), x, top, geometry, colours);
}

/** The column to which the pointer points in another picture of the same steps. */
export function paintHover(context, x, height, colours) {
    context.strokeStyle = colours.text;
    context.lineWidth = 1;
    context.globalAlpha = 0.55;
    line(context, Math.round(x) + 0.5, height);
    context.globalAlpha = 1;
}

/**
 * The seams, `[{ column, text }]`, down to `height`: dashed lines before these columns, with the text of the one near
 * the pointer, which is `{ x, y }` or null.
 */
export function paintSeams(context, { seams, pointer, geometry, colours }, height) {
    for (const { column } of seams) {
        const x = Math.round(geometry.x(column));
        context.strokeStyle = colours.surface;
        context.lineWidth = 4;
        line(context, x, height);
        context.strokeStyle = colours.text;
        context.lineWidth = 1.5;
        context.setLineDash([5, 3]);
        line(context, x, height);
        context.setLineDash([]);
    }
    const near = pointer === null ? undefined
        : seams.find(({ column }) => Math.abs(geometry.x(column) - pointer.x) <= NEAR);
    if (near !== undefined) paintLabel(context, near.text, geometry.x(near.column), 4, geometry, colours);
}

/** A text on a dark plate, moved so that it is not cut off. */
function paintLabel(context, text, x, top, geometry, colours) {
    context.font = `600 ${FONT}`;
    const width = context.measureText(text).width + 10;
    const left = Math.max(geometry.left, Math.min(geometry.width - width, x - width / 2));
    context.fillStyle = colours.text;
    context.beginPath();
    context.roundRect(left, top, width, 17, 4);
    context.fill();
    context.fillStyle = colours.surface;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, left + width / 2, top + 9);
    context.font = FONT;
}
