// The strip of scalars: charts of loss, learning rate and others over the steps of the heatmap, on its x axis.
// A run without layers has no heatmap; then the strip has an axis of its own.

import { formatSteps } from "../heatmap/picture/text.js";
import { TimeAxis } from "../heatmap/time-axis.js";
import { Viewpoint } from "../heatmap/viewpoint.js";
import { readNumber } from "../model/metrics.js";
import { keepSetting, setting } from "../settings.js";
import { listText, namesOf, scalarsToShow } from "./data/choices.js";
import { seamsOf } from "./data/seams.js";
import { StripSource } from "./data/source.js";
import { StripView } from "./page/view.js";
import { StripGeometry, StripLayout } from "./picture/layout.js";
import { scalarMarks } from "./picture/line.js";
import { scalarScale } from "./picture/scale.js";
import { rowValue, scalarTable } from "./picture/text.js";

const SETTING = "strip.scalars";
const NO_MARKS = Object.freeze({ points: [], band: [], dots: [], broken: [] });

export class Strip {
    #heatmap;
    #handlers;
    #run = null;
    #names = null;
    /** The names that a person chose, for all runs; null for the usual ones. */
    #chosen = setting(SETTING, null);
    #generation = 0;
    #source;
    #view;
    #own;
    #viewpoint = new Viewpoint();
    #layout = null;
    /** The scales and marks of the scalars in `scalars`, by name. */
    #charts = { scalars: null, byName: new Map() };
    #picture = 0;

    /**
     * `handlers`: `seekStep(step)` resolves to the step shown then; `requestPaint()`; optionally `onState()` when
     * `state` changed. `heatmap` has the axis that both share.
     */
    constructor(heatmap, handlers) {
        this.#heatmap = heatmap;
        this.#handlers = handlers;
        this.#source = new StripSource(handlers.requestPaint);
        this.#own = new TimeAxis(handlers);
        this.#view = new StripView({
            requestPaint: handlers.requestPaint,
            choose: (names) => this.#choose(names),
            zoomBy: (name) => this.#zoomBy(name),
            zoom: () => {},
            areaAt: (x, y) => this.#areaAt(x, y),
            moveCursor: (x) => this.#time.moveTo(this.#time.geometry.columnAt(x)),
            select: (area, from, to) => this.#select(from.x, to.x),
            wheel: (x, isIn) => this.#wheel(x, isIn),
        });
        for (const time of [heatmap.time, this.#own]) time.addPicture(this, () => this.#hover);
    }

    /** What a link restores: the chosen scalars, if a person chose. */
    get state() {
        return this.#chosen === null ? {} : { scalars: listText(this.#chosen) };
    }

    restore({ scalars }) {
        if (typeof scalars === "string") this.#chosen = namesOf(scalars);
        this.#handlers.requestPaint();
    }

    /** Whether the run has something to show here. */
    get isShown() {
        return this.#names !== null && this.#names.length > 0;
    }

    /** Shows another run. */
    select(run) {
        this.#run = run;
        this.#names = null;
        this.#generation = run.generation;
        this.#viewpoint = new Viewpoint();
        this.#own.select(run, this.#viewpoint);
        this.#source.select(run.id);
        this.#layout = null;
        this.#view.clear();
        this.#view.setShown(false);
    }

    /** The description of the selected run, from the server. */
    describe(description) {
        this.#names = description.scalars ?? this.#names;
        // One without events has no news of restarts.
        if (description.events === undefined) return;
        for (const time of [this.#heatmap.time, this.#own]) time.seams = seamsOf(description.events);
    }

    /** Paints, and reads what is due. The heatmap is painted before. */
    show(isConnected) {
        if (this.#run === null || this.#names === null) return;
        this.#view.setShown(this.isShown);
        if (!this.isShown) return;
        this.#view.setAlone(!this.#heatmap.isShown);
        const chosen = scalarsToShow(this.#names, this.#chosen);
        this.#view.setChoices(this.#names, chosen);
        const { isLoading, isMissing } = this.#run;
        const isReadable = isConnected && !document.hidden && !isLoading && !isMissing;
        const scalars = this.#read(chosen, isReadable && this.#view.width > 0);
        this.#view.setStatus(this.#status(scalars, chosen));
        const { columns, geometry } = this.#time;
        if (geometry === null) return;
        this.#layOut(geometry, chosen.length);
        if (columns !== null) this.#paint(scalars, chosen);
    }

    /** Takes the room of the charts, also before they were read, so that nothing on the page moves when they are. */
    #layOut(geometry, rows) {
        this.#layout = new StripLayout({ geometry, rows, hasAxis: !this.#heatmap.isShown });
        this.#view.layOut(this.#layout);
        if (this.#heatmap.isShown) this.#heatmap.leaveRoom(this.#layout.height);
    }

    get #time() {
        return this.#heatmap.isShown ? this.#heatmap.time : this.#own;
    }

    /** The column at the pointer in the strip, or null. */
    get #hover() {
        const { pointer } = this.#view.gestures;
        const isOver = pointer !== null && this.#areaAt(pointer.x, pointer.y) === "cells";
        return isOver ? this.#time.geometry.columnAt(pointer.x) : null;
    }

    #areaAt(x, y) {
        const isDrawn = this.#layout !== null && this.#time.columns !== null && this.#time.geometry !== null;
        return isDrawn ? this.#layout.areaAt(x, y) : null;
    }

    /** Reads what is due, and returns what is known, in the columns in view; null before the first read. */
    #read(names, canRead) {
        const now = Date.now();
        if (this.#heatmap.isShown) {
            const { columns } = this.#time;
            if (columns === null) return null;
            this.#source.follow({ now, axis: columns, names, canRead });
            return this.#source.shownIn(columns);
        }
        if (this.#run.generation !== this.#generation) {
            this.#generation = this.#run.generation;
            this.#source.reset();
        }
        const changed = this.#run.takeChangedFrom("strip");
        if (changed !== null) this.#source.changed(changed);
        const time = this.#own;
        time.columns = this.#source.own;
        time.follow();
        this.#source.update(names, {
            now, canRead, layers: names.length, width: this.#view.width,
            view: { names: names.join("\n"), ...time.range }, pausedEnd: this.#run.player.pausedEnd,
        });
        const { width } = this.#view;
        const columns = time.columns?.columns ?? 0;
        time.geometry = width > 0 ? new StripGeometry({ width, columns }) : null;
        this.#view.setZoom({ canZoomIn: columns >= 4, isZoomed: this.#viewpoint.canZoomOutSteps });
        return time.columns;
    }

    #status(scalars, chosen) {
        if (this.#source.failure !== "") return this.#source.failure;
        if (chosen.length === 0) return "No scalar is chosen.";
        if (scalars === null) return "Reading the scalars";
        return this.#heatmap.isShown ? "" : this.#time.note;
    }

    #paint(scalars, names) {
        const time = this.#time;
        const { columns, geometry, cursor } = time;
        const isAlone = time === this.#own;
        const layout = this.#layout;
        const charts = names.map((name) => this.#chart(scalars, name));
        const { gestures, ratio } = this.#view;
        const hover = time.hover();
        const selection = gestures.selection === null ? null : [gestures.selection.from.x, gestures.selection.to.x];
        this.#view.paint({
            charts, geometry, layout, columns, cursor, hover, selection, ratio, axisColumns: isAlone ? columns : null,
            hasAxis: isAlone, seams: time.seamsInView, pointer: gestures.pointer,
        }, `${this.#picture} ${names.join("\n")}`);
        const shown = hover ?? cursor;
        const exact = hover === null ? this.#viewedScalars(columns, cursor) : null;
        const rows = names.map((name) => {
            return { name, ...rowValue(columns, scalars?.series.get(name), shown, readNumber(exact?.[name])) };
        });
        this.#view.showValues(rows, layout, this.#readout(columns, shown, exact !== null));
        if (!this.#view.hasOpenTable || scalars === null) return;
        const table = { scalars, names, scales: charts.map(({ scale }) => scale), cursor, seams: time.seamsInView };
        this.#view.showTable(`${this.#picture} ${cursor} ${names.join("\n")}`, () => scalarTable(table));
    }

    /** The scalars of the viewed step, if it is in the cursor's column and the page has its record; otherwise null. */
    #viewedScalars(columns, cursor) {
        const record = this.#run.viewedRecord;
        const isHeld = record?.structure !== undefined && cursor >= 0 && columns.columnOf(record.step) === cursor;
        return isHeld ? record.scalars : null;
    }

    #readout(columns, column, isExact) {
        if (column < 0 || column >= columns.columns) return "no step in view";
        const record = this.#run.viewedRecord;
        const [first, last] = isExact ? [record.step, record.step] : [columns.steps[column], columns.lastSteps[column]];
        return `at ${formatSteps(first, last)}${this.#time.seamText(column)}`;
    }

    #chart(scalars, name) {
        if (this.#charts.scalars !== scalars) {
            this.#charts = { scalars, byName: new Map() };
            this.#picture += 1;
        }
        const { byName } = this.#charts;
        if (!byName.has(name)) {
            const series = scalars?.series.get(name);
            const scale = series === undefined ? null : scalarScale(series);
            const marks = series === undefined ? NO_MARKS : scalarMarks(series, scalars.columns, scale);
            byName.set(name, { scale, marks });
        }
        return byName.get(name);
    }

    #choose(names) {
        this.#chosen = names;
        keepSetting(SETTING, names);
        this.#handlers.onState?.();
        this.#handlers.requestPaint();
    }

    #select(from, to) {
        const { geometry } = this.#time;
        this.#time.zoomTo([Math.min(from, to), Math.max(from, to)].map((x) => geometry.columnAt(x)));
    }

    #wheel(x, isIn) {
        if (isIn) this.#time.zoomAround(this.#time.geometry.columnAt(x));
        else this.#time.zoomOut();
    }

    #zoomBy(name) {
        if (name === "in") this.#time.zoomAround(this.#time.cursor);
        else if (name === "out") this.#time.zoomOut();
        else this.#viewpoint.showAll();
        this.#handlers.requestPaint();
    }
}
