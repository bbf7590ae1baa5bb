// Severities of findings, the worst first, and the words and signs for them.

const WORST_FIRST = Object.freeze(["critical", "warning", "info"]);

/** Signs for text that has no room for an icon, such as the title of a tab. */
const SIGNS = Object.freeze({ critical: "✖", warning: "▲", info: "●" });

/** 0 for the worst severity; an unknown one comes last. */
export function severityRank(severity) {
    const rank = WORST_FIRST.indexOf(severity);
    return rank < 0 ? WORST_FIRST.length : rank;
}

/** The worse one of two severities; null counts as none. */
export function worse(a, b) {
    return severityRank(b) < severityRank(a) ? b : a;
}

export function severitySign(severity) {
    return SIGNS[severity] ?? "";
}
