// The keys of the heatmap.

/** What a key does: `{ kind, by }`, or null. Shift moves by ten. */
export function keyAction({ key, shiftKey }) {
    const by = shiftKey ? 10 : 1;
    switch (key) {
        case "ArrowLeft": return { kind: "column", by: -by };
        case "ArrowRight": return { kind: "column", by };
        case "ArrowUp": return { kind: "layer", by: -by };
        case "ArrowDown": return { kind: "layer", by };
        case "PageUp": return { kind: "layer", by: -10 };
        case "PageDown": return { kind: "layer", by: 10 };
        case "Home": return { kind: "column", by: -Infinity };
        case "End": return { kind: "column", by: Infinity };
        case "+":
        case "=": return { kind: "zoom", name: "layers-in" };
        case "-": return { kind: "zoom", name: "layers-out" };
        case "]": return { kind: "zoom", name: "steps-in" };
        case "[": return { kind: "zoom", name: "steps-out" };
        case "0":
        case "Escape": return { kind: "zoom", name: "all" };
        case "Enter": return { kind: "open" };
        case "f": return { kind: "finding", by: 1 };
        case "F": return { kind: "finding", by: -1 };
        default: return null;
    }
}
