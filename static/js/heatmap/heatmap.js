// The heatmap of the selected run: one metric, layers by steps. Its x axis is the time travel of the page.

import { compareSteps } from "../model/step-number.js";
import { Geometry, leastPlotWidth, ordered } from "./picture/geometry.js";
import { keyAction } from "./keys.js";
import { ChosenView } from "./chosen-view.js";
import { offeredMetrics } from "./data/choices.js";
import { ShownLayers } from "./picture/raster.js";
import { layerMedians, ratioScale, valueScale } from "./picture/scale.js";
import { HeatmapSource } from "./data/source.js";
import { columnTable } from "./picture/table.js";
import { describeCell, formatSteps, ratioText } from "./picture/text.js";
import { HeatmapView } from "./page/view.js";
import { TimeAxis } from "./time-axis.js";
import { Viewpoint } from "./viewpoint.js";

/** Least height of the cells below other pictures. */
const LEAST_ROOM = 180;

export class Heatmap {
    #actions;
    #run = null;
    #description = null;
    #generation = 0;
    #source;
    #view;
    #viewpoint = new Viewpoint();
    #chosen = new ChosenView();
    /** The matrix and colouring for which the scale and the medians were computed. */
    #scaled = { matrix: null };
    #picture = 0;
    #geometry = null;
    #window = null;

    /** The x axis, for pictures of the same steps. */
    time;

    /** `actions`: `seekStep(step)` resolves to the step shown then; `requestPaint()`. */
    constructor(actions) {
        this.#actions = actions;
        this.time = new TimeAxis(actions);
        this.#source = new HeatmapSource(actions.requestPaint);
        this.#view = new HeatmapView({
            requestPaint: actions.requestPaint,
            chooseMetric: () => this.#choose(() => this.#chosen.chooseMetric(this.#view.metric)),
            chooseColouring: () => this.#choose(() => this.#chosen.chooseColouring(this.#view.colouring)),
            key: (event) => this.#key(event),
            zoom: (name) => this.#zoom(name),
            areaAt: (x, y) => this.#geometry?.areaAt(x, y) ?? null,
            moveCursor: (x, y, area) => this.#pointAt(x, y, area),
            select: (area, from, to) => this.#select(area, from, to),
            wheel: (x, isIn) => (isIn ? this.time.zoomAround(this.#geometry.columnAt(x)) : this.time.zoomOut()),
        });
        const pointed = () => (this.#geometry === null ? null : this.#cellAt(this.#view.gestures.pointer));
        this.time.addPicture(this, () => pointed()?.column ?? null);
        document.addEventListener("visibilitychange", actions.requestPaint);
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#generation = run.generation;
        this.#description = null;
        this.#chosen.select();
        this.#viewpoint = new Viewpoint();
        this.time.select(run, this.#viewpoint);
        this.#geometry = null;
        this.#source.select(run.id);
        this.#view.clear();
        this.#view.setShown(false);
    }

    /** The part of the page's address. */
    get state() {
        return this.#chosen.state(this.#viewpoint, this.#matrix?.layers ?? []);
    }

    restore(state) {
        this.#chosen.restore(state, this.#viewpoint);
        this.#actions.requestPaint();
    }

    /** Whether the run has something to show here. */
    get isShown() {
        return this.#description !== null && offeredMetrics(this.#description).length > 0;
    }

    /** The description of the selected run, from the server. */
    describe(description) {
        this.#description = { ...this.#description, ...description };
    }

    /** Takes the server's health answer of the selected run; null if it could not be read. */
    takeHealth(health) {
        this.#source.takeHealth(health);
    }

    /** Paints, and reads what is due. */
    show(isConnected) {
        if (this.#run === null || this.#description === null) return;
        const offered = offeredMetrics(this.#description);
        this.#view.setShown(offered.length > 0);
        if (offered.length === 0) return;
        this.#read(offered, isConnected);
        this.#view.setStatus(this.#status());
        if (this.#matrix !== null && this.#view.width > 0) this.#paint();
    }

    get #matrix() {
        return this.#source.matrix;
    }

    #read(offered, isConnected) {
        if (this.#run.generation !== this.#generation) {
            this.#generation = this.#run.generation;
            this.#source.reset();
        }
        const changed = this.#run.takeChangedFrom();
        if (changed !== null) this.#source.changed(changed);
        this.#view.setMetrics(offered);
        const metric = this.#chosen.metricOf(offered, this.#source);
        if (metric !== null) this.#view.metric = metric;
        this.time.columns = this.#matrix;
        const { isLoading, isMissing, isMoving, player } = this.#run;
        if (!isMoving) this.time.follow();
        const isReady = !isLoading && !isMissing && !isMoving;
        const canRead = isConnected && !document.hidden && this.#view.width > 0 && isReady;
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

    #status() {
        if (this.#source.failure !== "") return this.#source.failure;
        if (this.#matrix === null) return "Reading the heatmap";
        if (this.time.note !== "") return this.time.note;
        return this.#matrix.rows === 0 ? "No layer has this metric in these steps." : "";
    }

    #scale() {
        const [matrix, { findings }] = [this.#matrix, this.#source];
        const colouring = this.#chosen.colouringOf(matrix, findings);
        this.#view.colouring = colouring;
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
        this.#chosen.applyLayers(viewpoint, matrix.layers);
        const geometry = new Geometry({
            width: this.#view.width, layers: matrix.layers, columns: matrix.columns,
            room: Math.max(LEAST_ROOM, this.#view.room - Math.round(this.time.heightAbove / 2)),
        });
        this.#geometry = geometry;
        this.time.geometry = geometry;
        this.#window = viewpoint.window(geometry.maximumLines(this.#view.ratio));
        const { cursor } = this.time;
        const { findings } = this.#scaled;
        const hover = this.#cellAt(this.#view.gestures.pointer);
        const focus = this.#view.isFocused && cursor >= 0 && matrix.rows > 0
            ? { line: this.#window.lineOf(viewpoint.layer), column: cursor, layer: viewpoint.layer } : null;
        const { first, count } = this.#window;
        this.#view.paint({
            matrix, shown, scale, geometry, findings, cursor, hover, focus, window: this.#window, ratio: this.#view.ratio,
            hoverColumn: this.time.hover(this), seams: this.time.seamsInView, pointer: this.#view.gestures.pointer,
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
            }) + this.time.seamText(column);
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
        if (area !== "names") this.time.moveTo(this.#geometry.columnAt(x));
        this.#actions.requestPaint();
    }

    #key(event) {
        const action = keyAction(event);
        if (action === null || this.#matrix === null || this.#matrix.columns === 0) return false;
        if (action.kind === "column") this.time.moveTo(Math.max(0, this.time.cursor) + action.by);
        else if (action.kind === "layer") this.#moveLayer(action.by);
        else if (action.kind === "finding") this.#goToFinding(action.by);
        else this.#zoom(action.name);
        this.#actions.requestPaint();
        return true;
    }

    /** Moves the focus by lines: layers that share a line are passed together. */
    #moveLayer(by) {
        const { count, lines } = this.#window;
        this.#viewpoint.focus(this.#viewpoint.layer + Math.sign(by) * Math.ceil((Math.abs(by) * count) / lines));
    }

    /** Goes to the step in which a finding began: the next one by importance. */
    async #goToFinding(by) {
        const rows = this.#source.findings.rowsByImportance(this.#matrix.layers);
        if (rows.length === 0) return;
        const place = rows.indexOf(this.#viewpoint.layer);
        const next = rows.at(place < 0 ? 0 : (place + by) % rows.length);
        this.#viewpoint.focus(next);
        const step = this.#source.findings.of(this.#matrix.layers[next]).alerts.map(({ firstStep }) => firstStep).sort(compareSteps)[0];
        await this.time.seek(step);
    }

    #zoom(name) {
        const viewpoint = this.#viewpoint;
        if (name === "all") viewpoint.showAll();
        else if (name === "layers-in") viewpoint.zoomLayers(0.5);
        else if (name === "layers-out") viewpoint.zoomLayers(2);
        else if (name === "steps-out") viewpoint.zoomOutSteps();
        else this.time.zoomAround(this.time.cursor);
        this.#actions.requestPaint();
    }

    #select(area, from, to) {
        if (area !== "axis") {
            const [low, high] = ordered(from.y, to.y).map((y) => this.#geometry.lineAt(y, this.#window.lines));
            this.#viewpoint.showLayers(this.#window.layersOf(low)[0], this.#window.layersOf(high)[1] - 1);
        }
        if (area !== "names") this.time.zoomTo(ordered(from.x, to.x).map((x) => this.#geometry.columnAt(x)));
    }
}
