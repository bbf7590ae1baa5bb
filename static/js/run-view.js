// Everything on screen of the selected run: verdict, findings, time travel, heatmap and layers.

import { Heatmap } from "./heatmap/heatmap.js";
import { formatCount } from "./model/format.js";
import { healthVerdict, lossVerdict, sinceText } from "./model/verdict/verdict.js";
import { element } from "./view/dom.js";
import { LayerGrid } from "./view/layer-grid.js";
import { Palette } from "./view/palette.js";
import { PlayerControls } from "./view/player-controls.js";
import { RunHeader } from "./view/run-header.js";
import { RunHint } from "./view/run-hint.js";
import { FindingsPanel } from "./view/verdict/findings-panel.js";
import { VerdictBar } from "./view/verdict/verdict-bar.js";
import { ViewedStep } from "./viewed-step.js";

export class RunView {
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    #grid;
    #header = new RunHeader();
    #hint = new RunHint();
    #description = null;
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
    #viewedStep;

    /** `requestPaint` is called when something must be painted, `notify(text)` shows a line above the run. */
    constructor(requestPaint, notify) {
        this.#grid = new LayerGrid(element("layers"), new Palette(requestPaint), requestPaint);
        this.#heatmap = new Heatmap({ seekStep: (step) => this.#seekStep(step), requestPaint });
        this.#viewedStep = new ViewedStep({
            seekStep: (step) => this.#seekStep(step),
            live: () => this.#play((player) => player.live()),
            onOther: (wanted, shown) => notify(otherStepText(wanted, shown)),
        });
    }

    /** The parts of the page's address, see address.js. The step comes first: ranges follow it. */
    get addressParts() {
        return [this.#viewedStep, this.#heatmap];
    }

    /** Shows another run, that of a `RunSubscription`. */
    select(subscription) {
        this.#selected = subscription;
        this.#description = null;
        this.#viewedStep.select(subscription.run);
        this.#heatmap.select(subscription.run);
    }

    /** The server's description of the run, or of what changed. */
    describe(data) {
        this.#description = { ...this.#description, ...data };
        this.#heatmap.describe(data);
    }

    /** The server's health answer of the run; null if it could not be read. */
    takeHealth(health) {
        this.#heatmap.takeHealth(health);
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
            this.#grid.clear();
            return;
        }
        this.#header.show(run.id, record);
        this.#hint.show(this.#description, record);
        this.#viewedStep.show();
        this.#controls.show(run.player, run.history);
        this.#heatmap.show(isConnected);
        this.#grid.show(record, run);
        if (isConnected) this.#selected.want(this.#grid.visibleLayers);
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
        const hasCard = this.#grid.reveal(finding.layer);
        const step = shown === wanted ? `Step ${wanted}` : `Step ${wanted} is not kept; step ${shown}`;
        this.#findings.announce(`${step}${hasCard ? `, layer ${finding.layer}` : ""}`);
    }
}

/** Why another step is shown than the one in the address; empty without one. */
function otherStepText(wanted, shown) {
    if (wanted === null) return "";
    return `Step ${formatCount(wanted)} of the address is not kept by the server; this is step ${formatCount(shown)}.`;
}
