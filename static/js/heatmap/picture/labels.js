// Which lines have the name of their layer beside them.

/**
 * Lines with a name, `{ line, layer, y }`, such that names are at least `gap` pixels apart. `wanted` is a list of
 * layers, the most important first; other lines follow where there is room.
 */
export function placedLabels(window, lineHeight, gap, wanted) {
    const labels = [];
    const taken = [];
    const height = window.lines * lineHeight;
    const add = (line, layer) => {
        // The first and the last name stay inside of the picture.
        const y = Math.max(gap / 2, Math.min(height - gap / 2, (line + 0.5) * lineHeight));
        if (taken.some((other) => Math.abs(other - y) < gap)) return;
        taken.push(y);
        labels.push({ line, layer, y });
    };
    const most = Math.ceil(height / gap) + 1;
    for (const layer of wanted) {
        if (taken.length >= most) break;
        const line = window.lineOf(layer);
        if (line >= 0) add(line, layer);
    }
    for (let line = 0; line < window.lines; line += 1) add(line, window.layersOf(line)[0]);
    return labels.sort((a, b) => a.line - b.line);
}

/** A name cut at its beginning, so that it is at most as wide as there is room: ends of layer names differ most. */
export function shortened(name, room, measure) {
    if (measure(name) <= room) return name;
    let low = 0;
    let high = name.length;
    while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (measure(`…${name.slice(name.length - middle)}`) <= room) low = middle;
        else high = middle - 1;
    }
    return `…${name.slice(name.length - low)}`;
}
