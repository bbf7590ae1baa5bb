// Colour scales, as tables of 256 colours for pixels.

/** Nine colours at equal distances of viridis (van der Walt and Smith 2015): equal steps look equally large. */
const SEQUENTIAL = ["440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725"];

/** Cool to warm over grey (Moreland 2009), and the same over a dark middle for dark pages. */
const DIVERGING = {
    light: ["3b4cc0", "6b8df0", "a5c2fe", "dddddd", "f6b89c", "e26952", "b40426"],
    dark: ["9ab8ff", "5b7fe0", "35478c", "363b49", "8a3a33", "d9644b", "ffb59b"],
};

/** The table of a scale: `sequential`, or `diverging` for a light or a dark page. */
export function colourTable(kind, isDark = false) {
    const points = kind === "sequential" ? SEQUENTIAL : DIVERGING[isDark ? "dark" : "light"];
    const table = new Uint32Array(256);
    for (let index = 0; index < 256; index += 1) {
        const place = (index / 255) * (points.length - 1);
        const left = Math.min(points.length - 2, Math.floor(place));
        table[index] = mixed(channels(points[left]), channels(points[left + 1]), place - left);
    }
    return table;
}

/** The pixel of a colour "rrggbb": on a little-endian machine red is the lowest byte. */
export function pixel(hex) {
    return packed(channels(hex));
}

/** A pixel as a colour of CSS. */
export function cssColour(value) {
    return `rgb(${value & 255} ${(value >>> 8) & 255} ${(value >>> 16) & 255})`;
}

function channels(hex) {
    return [0, 2, 4].map((place) => Number.parseInt(hex.slice(place, place + 2), 16));
}

function mixed(from, to, share) {
    return packed(from.map((channel, index) => Math.round(channel + share * (to[index] - channel))));
}

function packed([red, green, blue]) {
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
