// Everything on screen of the selected run: verdict, findings, time travel, heatmap and layers.

import { Heatmap } from "./heatmap/heatmap.js";
import { healthVerdict, lossVerdict, sinceText } from "./model/verdict/verdict.js";
import { Strip } from "./strip/strip.js";
import { TimeTravel } from "./time-travel.js";
import { element } from "./view/dom.js";
import { LayerGrid } from "./view/layer-grid.js";
import { Palette } from "./view/palette.js";
import { RunHeader } from "./view/run-header.js";
import { FindingsPanel } from "./view/verdict/findings-panel.js";
import { VerdictBar } from "./view/verdict/verdict-bar.js";

export class RunView {
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    #grid;
    #header = new RunHeader();
    #verdictBar = new VerdictBar((finding) => this.#travel(finding));
    #findings = new FindingsPanel((finding) => this.#travel(finding));
    #time = new TimeTravel({ showFinding: (finding) => this.#showFinding(finding) });
    #heatmap;
    #strip;

    /** `requestPaint` is called when something must be painted. */
    constructor(requestPaint) {
        this.#grid = new LayerGrid(element("layers"), new Palette(requestPaint), requestPaint);
        const seekStep = (step) => this.#time.seekStep(step);
        this.#heatmap = new Heatmap({ seekStep, requestPaint });
        this.#strip = new Strip(this.#heatmap, { seekStep, requestPaint });
    }

    /** Shows another run, that of a `RunSubscription`. */
    select(subscription) {
        this.#selected = subscription;
        this.#time.select(subscription);
        this.#heatmap.select(subscription.run);
        this.#strip.select(subscription.run);
    }

    /** The server's description of the run, or of what changed. */
    describe(data) {
        this.#heatmap.describe(data);
        this.#strip.describe(data);
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
        this.#time.findings = findings.list;
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
        this.#time.show(this.#heatmap.isShown);
        this.#heatmap.show(isConnected);
        this.#strip.show(isConnected);
        this.#grid.show(record, run);
        if (isConnected) this.#selected.want(this.#grid.visibleLayers);
    }

    /** Shows the step where a finding began, and the layer. */
    async #travel(finding) {
        if (finding === null || finding.firstStep === null) return;
        const wanted = finding.firstStep;
        const shown = await this.#showFinding(finding);
        const hasCard = this.#grid.reveal(finding.layer);
        const step = shown === wanted ? `Step ${wanted}` : `Step ${wanted} is not kept; step ${shown}`;
        this.#findings.announce(`${step}${hasCard ? `, layer ${finding.layer}` : ""}`);
    }

    /** The same in the pictures alone, so that the page is not scrolled. Resolves to the step that is shown. */
    #showFinding(finding) {
        this.#heatmap.focusLayer(finding.layer);
        return this.#time.seekStep(finding.firstStep);
    }
}
