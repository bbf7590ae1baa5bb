// Everything on screen of the selected run: verdict, findings, time travel, heatmap and layers.

import { Heatmap } from "./heatmap/heatmap.js";
import { LayersView } from "./layers/layers.js";
import { formatCount } from "./model/format.js";
import { healthVerdict, lossVerdict, sinceText } from "./model/verdict/verdict.js";
import { Strip } from "./strip/strip.js";
import { TimeTravel } from "./time-travel.js";
import { RunHeader } from "./view/run-header.js";
import { RunHint } from "./view/run-hint.js";
import { FindingsPanel } from "./view/verdict/findings-panel.js";
import { VerdictBar } from "./view/verdict/verdict-bar.js";
import { ViewedStep } from "./address/viewed-step.js";

export class RunView {
    /** The `RunSubscription` of the selected run, or null. */
    #selected = null;
    #layers;
    #header = new RunHeader();
    #hint = new RunHint();
    #description = null;
    #verdictBar = new VerdictBar((finding) => this.#travel(finding));
    #findings = new FindingsPanel((finding) => this.#travel(finding));
    #time = new TimeTravel({ showFinding: (finding) => this.#showFinding(finding) });
    #heatmap;
    #strip;
    #viewedStep;

    /** `requestPaint` is called when something must be painted, `notify(text)` shows a line above the run. */
    constructor(requestPaint, notify) {
        const seekStep = (step) => this.#time.seekStep(step);
        this.#layers = new LayersView({ seekStep, requestPaint });
        this.#heatmap = new Heatmap({ seekStep, openLayer: (id) => this.openLayer(id), requestPaint });
        this.#strip = new Strip(this.#heatmap, { seekStep, requestPaint });
        this.#viewedStep = new ViewedStep({
            seekStep,
            live: () => this.#time.live(),
            onOther: (wanted, shown) => notify(otherStepText(wanted, shown)),
        });
    }

    /** The parts of the page's address, see address.js. The step comes first: ranges follow it. */
    get addressParts() {
        return [this.#viewedStep, this.#time, this.#heatmap, this.#strip, this.#layers];
    }

    /** Shows another run, that of a `RunSubscription`. */
    select(subscription) {
        this.#selected = subscription;
        this.#description = null;
        this.#viewedStep.select(subscription.run);
        this.#time.select(subscription);
        this.#heatmap.select(subscription.run);
        this.#strip.select(subscription.run);
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
        this.#description = { ...this.#description, ...data };
        this.#heatmap.describe(data);
        this.#strip.describe(data);
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
        this.#time.findings = findings.list;
        // A run that is not listed yet is "gone" too.
        this.#time.runState = state.kind === "gone" && !this.#selected.run.isMissing ? "" : state.kind;
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
        this.#hint.show(this.#description, record);
        this.#viewedStep.show();
        this.#time.show(this.#heatmap.isShown);
        this.#heatmap.show(isConnected);
        this.#strip.show(isConnected);
        this.#layers.show(record, isConnected);
        if (isConnected) this.#selected.want(this.#watchedMetrics);
    }

    /** The posted metrics that records are read with: those in view. */
    get #watchedMetrics() {
        return [...new Set([...this.#layers.watchedMetrics, ...this.#heatmap.watchedMetrics])];
    }

    /** Shows the step where a finding began, and the layer. */
    async #travel(finding) {
        if (finding === null || finding.firstStep === null) return;
        const wanted = finding.firstStep;
        const shown = await this.#showFinding(finding);
        const hasRow = this.#layers.reveal(finding.layer);
        const step = shown === wanted ? `Step ${wanted}` : `Step ${wanted} is not kept; step ${shown}`;
        this.#findings.announce(`${step}${hasRow ? `, layer ${finding.layer}` : ""}`);
    }

    /** The same in the pictures alone, so that the page is not scrolled. Resolves to the step that is shown. */
    #showFinding(finding) {
        this.#heatmap.focusLayer(finding.layer);
        return this.#time.seekStep(finding.firstStep);
    }
}

/** Why another step is shown than the one in the address; empty without one. */
function otherStepText(wanted, shown) {
    if (wanted === null) return "";
    return `Step ${formatCount(wanted)} of the address is not kept by the server; this is step ${formatCount(shown)}.`;
}
