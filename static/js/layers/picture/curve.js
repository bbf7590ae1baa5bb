// A metric of one layer, ready to be painted: its series, scale and shape.

import { summaryOf } from "../data/series.js";
import { curveScale } from "./scale.js";
import { curveShape } from "./shape.js";

export class Curve {
    /** `lists` are those of `LayerSeries.of(metric)`, `columns` the number of buckets. */
    constructor(metric, lists, columns) {
        this.metric = metric;
        this.lists = lists;
        this.columns = columns;
        this.summary = summaryOf(lists);
        this.scale = curveScale(lists.min, lists.max, lists.last);
        this.shape = curveShape(lists, this.scale);
    }
}
