// The open findings of layer health, by layer.

import { compareSteps } from "../../model/step-number.js";
import { sortedEpisodes } from "../../model/verdict/findings.js";
import { markSeverities } from "../../model/verdict/severity.js";

const SEVERITIES = ["info", "warning", "critical"];

/** Whether a severity is worse than another; undefined is the least. */
export function isWorse(a, b) {
    return SEVERITIES.indexOf(a) > SEVERITIES.indexOf(b);
}

/** The open alerts of the server's health answer, by layer. */
export class LayerFindings {
    /**
     * Layer id to `{ severity, own, isOrigin, row, alerts: [{ rule, severity, own, firstStep, metric, title }] }`.
     * `severity` is that of the finding to which the alert belongs, `own` that of the alert alone; `row` is the
     * place of the layer in the matrix, known from `rowsByImportance` on.
     */
    #byLayer = new Map();
    /** What `rowsByImportance` returned last, and for which layers. */
    #ranked = { layers: null, rows: [] };
    /** The metric of the finding that the verdict names, of those of layers; null without one. */
    metric = null;
    /** The step in which it began, or null. */
    originStep = null;

    constructor(health = null) {
        const markOf = markSeverities(health);
        for (const alert of health?.alerts ?? []) {
            if (alert.state !== "open" || alert.layer === null) continue;
            const { rule, severity: own, first_step: firstStep, metric, title } = alert;
            const severity = markOf(alert);
            const entry = this.#byLayer.get(alert.layer) ?? { severity, own, isOrigin: false, row: null, alerts: [] };
            if (isWorse(severity, entry.severity)) entry.severity = severity;
            if (isWorse(own, entry.own)) entry.own = own;
            entry.alerts.push({ rule: rule ?? "alert", severity, own, firstStep, metric, title });
            this.#byLayer.set(alert.layer, entry);
        }
        for (const { state, origin } of sortedEpisodes(health?.episodes ?? [])) {
            if (state !== "open" || !origin) continue;
            const entry = this.#byLayer.get(origin.layer);
            if (entry !== undefined) entry.isOrigin = true;
            // The alert with which the fault began, which the verdict names, may be closed while others are open.
            const first = health.alerts.find(({ id }) => id !== undefined && id === origin.alert);
            this.metric ??= first?.metric ?? entry?.alerts[0].metric ?? null;
            this.originStep ??= first?.first_step ?? entry?.alerts[0].firstStep ?? null;
        }
    }

    /** The entry of a layer, or undefined. */
    of(layerId) {
        return this.#byLayer.get(layerId);
    }

    /** The next layer with a finding, by importance, after that of a row: `{ row, step }`, or null without any. */
    next(layers, row, by) {
        const rows = this.rowsByImportance(layers);
        if (rows.length === 0) return null;
        const place = rows.indexOf(row);
        const next = rows.at(place < 0 ? 0 : (place + by) % rows.length);
        const steps = this.of(layers[next]).alerts.map(({ firstStep }) => firstStep);
        return { row: next, step: steps.sort(compareSteps)[0] };
    }

    /** Rows of the layers with findings, the most important first. The list is kept: it is not to be changed. */
    rowsByImportance(layers) {
        if (this.#ranked.layers === layers) return this.#ranked.rows;
        const rank = ({ isOrigin, severity, own }) => {
            return (isOrigin ? 100 : 0) + 10 * SEVERITIES.indexOf(severity) + SEVERITIES.indexOf(own);
        };
        const rows = [];
        layers.forEach((id, row) => {
            const entry = this.#byLayer.get(id);
            if (entry === undefined) return;
            entry.row = row;
            rows.push({ row, rank: rank(entry) });
        });
        rows.sort((a, b) => b.rank - a.rank || a.row - b.row);
        this.#ranked = { layers, rows: rows.map(({ row }) => row) };
        return this.#ranked.rows;
    }

    /** The worst entry of each line of a window that has any, by line. */
    worstByLine(layers, window) {
        const worst = new Map();
        for (const row of this.rowsByImportance(layers)) {
            const line = window.lineOf(row);
            const entry = this.of(layers[row]);
            if (line >= 0 && isWorse(entry.severity, worst.get(line)?.severity)) worst.set(line, entry);
        }
        return worst;
    }
}
