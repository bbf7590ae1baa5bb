// Everything on screen of the selected run: verdict, findings, time travel, heatmap and layers.

import { Heatmap } from "./heatmap/heatmap.js";
import { LayersView } from "./layers/layers.js";
import { healthVerdict, lossVerdict, sinceText } from "./model/verdict/verdict.js";
import { PlayerControls } from "./view/player-controls.js";
import { RunHeader } from "./view/run-header.js";
import { FindingsPanel } from "./view/verdict/findings-panel.js";
import { VerdictBar } from "./view/verdict/verdict-bar.js";

export class RunView {
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    #layers;
    #header = new RunHeader();
    #verdictBar = new VerdictBar((finding) => this.#travel(finding));
    #findings = new FindingsPanel((finding) => this.#travel(finding));
    #controls = new PlayerControls({
        back: () => this.#move((history, index) => index - 1, (player, history) => player.back(history)),
        toggle: () => this.#play((player, history) => player.toggle(history)),
        forward: () => this.#move((history, index) => index, (player, history) => player.forward(history)),
        live: () => this.#play((player) => player.live()),
        seekIndex: (index) => this.#play((player, history) => player.seekIndex(history, index)),
        seekStep: (step) => this.#seekStep(step),
    });
    #heatmap;

    /** `requestPaint` is called when something must be painted. */
    constructor(requestPaint) {
        this.#layers = new LayersView({ seekStep: (step) => this.#seekStep(step), requestPaint });
        this.#heatmap = new Heatmap({
            seekStep: (step) => this.#seekStep(step), openLayer: (id) => this.openLayer(id), requestPaint,
        });
    }

    /** Shows another run, that of a `RunSubscription`. */
    select(subscription) {
        this.#selected = subscription;
        this.#heatmap.select(subscription.run);
        this.#layers.select(subscription.run);
    }

    /** The metrics to subscribe to before those of the run are known. */
    get firstMetrics() {
        return this.#layers.watchedMetrics;
    }

    /** The table of layers and the opened layer, whose `state` an address keeps. */
    get layers() {
        return this.#layers;
    }

    /** Opens the view of a layer. */
    openLayer(layerId) {
        this.#layers.openLayer(layerId);
    }

    /** The server's description of the run, or of what changed. */
    describe(data) {
        this.#heatmap.describe(data);
        this.#layers.describe(data);
    }

    /** The server's health answer of the run; null if it could not be read. */
    takeHealth(health) {
        this.#heatmap.takeHealth(health);
        this.#layers.takeHealth(health);
    }

    /** Reads a new finding to a screen reader. */
    announce(finding) {
        const news = finding.isFromTrainer ? "From the trainer" : "New finding";
        this.#findings.announce(`${news}, ${finding.severity}: ${finding.title}, ${sinceText(finding)}`);
    }

    /** Shows the findings and the loss, and returns the verdict on the layers. `state` is that of `stateWords`. */
    showVerdict({ findings, loss }, state) {
        const verdict = healthVerdict(findings);
        this.#verdictBar.show(state, verdict, loss, lossVerdict(loss));
        this.#findings.show(findings);
        return verdict;
    }

    /** Paints the viewed step, and reads what is missing on screen. */
    show(isConnected) {
        const run = this.#selected?.run;
        const record = run?.shownRecord;
        if (record === undefined) {
            this.#layers.clear();
            return;
        }
        this.#header.show(run.id, record);
        this.#controls.show(run.player, run.history);
        this.#heatmap.show(isConnected);
        this.#layers.show(record, isConnected);
        if (isConnected) this.#selected.want(this.#watchedMetrics);
    }

    /** The posted metrics that records are read with: those in view. */
    get #watchedMetrics() {
        return [...new Set([...this.#layers.watchedMetrics, ...this.#heatmap.watchedMetrics])];
    }

    async #move(place, action) {
        return (await this.#selected?.move(place, action)) ?? null;
    }

    #play(action) {
        return this.#selected?.play(action) ?? null;
    }

    #seekStep(step) {
        return this.#move(
            (history) => (history.indexOf(step) < 0 ? history.nearestIndex(step) : -1),
            (player, history) => player.seekStep(history, step),
        );
    }

    /** Shows the step where a finding began, and the layer. */
    async #travel(finding) {
        if (finding === null || finding.firstStep === null) return;
        const wanted = finding.firstStep;
        const shown = await this.#seekStep(wanted);
        const hasRow = this.#layers.reveal(finding.layer);
        const step = shown === wanted ? `Step ${wanted}` : `Step ${wanted} is not kept; step ${shown}`;
        this.#findings.announce(`${step}${hasRow ? `, layer ${finding.layer}` : ""}`);
    }
}
