// Sizes and patterns of canvases.

/** Sets the size of a canvas in device pixels; the pixels are kept if it is the same. */
export function size(canvas, width, height) {
    const [w, h] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
    if (canvas.width !== w) canvas.width = w;
    if (canvas.height !== h) canvas.height = h;
}

/** The context of a canvas of this size in CSS pixels, cleared, with coordinates in CSS pixels. */
export function cleared(canvas, width, height, ratio) {
    size(canvas, width * ratio, height * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setLineDash([]);
    context.globalAlpha = 1;
    return context;
}

/** A square tile with a diagonal stripe. */
export function hatchTile(side, colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = side;
    const context = tile.getContext("2d");
    context.strokeStyle = colour;
    context.lineWidth = side / 3.5;
    for (const shift of [-side, 0, side]) {
        context.beginPath();
        context.moveTo(shift - 1, side + 1);
        context.lineTo(shift + side + 1, -1);
        context.stroke();
    }
    return tile;
}
