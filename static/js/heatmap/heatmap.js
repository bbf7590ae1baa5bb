// The heatmap of the selected run: one metric, layers by steps. Its x axis is the time travel of the page.

import { compareSteps } from "../model/step-number.js";
import { TimeCursor } from "./cursor.js";
import { Geometry, leastPlotWidth, ordered } from "./picture/geometry.js";
import { keyAction } from "./keys.js";
import { colouringToShow, metricToShow, offeredMetrics } from "./data/choices.js";
import { ShownLayers } from "./picture/raster.js";
import { layerMedians, ratioScale, valueScale } from "./picture/scale.js";
import { HeatmapSource } from "./data/source.js";
import { columnTable } from "./picture/table.js";
import { describeCell, formatSteps, ratioText } from "./picture/text.js";
import { HeatmapView } from "./page/view.js";
import { Viewpoint, narrowedColumns } from "./viewpoint.js";

export class Heatmap {
    #actions;
    #run = null;
    #description = null;
    #generation = 0;
    #source;
    #view;
    #viewpoint = new Viewpoint();
    /** What the user chose, kept from run to run. */
    #chosenMetric = null;
    #hasChosenColouring = false;
    /** The metric and the colouring with which this run was opened, or null. */
    #firstMetric = null;
    #firstColouring = null;
    /** The matrix and colouring for which the scale and the medians were computed. */
    #scaled = { matrix: null };
    #cursor;
    #picture = 0;
    #geometry = null;
    #window = null;

    /** `actions`: `seekStep(step)` resolves to the step shown then; `openLayer(id)`; `requestPaint()`. */
    constructor(actions) {
        this.#actions = actions;
        this.#cursor = new TimeCursor(actions.seekStep);
        this.#source = new HeatmapSource(actions.requestPaint);
        this.#view = new HeatmapView({
            requestPaint: actions.requestPaint,
            chooseMetric: () => this.#choose(() => { this.#chosenMetric = this.#view.metric; }),
            chooseColouring: () => this.#choose(() => { this.#hasChosenColouring = true; }),
            key: (event) => this.#key(event),
            zoom: (name) => this.#zoom(name),
            areaAt: (x, y) => this.#geometry?.areaAt(x, y) ?? null,
            moveCursor: (x, y, area) => this.#pointAt(x, y, area),
            select: (area, from, to) => this.#select(area, from, to), openLayer: () => this.#openLayer(),
        });
        document.addEventListener("visibilitychange", actions.requestPaint);
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#generation = run.generation;
        this.#description = null;
        this.#firstMetric = null;
        this.#firstColouring = null;
        this.#viewpoint = new Viewpoint();
        this.#cursor.select(run);
        this.#source.select(run.id);
        this.#view.clear();
        this.#view.setShown(false);
    }

    /** The description of the selected run, from the server. */
    describe(description) {
        this.#description = { ...this.#description, ...description };
    }

    /** Takes the server's health answer of the selected run; null if it could not be read. */
    takeHealth(health) {
        this.#source.takeHealth(health);
    }

    /** The posted metric whose values at the cursor belong to the picture, in a list. */
    get watchedMetrics() {
        return (this.#description?.metrics ?? []).filter((name) => name === this.#view.metric);
    }

    /** Paints, and reads what is due. */
    show(isConnected) {
        if (this.#run === null || this.#description === null) return;
        const offered = offeredMetrics(this.#description);
        this.#view.setShown(offered.length > 0);
        this.#read(offered, isConnected);
        this.#view.setStatus(this.#status());
        if (this.#matrix !== null && this.#view.width > 0) this.#paint();
    }

    get #matrix() {
        return this.#source.matrix;
    }

    /** The column of the cursor; -1 if it is out of view. */
    get #column() {
        return this.#cursor.columnIn(this.#matrix, this.#viewpoint.range);
    }

    #read(offered, isConnected) {
        if (this.#run.generation !== this.#generation) {
            this.#generation = this.#run.generation;
            this.#source.reset();
        }
        const changed = this.#run.takeChangedFrom();
        if (changed !== null) this.#source.changed(changed);
        this.#view.setMetrics(offered);
        const metric = this.#metricOf(offered);
        if (metric !== null) this.#view.metric = metric;
        const range = this.#cursor.rangeToFollow(this.#viewpoint.range, this.#matrix?.columns ?? 0);
        if (range !== null) this.#viewpoint.moveSteps(range);
        const { isLoading, isMissing, player } = this.#run;
        const canRead = isConnected && !document.hidden && this.#view.width > 0 && !isLoading && !isMissing;
        const isFollowing = !player.isPaused;
        this.#source.update({
            now: Date.now(),
            view: metric === null ? null : { metric, ...this.#viewpoint.range },
            layers: this.#description.layer_count,
            width: leastPlotWidth(this.#view.width),
            canRead,
            isFollowing,
        });
    }

    /** The chosen metric if the run has it, otherwise one that is kept for the run; null until the findings are known. */
    #metricOf(offered) {
        if (offered.some(({ name }) => name === this.#chosenMetric)) return this.#chosenMetric;
        if (!this.#source.knowsFindings) return null;
        return (this.#firstMetric ??= metricToShow(offered, this.#source.findings.metric));
    }

    #status() {
        if (this.#source.failure !== "") return this.#source.failure;
        if (this.#matrix === null) return "Reading the heatmap";
        if (this.#cursor.note !== "") return this.#cursor.note;
        return this.#matrix.rows === 0 ? "No layer has this metric in these steps." : "";
    }

    #scale() {
        const [matrix, { findings }] = [this.#matrix, this.#source];
        this.#firstColouring ??= colouringToShow(matrix, findings);
        if (!this.#hasChosenColouring) this.#view.colouring = this.#firstColouring;
        const { colouring } = this.#view;
        const isScaled = this.#scaled.matrix === matrix && this.#scaled.colouring === colouring;
        if (isScaled && this.#scaled.findings === findings) return this.#scaled;
        const scale = colouring === "ratio" ? ratioScale(matrix) : valueScale(matrix);
        const medians = scale.medians ?? layerMedians(matrix);
        const shown = new ShownLayers(matrix, scale, findings.rowsByImportance(matrix.layers));
        this.#picture += 1;
        return (this.#scaled = { matrix, colouring, findings, scale, medians, shown });
    }

    #paint() {
        const matrix = this.#matrix;
        const { scale, shown } = this.#scale();
        const viewpoint = this.#viewpoint;
        viewpoint.setLayers(matrix.rows);
        const geometry = new Geometry({
            width: this.#view.width, layers: matrix.layers, columns: matrix.columns, room: this.#view.room,
        });
        this.#geometry = geometry;
        this.#window = viewpoint.window(geometry.maximumLines(this.#view.ratio));
        const cursor = this.#column;
        const { findings } = this.#scaled;
        const hover = this.#cellAt(this.#view.gestures.pointer);
        const focus = this.#view.isFocused && cursor >= 0 && matrix.rows > 0
            ? { line: this.#window.lineOf(viewpoint.layer), column: cursor, layer: viewpoint.layer } : null;
        const { first, count } = this.#window;
        this.#view.paint({
            matrix, shown, scale, geometry, findings, cursor, hover, focus, window: this.#window, ratio: this.#view.ratio,
            selection: geometry.selectionBox(this.#view.gestures.selection),
        }, `${this.#picture} ${first}+${count}`);
        this.#view.setZoom({
            canZoomIn: matrix.columns > 0, canZoomOutLayers: viewpoint.canZoomOutLayers,
            canZoomOutSteps: viewpoint.canZoomOutSteps, isZoomed: viewpoint.isZoomed,
        });
        this.#describe(hover ?? focus, cursor);
    }

    /** Describes a cell, or the whole if it is null, and fills the table. */
    #describe(cell, cursor) {
        const { matrix, scale, medians, shown, findings } = this.#scaled;
        const textOf = ({ line, column, layer }) => {
            const [begin, end] = this.#window.layersOf(line);
            const row = layer ?? Math.max(begin, shown.at([begin, end], column));
            const value = matrix.last[row * matrix.columns + column];
            return describeCell({
                matrix, column, layer: row, sharing: layer === undefined ? end - begin : 1,
                ratio: ratioText(value, medians[row]), entry: findings.of(matrix.layers[row]),
            });
        };
        const valueText = cursor < 0 ? "no step in view" : textOf({
            line: Math.max(0, this.#window.lineOf(this.#viewpoint.layer)), column: cursor, layer: this.#viewpoint.layer,
        });
        const width = formatSteps(matrix.steps[0], matrix.lastSteps[0]);
        const bucket = matrix.isFinest ? "each column is one step" : `the first column has ${width}`;
        const general = `${matrix.rows} layers × ${matrix.columns} columns; ${bucket}`;
        this.#view.describe({ text: cell === null ? general : textOf(cell), valueText, columns: matrix.columns, cursor });
        if (!this.#view.hasOpenTable || cursor < 0) return;
        const { rows, total } = columnTable(matrix, cursor, scale, medians, findings);
        const caption = `${matrix.metric} at ${formatSteps(matrix.steps[cursor], matrix.lastSteps[cursor])}: `
            + `${rows.length} of ${total} layers, those that stand out most`;
        this.#view.showTable(`${this.#picture} ${cursor}`, caption, rows);
    }

    #cellAt(point) {
        if (point === null || this.#matrix.rows === 0 || this.#geometry.areaAt(point.x, point.y) !== "cells") return null;
        return { line: this.#geometry.lineAt(point.y, this.#window.lines), column: this.#geometry.columnAt(point.x) };
    }

    #choose(choice) {
        choice();
        this.#actions.requestPaint();
    }

    #pointAt(x, y, area = "cells") {
        if (this.#matrix === null || this.#matrix.rows === 0) return;
        if (area !== "axis") {
            const line = this.#geometry.lineAt(y, this.#window.lines);
            const column = this.#geometry.columnAt(x);
            const layers = this.#window.layersOf(line);
            this.#viewpoint.focus(Math.max(layers[0], this.#scaled.shown.at(layers, column)));
        }
        if (area !== "names") this.#moveTo(this.#geometry.columnAt(x));
        this.#actions.requestPaint();
    }

    #key(event) {
        const action = keyAction(event);
        if (action === null || this.#matrix === null || this.#matrix.columns === 0) return false;
        if (action.kind === "column") this.#moveTo(Math.max(0, this.#column) + action.by);
        else if (action.kind === "layer") this.#moveLayer(action.by);
        else if (action.kind === "finding") this.#goToFinding(action.by);
        else if (action.kind === "open") this.#openLayer();
        else this.#zoom(action.name);
        this.#actions.requestPaint();
        return true;
    }

    #openLayer() {
        if (this.#matrix?.rows > 0) this.#actions.openLayer(this.#matrix.layers[this.#viewpoint.layer]);
    }

    /** Moves the focus by lines: layers that share a line are passed together. */
    #moveLayer(by) {
        const { count, lines } = this.#window;
        this.#viewpoint.focus(this.#viewpoint.layer + Math.sign(by) * Math.ceil((Math.abs(by) * count) / lines));
    }

    async #moveTo(column) {
        await this.#cursor.moveTo(this.#matrix, this.#viewpoint.range, column);
        this.#actions.requestPaint();
    }

    /** Goes to the step in which a finding began: the next one by importance. */
    async #goToFinding(by) {
        const rows = this.#source.findings.rowsByImportance(this.#matrix.layers);
        if (rows.length === 0) return;
        const place = rows.indexOf(this.#viewpoint.layer);
        const next = rows.at(place < 0 ? 0 : (place + by) % rows.length);
        this.#viewpoint.focus(next);
        const step = this.#source.findings.of(this.#matrix.layers[next]).alerts.map(({ firstStep }) => firstStep).sort(compareSteps)[0];
        await this.#cursor.seek(step);
    }

    #zoom(name) {
        const viewpoint = this.#viewpoint;
        if (name === "all") viewpoint.showAll();
        else if (name === "layers-in") viewpoint.zoomLayers(0.5);
        else if (name === "layers-out") viewpoint.zoomLayers(2);
        else if (name === "steps-out") viewpoint.zoomOutSteps();
        else this.#zoomIntoSteps(narrowedColumns(this.#matrix.columns, Math.max(0, this.#column)));
        this.#actions.requestPaint();
    }

    #select(area, from, to) {
        if (area !== "axis") {
            const [low, high] = ordered(from.y, to.y).map((y) => this.#geometry.lineAt(y, this.#window.lines));
            this.#viewpoint.showLayers(this.#window.layersOf(low)[0], this.#window.layersOf(high)[1] - 1);
        }
        if (area !== "names") this.#zoomIntoSteps(ordered(from.x, to.x).map((x) => this.#geometry.columnAt(x)));
    }

    /** Shows columns, `[first, last]`, in more detail. A range that ends with the last column follows the run. */
    async #zoomIntoSteps(columns) {
        if (columns === null) return;
        const [first, last] = columns;
        const { steps, lastSteps, columns: count } = this.#matrix;
        const cursor = this.#column;
        const isOpen = last === count - 1 && this.#viewpoint.range.to === null;
        const range = { from: steps[first], to: isOpen ? null : lastSteps[last] };
        // First the step, so that the range has it and is not moved.
        if (cursor < first || cursor > last) await this.#cursor.seek(lastSteps[last]);
        this.#viewpoint.showSteps(range);
        this.#actions.requestPaint();
    }
}
