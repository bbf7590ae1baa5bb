// The heatmap of the selected run: one metric, layers by steps. Its x axis is the time travel of the page.

import { QuantileFan } from "./fan/quantile-fan.js";
import { Geometry, leastPlotWidth, ordered } from "./picture/geometry.js";
import { keyAction } from "./keys.js";
import { colouringToShow, metricToShow, offeredMetrics } from "./data/choices.js";
import { scaledMatrix } from "./picture/scaled.js";
import { HeatmapSource } from "./data/source.js";
import { columnTable } from "./picture/table.js";
import { cursorTexts } from "./picture/text.js";
import { HeatmapView } from "./page/view.js";
import { Outline } from "./outline.js";
import { DepthProfile } from "./profile/depth-profile.js";
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
    /** What the user chose, kept from run to run. */
    #chosenMetric = null;
    #hasChosenColouring = false;
    /** The metric and the colouring with which this run was opened, or null. */
    #firstMetric = null;
    #firstColouring = null;
    /** The matrix and colouring for which the scale and the medians were computed. */
    #scaled = { matrix: null };
    #picture = 0;
    #geometry = null;
    #window = null;
    #outline;
    #canRead = false;
    /** The pictures that share its axes. */
    #companions;

    /** The x axis, for pictures of the same steps. */
    time;

    /**
     * `actions`: `seekStep(step)` resolves to the step shown then; `requestPaint()`; and optionally `openLayer(id)`,
     * and `onState()` when the folds changed.
     */
    constructor(actions) {
        this.#actions = actions;
        this.time = new TimeAxis(actions);
        this.#source = new HeatmapSource(actions.requestPaint);
        this.#outline = new Outline(actions);
        this.#view = new HeatmapView({
            requestPaint: actions.requestPaint,
            chooseMetric: () => this.#choose(() => { this.#chosenMetric = this.#view.metric; }),
            chooseColouring: () => this.#choose(() => { this.#hasChosenColouring = true; }),
            key: (event) => this.#key(event),
            treeKey: ({ key }) => this.#outline.press(key, this.#viewpoint),
            zoom: (name) => this.#zoom(name),
            areaAt: (x, y) => this.#geometry?.areaAt(x, y) ?? null,
            moveCursor: (x, y, area) => this.#pointAt(x, y, area),
            select: (area, from, to) => this.#select(area, from, to),
            wheel: (x, isIn) => (isIn ? this.time.zoomAround(this.#geometry.columnAt(x)) : this.time.zoomOut()),
        });
        const fan = new QuantileFan(actions.requestPaint);
        this.#companions = [new DepthProfile(actions.requestPaint), fan];
        this.time.addPicture(fan, () => fan.column);
        this.time.addPicture(this, () => this.#cellAt(this.#view.gestures.pointer)?.column ?? null);
        document.addEventListener("visibilitychange", actions.requestPaint);
    }

    /** The folds, for the address of the page. */
    get state() {
        return this.#outline.state;
    }

    restore(state) {
        this.#outline.restore(state);
        this.#actions.requestPaint();
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#generation = run.generation;
        this.#description = null;
        this.#firstMetric = null;
        this.#firstColouring = null;
        this.#viewpoint = new Viewpoint();
        this.time.select(run, this.#viewpoint);
        this.#geometry = null;
        this.#source.select(run.id);
        this.#view.clear();
        this.#view.setShown(false);
        for (const companion of this.#companions) companion.select(run);
    }

    /** Whether the run has something to show here. */
    get isShown() {
        return this.#description !== null && offeredMetrics(this.#description).length > 0;
    }

    /** Moves the focus to a layer, if the picture has it. */
    focusLayer(id) {
        const row = this.#matrix?.layers.indexOf(id) ?? -1;
        if (row >= 0) this.#outline.focus(row, this.#viewpoint);
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
        this.#view.setStatus(this.#source.status(this.time.note));
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
        const metric = this.#metricOf(offered);
        if (metric !== null) this.#view.metric = metric;
        this.time.columns = this.#matrix;
        this.time.follow();
        const { isLoading, isMissing, player } = this.#run;
        const canRead = isConnected && !document.hidden && this.#view.width > 0 && !isLoading && !isMissing;
        this.#canRead = canRead;
        this.#source.update({
            now: Date.now(),
            view: metric === null ? null : { metric, ...this.#viewpoint.range },
            layers: this.#description.layer_count,
            width: leastPlotWidth(this.#view.width),
            canRead,
            pausedEnd: player.pausedEnd,
        });
    }

    /** The chosen metric if the run has it, otherwise one that is kept for the run; null until the findings are known. */
    #metricOf(offered) {
        if (offered.some(({ name }) => name === this.#chosenMetric)) return this.#chosenMetric;
        if (!this.#source.knowsFindings) return null;
        return (this.#firstMetric ??= metricToShow(offered, this.#source.findings.metric));
    }

    #scale() {
        const [matrix, { findings }] = [this.#matrix, this.#source];
        this.#firstColouring ??= colouringToShow(matrix, findings);
        if (!this.#hasChosenColouring) this.#view.colouring = this.#firstColouring;
        const { colouring } = this.#view;
        const isScaled = this.#scaled.matrix === matrix && this.#scaled.colouring === colouring;
        if (isScaled && this.#scaled.findings === findings) return this.#scaled;
        this.#picture += 1;
        return (this.#scaled = scaledMatrix(matrix, colouring, findings));
    }

    #paint() {
        const matrix = this.#matrix;
        const { scale, shown } = this.#scale();
        const [viewpoint, outline] = [this.#viewpoint, this.#outline];
        outline.update(matrix.layers, this.#description.layers);
        viewpoint.setRows(outline.rows);
        const geometry = new Geometry({
            width: this.#view.width, layers: outline.names, columns: matrix.columns, levels: outline.levels(this.#view.width),
            room: Math.max(LEAST_ROOM, this.#view.room - Math.round(this.time.heightAbove / 2)),
        });
        this.#geometry = geometry;
        this.time.geometry = geometry;
        this.#window = viewpoint.window(geometry.maximumLines(this.#view.ratio));
        outline.place(this.#window, geometry);
        const { cursor } = this.time;
        const [{ findings }, { pointer }] = [this.#scaled, this.#view.gestures];
        const hover = this.#cellAt(pointer);
        const isFocused = this.#view.isFocused || this.#view.isTreeFocused;
        const focus = isFocused && cursor >= 0 && matrix.rows > 0
            ? { line: this.#window.lineOf(viewpoint.layer), column: cursor, layer: viewpoint.layer } : null;
        const { first, count } = this.#window;
        const picture = {
            matrix, shown, scale, geometry, findings, cursor, hover, focus, window: this.#window,
            ratio: this.#view.ratio, selection: geometry.selectionBox(this.#view.gestures.selection),
            ...outline.marks(pointer, this.#view.isTreeFocused ? viewpoint.layer : null),
            hoverColumn: this.time.hover(this), seams: this.time.seamsInView, pointer,
        };
        const colours = this.#view.paint(picture, `${this.#picture} ${first}+${count} ${outline.version}`);
        this.#view.setZoom(matrix.columns > 0, viewpoint, outline);
        this.#view.showTree(outline.itemText(viewpoint.layer, findings));
        this.#describe(picture, hover ?? this.#cellAt(pointer, "names", cursor) ?? focus);
        const record = this.#run.viewedRecord;
        for (const companion of this.#companions) {
            companion.show({ ...picture, colours, scaled: this.#scaled, record, canRead: this.#canRead, time: this.time });
        }
    }

    /** Describes a cell, or the whole if it is null, and fills the table. */
    #describe({ matrix, window, cursor, hoverNode }, cell) {
        const picture = { ...this.#scaled, window, hoverNode, seamText: (column) => this.time.seamText(column) };
        const texts = cursorTexts(picture, cell, cursor, this.#viewpoint.layer);
        this.#view.describe({ ...texts, columns: matrix.columns, cursor });
        if (!this.#view.hasOpenTable || cursor < 0) return;
        const table = columnTable(this.#scaled, cursor);
        table.caption += this.time.seamsInView.map(({ text }) => `; ${text}`).join("");
        this.#view.showTable(`${this.#picture} ${cursor}`, table);
    }

    /** The cell at a point, if that is in the area: of the cells, or of the names, for which the column is given. */
    #cellAt(point, area = "cells", column = this.#geometry?.columnAt(point?.x)) {
        const isInside = point !== null && this.#geometry?.areaAt(point.x, point.y) === area;
        if (!isInside || this.#matrix.rows === 0 || column < 0) return null;
        return { line: this.#geometry.lineAt(point.y, this.#window.lines), column };
    }

    #choose(choice) {
        choice();
        this.#actions.requestPaint();
    }

    #pointAt(x, y, area = "cells") {
        if (this.#matrix === null || this.#matrix.rows === 0) return;
        if (area === "tree") return this.#outline.toggle(this.#outline.nodeAt({ x, y }));
        if (area !== "axis") {
            const line = this.#geometry.lineAt(y, this.#window.lines);
            const column = this.#geometry.columnAt(x);
            const layers = this.#window.layersOf(line);
            this.#viewpoint.focus(Math.max(layers[0], this.#scaled.shown.at(layers, column)));
            if (area === "names") this.#outline.toggle(this.#window.nodeOf(line));
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
        this.#viewpoint.moveRows(Math.sign(by) * Math.ceil((Math.abs(by) * count) / lines));
    }

    /** Goes to the step in which a finding began: the next one by importance. */
    async #goToFinding(by) {
        const next = this.#source.findings.next(this.#matrix.layers, this.#viewpoint.layer, by);
        if (next === null) return;
        this.#outline.focus(next.row, this.#viewpoint);
        await this.time.seek(next.step);
    }

    #zoom(name) {
        const viewpoint = this.#viewpoint;
        if (name === "all") viewpoint.showAll();
        else if (name === "layers-in") viewpoint.zoomLayers(0.5);
        else if (name === "layers-out") viewpoint.zoomLayers(2);
        else if (name === "steps-out") viewpoint.zoomOutSteps();
        else if (name === "fold-all") this.#outline.foldAll();
        else if (name === "unfold-all") this.#outline.unfoldAll();
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
