// The findings of layer health by layer, open and closed.

import { titleText } from "../../model/verdict/findings.js";
import { markSeverities, severityRank } from "../../model/verdict/severity.js";

/** `severity` is that of the finding to which the alert belongs, `own` that of the alert alone. */
function alertOf(alert, severity, episode) {
    const isOrigin = episode?.origin?.alert !== undefined && episode.origin.alert === alert.id;
    return {
        id: alert.id,
        severity,
        own: alert.severity,
        isOpen: alert.state === "open",
        isOrigin,
        title: titleText(alert.title),
        /** The title of the finding that began in another layer or by another rule; null for one that began here. */
        partOf: isOrigin || episode === undefined ? null : titleText(episode.title),
        message: alert.message ?? "",
        metric: alert.metric ?? null,
        firstStep: alert.first_step,
        closedStep: alert.closed_step,
    };
}

/** Open ones first, then those of the worst finding, the one with which it began, the worst, those that began first. */
function compareAlerts(a, b) {
    if (a.isOpen !== b.isOpen) return a.isOpen ? -1 : 1;
    const rank = severityRank(a.severity) - severityRank(b.severity);
    if (rank !== 0) return rank;
    if (a.isOrigin !== b.isOrigin) return a.isOrigin ? -1 : 1;
    const byOwn = severityRank(a.own) - severityRank(b.own);
    if (byOwn !== 0) return byOwn;
    return a.firstStep < b.firstStep ? -1 : a.firstStep > b.firstStep ? 1 : 0;
}

export class LayerAlerts {
    #byLayer = new Map();
    /** The metric of the worst open finding, or null. */
    metric = null;

    /** `health` is the server's answer, or null before it was read. */
    constructor(health = null) {
        const episodes = new Map((health?.episodes ?? []).map((episode) => [episode.id, episode]));
        const markOf = markSeverities(health);
        for (const alert of health?.alerts ?? []) {
            if (alert.layer === null || alert.layer === undefined) continue;
            if (!this.#byLayer.has(alert.layer)) this.#byLayer.set(alert.layer, []);
            this.#byLayer.get(alert.layer).push(alertOf(alert, markOf(alert), episodes.get(alert.episode)));
        }
        for (const alerts of this.#byLayer.values()) alerts.sort(compareAlerts);
        const firsts = [...this.#byLayer.values()].map(([first]) => first);
        this.metric = firsts.filter(({ isOpen }) => isOpen).sort(compareAlerts)[0]?.metric ?? null;
    }

    /** All findings of a layer, the open and worst ones first. */
    of(layerId) {
        return this.#byLayer.get(layerId) ?? [];
    }

    /** The worst open finding of a layer, or undefined. */
    worst(layerId) {
        const first = this.#byLayer.get(layerId)?.[0];
        return first?.isOpen ? first : undefined;
    }
}
