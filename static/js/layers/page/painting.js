// Curves on a canvas.

/** Strokes lines and fills bands in a box `{ left, top, width, height }` of a context in CSS pixels. */
export function strokeCurve(context, { shape, columns }, box, colours) {
    const x = (column) => box.left + ((column + 0.5) / columns) * box.width;
    const y = (place) => box.top + (1 - place) * box.height;
    context.fillStyle = colours.broken;
    const width = Math.max(2, box.width / columns);
    for (const column of shape.broken) context.fillRect(x(column) - width / 2, box.top, width, box.height);
    context.fillStyle = colours.line;
    context.globalAlpha = 0.25;
    for (const edges of shape.bands) {
        context.beginPath();
        edges.forEach(({ column, high }) => context.lineTo(x(column), y(high)));
        for (const { column, low } of [...edges].reverse()) context.lineTo(x(column), y(low));
        context.fill();
    }
    context.globalAlpha = 1;
    context.strokeStyle = colours.line;
    context.lineWidth = 1.4;
    context.lineJoin = "round";
    for (const points of shape.lines) {
        context.beginPath();
        points.forEach(({ column, place }) => context.lineTo(x(column), y(place)));
        // A single point is a short line.
        if (points.length === 1) context.lineTo(x(points[0].column) + 2, y(points[0].place));
        context.stroke();
    }
}

/** Fits the pixels of a canvas to a size in CSS pixels and returns its context, cleared. */
export function clearedContext(canvas, width, height) {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
        canvas.width = pixelWidth;
        canvas.height = pixelHeight;
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
}
