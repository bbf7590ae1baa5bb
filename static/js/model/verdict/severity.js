// Severities of findings, the worst first, and the words and signs for them. Everything that belongs to one finding is
// marked with the finding's severity, which is that of its worst layer: title, list, names, cells and table agree.

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

/**
 * A function from an alert of the server's health answer to the severity by which its layer is marked: that of its
 * episode, the finding to which it belongs.
 */
export function markSeverities(health) {
    const ofEpisode = new Map((health?.episodes ?? []).map(({ id, severity }) => [id, severity]));
    return ({ episode, severity }) => worse(severity, ofEpisode.get(episode) ?? null);
}

/** The severity of an alert in words: "critical", or "warning of a critical finding" where the finding is worse. */
export function alertSeverityText(own, marked) {
    return own === marked ? own : `${own} of a ${marked} finding`;
}

export function severitySign(severity) {
    return SIGNS[severity] ?? "";
}
