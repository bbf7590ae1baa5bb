// The findings of one run: the episodes of layer health, with what live alerts change in them.

import { severityRank, worse } from "./severity.js";

/** A title of the server as a line of its own: it begins with "the", or with the name of a layer, which is kept. */
export function titleText(title) {
    return title.replace(/^the /u, "The ");
}

/** The step of the finding in an episode's title. */
function sinceStepOf({ origin, first_step: firstStep }) {
    return origin?.step ?? firstStep;
}

/**
 * An episode of the server in the form of the page. `sinceStep` is the step of the finding in the title, `firstStep`
 * that of the first sign of the same fault. `layer` is where the fault began, or null.
 */
function findingOf(episode) {
    const { origin } = episode;
    return {
        id: episode.id,
        state: episode.state,
        severity: episode.severity,
        title: titleText(episode.title),
        message: episode.message,
        advice: episode.advice,
        isFromTrainer: episode.kind === "trainer",
        layer: origin?.layer ?? (episode.layer_count === 1 ? episode.layers[0] : null),
        layers: episode.layers,
        layerCount: episode.layer_count,
        firstStep: episode.first_step,
        sinceStep: sinceStepOf(episode),
        closedStep: episode.closed_step,
    };
}

/** What a first alert shows of an episode that was not read yet. */
function findingOfAlert(alert) {
    return {
        id: alert.episode,
        state: alert.state,
        severity: alert.severity,
        title: alert.source === "trainer" ? alert.title : titleText(alert.title),
        message: alert.message,
        advice: alert.advice,
        isFromTrainer: alert.source === "trainer",
        layer: alert.layer,
        layers: alert.layer === null ? [] : [alert.layer],
        layerCount: alert.layer === null ? 0 : 1,
        firstStep: alert.first_step,
        sinceStep: alert.first_step,
        closedStep: alert.closed_step,
    };
}

/** Open ones first, then the worst, then those that began first; closed ones: those that closed last come first. */
export function compareFindings(a, b) {
    if (a.state !== b.state) return a.state === "open" ? -1 : 1;
    const bySeverity = severityRank(a.severity) - severityRank(b.severity);
    if (bySeverity !== 0) return bySeverity;
    const [low, high] = a.state === "open" ? [a.sinceStep, b.sinceStep] : [b.closedStep, a.closedStep];
    return low < high ? -1 : low > high ? 1 : 0;
}

/** Episodes of the server in the order of `compareFindings`. */
export function sortedEpisodes(episodes) {
    const orderOf = (episode) => {
        const { state, severity, closed_step: closedStep } = episode;
        return { state, severity, sinceStep: sinceStepOf(episode), closedStep };
    };
    return [...episodes].sort((a, b) => compareFindings(orderOf(a), orderOf(b)));
}

/** The alerts of one episode: which are open, and the worst severity of each layer. */
class EpisodeAlerts {
    /** Id of an open alert to its layer. */
    #open = new Map();
    /** Layer to the worst severity that its alerts had. */
    #severities = new Map();

    take({ id, state, layer, severity }) {
        if (state === "open") this.#open.set(id, layer);
        else this.#open.delete(id);
        if (layer !== null) this.#severities.set(layer, worse(severity, this.#severities.get(layer) ?? null));
    }

    get isOpen() {
        return this.#open.size > 0;
    }

    /**
     * `{ layers, severities, open }`: layers by severity, `[[severity, layers]]`, the worst first; the severity of each
     * layer; the layers with an open alert.
     */
    get spread() {
        const layers = new Map();
        for (const [layer, severity] of this.#severities) {
            if (!layers.has(severity)) layers.set(severity, []);
            layers.get(severity).push(layer);
        }
        const sorted = [...layers].sort(([a], [b]) => severityRank(a) - severityRank(b));
        const open = new Set([...this.#open.values()].filter((layer) => layer !== null));
        return { layers: sorted, severities: this.#severities, open };
    }
}

export class Findings {
    /** Id of an episode to its finding. */
    #findings = new Map();
    /** The `EpisodeAlerts` of each episode. */
    #alerts = new Map();
    #sorted = null;

    /** `waiting`, `ok`, `warning`, `critical`; null until it was read. */
    status = null;
    /** Whether the last read failed. */
    hasFailed = false;
    /** The rules that run, and those whose inputs are not posted: `{ name, hint }`. */
    runningRules = 0;
    missingRules = [];
    /** Closed alerts that the server no longer keeps. */
    forgotten = 0;
    /** Changes with every change of what is shown. */
    version = 0;

    /** Replaces everything by the server's answer. `since`: alerts that came after the request for it was sent. */
    load(health, since = []) {
        this.#findings = new Map(health.episodes.map((episode) => [episode.id, findingOf(episode)]));
        this.#alerts.clear();
        for (const alert of health.alerts) this.#noteAlert(alert);
        this.status = health.status;
        this.hasFailed = false;
        this.runningRules = health.rules.filter((rule) => rule.state === "running").length;
        this.missingRules = health.rules
            .filter((rule) => rule.enabled && rule.state === "inputs_missing")
            .map((rule) => ({ name: rule.rule, hint: rule.hint ?? "" }));
        this.forgotten = health.forgotten;
        this.#changed();
        for (const alert of since) this.takeAlert(alert);
    }

    failed() {
        this.hasFailed = true;
        this.#changed();
    }

    /**
     * Applies an alert that was opened, became critical or was closed.
     * Returns the finding if it is new or became worse, otherwise null.
     */
    takeAlert(alert) {
        this.#noteAlert(alert);
        const known = this.#findings.get(alert.episode);
        const finding = known === undefined ? findingOfAlert(alert) : this.#changedBy(known, alert);
        this.#findings.set(finding.id, finding);
        this.#changed();
        return known === undefined || finding.severity !== known.severity ? finding : null;
    }

    /** All findings, in the order of `compareFindings`. */
    get list() {
        this.#sorted ??= [...this.#findings.values()].sort(compareFindings);
        return this.#sorted;
    }

    get open() {
        return this.list.filter((finding) => finding.state === "open");
    }

    get closed() {
        return this.list.filter((finding) => finding.state !== "open");
    }

    /** How severe a finding is in its layers, see `EpisodeAlerts.spread`. */
    spreadOf({ id }) {
        return this.#alerts.get(id)?.spread ?? null;
    }

    #noteAlert(alert) {
        const alerts = this.#alerts.get(alert.episode) ?? new EpisodeAlerts();
        alerts.take(alert);
        this.#alerts.set(alert.episode, alerts);
    }

    #changedBy(finding, alert) {
        const { isOpen } = this.#alerts.get(finding.id);
        const isEarlier = alert.first_step !== null && alert.first_step < finding.firstStep;
        const isNewLayer = alert.layer !== null && !finding.layers.includes(alert.layer) && alert.state === "open";
        return {
            ...finding,
            state: isOpen ? "open" : "closed",
            severity: worse(finding.severity, alert.severity),
            // More layers than are listed may have been counted already; the next read has their exact number.
            layers: isNewLayer ? [...finding.layers, alert.layer] : finding.layers,
            layerCount: Math.max(finding.layerCount, finding.layers.length + (isNewLayer ? 1 : 0)),
            firstStep: isEarlier ? alert.first_step : finding.firstStep,
            closedStep: isOpen ? null : (alert.closed_step ?? finding.closedStep),
        };
    }

    #changed() {
        this.#sorted = null;
        this.version += 1;
    }
}
