// Which layers the table shows, and which one a typed name means.

/** What a filter is without a choice. */
export const NO_FILTER = Object.freeze({ text: "", type: "", group: "", finding: "" });

/** Ids are compared without case, and "." is the separator of a path as "/" is. */
function plain(text) {
    return text.toLowerCase().replaceAll(".", "/");
}

/** A test of a layer's id: all words of the text are in it. */
function textTest(text) {
    const words = plain(text).split(/\s+/u).filter((word) => word !== "");
    return (id) => {
        const name = plain(id);
        return words.every((word) => name.includes(word));
    };
}

/** The group of a layer: the posted one, otherwise its path without the last part. */
export function groupOf(layer) {
    if (layer.group !== undefined) return layer.group;
    const end = layer.id.lastIndexOf("/");
    return end < 0 ? "" : layer.id.slice(0, end);
}

/**
 * A test of layers, `(layer) => boolean`. `finding`: "" for all, `any`, `critical`, `warning`, `none`;
 * `severityOf(id)` is that of the worst open finding, or undefined.
 */
export function layerTest({ text, type, group, finding }, severityOf) {
    const hasText = textTest(text);
    const hasFinding = {
        "": () => true,
        any: (severity) => severity !== undefined,
        none: (severity) => severity === undefined,
    }[finding] ?? ((severity) => severity === finding);
    return (layer) => (type === "" || layer.type === type) && (group === "" || groupOf(layer) === group)
        && hasText(layer.id) && (finding === "" || hasFinding(severityOf(layer.id)));
}

/** How well an id fits a text: lower is better. */
function distance(id, text) {
    const name = plain(id);
    if (name === text) return 0;
    if (name.endsWith(`/${text}`)) return 1;
    if (name.startsWith(`${text}/`)) return 2;
    if (name.startsWith(text)) return 3;
    const isPart = name.includes(`/${text}/`);
    if (isPart) return 4;
    return name.includes(`/${text}`) ? 5 : name.includes(text) ? 6 : 7;
}

/** Of layers that pass the filter the one that a typed text means; the first of those that fit equally. */
export function bestMatch(layers, text) {
    const wanted = plain(text.trim());
    let best;
    let least = Infinity;
    for (const layer of layers) {
        const value = distance(layer.id, wanted);
        const isBetter = value < least || (value === least && value > 1 && layer.id.length < best.id.length);
        if (isBetter) [best, least] = [layer, value];
    }
    return best;
}
