// The heatmap of the selected run: one metric, layers by steps. Its x axis is the time travel of the page.

import { QuantileFan } from "./fan/quantile-fan.js";
import { Geometry, leastPlotWidth, nameRoom } from "./picture/geometry.js";
import { ChosenView } from "./chosen-view.js";
import { offeredMetrics } from "./data/choices.js";
import { scaledMatrix } from "./picture/scaled.js";
import { HeatmapSource } from "./data/source.js";
import { columnTable } from "./picture/table.js";
import { cursorTexts } from "./picture/text.js";
import { HeatmapView } from "./page/view.js";
import { Navigation } from "./navigation.js";
import { DepthProfile } from "./profile/depth-profile.js";
import { TimeAxis } from "./time-axis.js";

/** Least height of the cells below other pictures. */
const LEAST_ROOM = 180;

export class Heatmap {
    #actions;
    #run = null;
    #description = null;
    #generation = 0;
    #source;
    #view;
    #navigation;
    #chosen = new ChosenView();
    /** The matrix and colouring for which the scale and the medians were computed. */
    #scaled = { matrix: null };
    #picture = 0;
    /** The id of a layer to move the focus to with the next picture, or null. */
    #wantedLayer = null;
    #canRead = false;
    /** Height of the strip above the cells, which leaves less of the screen for them. */
    #heightAbove = 0;
    /** The layers of the description, and their ids. */
    #expected = { layers: null, ids: [] };
    /** The pictures that share its axes. */
    #companions;
    /** The matrix that was painted last. */
    #paintedMatrix = null;

    /** The x axis, for pictures of the same steps. */
    time;

    /**
     * `actions`: `seekStep(step)` resolves to the step shown then; `requestPaint()`; and optionally `openLayer(id)`,
     * and `onState()` when the folds changed.
     */
    constructor(actions) {
        this.#actions = actions;
        this.time = new TimeAxis(actions);
        const navigation = new Navigation(this.time, actions);
        this.#navigation = navigation;
        this.#source = new HeatmapSource(actions.requestPaint);
        this.#view = new HeatmapView({
            requestPaint: actions.requestPaint,
            chooseMetric: () => this.#choose(() => this.#chosen.chooseMetric(this.#view.metric)),
            chooseColouring: () => this.#choose(() => this.#chosen.chooseColouring(this.#view.colouring)),
            key: (event) => navigation.key(event),
            treeKey: (event) => navigation.treeKey(event),
            zoom: (name) => navigation.zoom(name),
            areaAt: (x, y) => navigation.areaAt(x, y),
            moveCursor: (x, y, area) => navigation.pointAt(x, y, area),
            select: (area, from, to) => navigation.zoomBetween(area, from, to),
            wheel: (x, isIn) => navigation.wheel(x, isIn),
            openLayer: () => navigation.openLayer(),
        });
        const fan = new QuantileFan(actions.requestPaint);
        this.#companions = [new DepthProfile(actions.requestPaint), fan];
        this.time.addPicture(fan, () => fan.column);
        this.time.addPicture(this, () => navigation.cellAt(this.#view.gestures.pointer)?.column ?? null);
        document.addEventListener("visibilitychange", actions.requestPaint);
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#generation = run.generation;
        this.#description = null;
        this.#chosen.select();
        this.#wantedLayer = null;
        this.#heightAbove = 0;
        this.#navigation.select();
        this.time.select(run, this.#viewpoint);
        this.#source.select(run.id);
        this.#view.clear();
        this.#view.setShown(false);
        for (const companion of this.#companions) companion.select(run);
    }

    /** The part of the page's address. */
    get state() {
        return { ...this.#chosen.state(this.#viewpoint, this.#matrix?.layers ?? []), ...this.#outline.state };
    }

    restore(state) {
        this.#outline.restore(state);
        this.#chosen.restore(state, this.#viewpoint);
        this.#actions.requestPaint();
    }

    /** Whether the run has something to show here. */
    get isShown() {
        return this.#description !== null && offeredMetrics(this.#description).length > 0;
    }

    /** Moves the focus to a layer, if the picture has it, or will have when it was read. */
    focusLayer(id) {
        this.#wantedLayer = id;
        this.#actions.requestPaint();
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
        if (offered.length === 0) return;
        this.#read(offered, isConnected);
        this.#view.setStatus(this.#source.status(this.time.note));
        this.#draw();
    }

    /** Leaves room for the strip above the cells, and paints again if it needs another height than before. */
    leaveRoom(heightAbove) {
        if (heightAbove === this.#heightAbove) return;
        this.#heightAbove = heightAbove;
        this.#draw();
    }

    #draw() {
        if (this.#view.width === 0) return;
        if (this.#matrix === null) this.#layOut();
        else this.#paint();
    }

    /** Takes the room of the picture before it was read, so that nothing on the page moves when it is. */
    #layOut() {
        const { layers = [] } = this.#description;
        if (this.#expected.layers !== layers) this.#expected = { layers, ids: layers.map(({ id }) => id) };
        this.#outline.update(this.#expected.ids, layers);
        this.time.geometry = this.#geometry(0);
        this.#view.layOut(this.time.geometry);
        for (const companion of this.#companions) companion.layOut(this.time.geometry, this.#expected);
    }

    /** The names of the rows, see `Outline.namesIn`. */
    get #named() {
        const { width } = this.#view;
        return this.#outline.namesIn(nameRoom(width, this.#outline.levels(width)));
    }

    #geometry(columns) {
        const { width, room } = this.#view;
        return new Geometry({
            width, layers: this.#named.texts, columns, levels: this.#outline.levels(width),
            room: Math.max(LEAST_ROOM, room - Math.round(this.#heightAbove / 2)),
        });
    }

    get #matrix() {
        return this.#source.matrix;
    }

    get #viewpoint() {
        return this.#navigation.viewpoint;
    }

    get #outline() {
        return this.#navigation.outline;
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
        this.#canRead = canRead;
        this.#source.update({
            now: Date.now(),
            view: metric === null ? null : { metric, ...this.#viewpoint.range },
            layers: this.#description.layer_count,
            width: this.time.geometry?.plotWidth ?? leastPlotWidth(this.#view.width),
            canRead,
            pausedEnd: player.pausedEnd,
        });
    }

    #scale() {
        const [matrix, { findings }] = [this.#matrix, this.#source];
        const colouring = this.#chosen.colouringOf(matrix, findings);
        this.#view.colouring = colouring;
        const isScaled = this.#scaled.matrix === matrix && this.#scaled.colouring === colouring;
        if (isScaled && this.#scaled.findings === findings) return this.#scaled;
        this.#picture += 1;
        return (this.#scaled = scaledMatrix(matrix, colouring, findings));
    }

    #paint() {
        const [matrix, viewpoint, outline] = [this.#matrix, this.#viewpoint, this.#outline];
        const { scale, shown, findings } = this.#scale();
        outline.update(matrix.layers, this.#description.layers);
        const wanted = matrix.layers.indexOf(this.#wantedLayer);
        this.#wantedLayer = null;
        if (wanted >= 0) outline.focus(wanted, viewpoint);
        viewpoint.setRows(outline.rows);
        this.#chosen.applyLayers(viewpoint, matrix.layers);
        const { ratio, gestures, isTreeFocused } = this.#view;
        const { names } = this.#named;
        const geometry = this.#geometry(matrix.columns);
        // The next read has as many columns as there is room for.
        if (geometry.plotWidth !== this.time.geometry?.plotWidth) this.#actions.requestPaint();
        this.time.geometry = geometry;
        const window = viewpoint.window(geometry.maximumLines(ratio));
        outline.place(window, geometry);
        this.#navigation.picture = { matrix, shown, geometry, window, findings };
        const { cursor } = this.time;
        const { pointer } = gestures;
        const hover = this.#navigation.cellAt(pointer);
        const focus = (this.#view.isFocused || isTreeFocused) && cursor >= 0 && matrix.rows > 0
            ? { line: window.lineOf(viewpoint.layer), column: cursor, layer: viewpoint.layer } : null;
        const picture = {
            matrix, names, shown, scale, geometry, findings, cursor, hover, focus, window, ratio, pointer,
            selection: geometry.selectionBox(gestures.selection), hoverColumn: this.time.hover(this),
            ...outline.marks(pointer, isTreeFocused ? viewpoint.layer : null), seams: this.time.seamsInView,
            worst: findings.worstByLine(matrix.layers, window), described: this.#description.layers,
        };
        const { first, count } = window;
        const colours = this.#view.paint(picture, `${this.#picture} ${first}+${count} ${outline.version}`);
        this.#view.setZoom(matrix.columns > 0, viewpoint, outline);
        this.#view.showTree(outline.itemText(viewpoint.layer, findings));
        this.#describe(picture, hover ?? this.#navigation.cellAt(pointer, "names", cursor) ?? focus);
        if (this.#paintedMatrix !== matrix) {
            // The pictures beside it follow in the next frame, so that no frame takes long.
            this.#paintedMatrix = matrix;
            this.#actions.requestPaint();
            return;
        }
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

    #choose(choice) {
        choice();
        this.#actions.requestPaint();
    }
}
