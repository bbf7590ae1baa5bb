// Sentences about what the server does not have of a run.

import assert from "node:assert/strict";
import test from "node:test";

import { ignoredText } from "../../../static/js/model/losses.js";

const ignored = (counts) => ({ layers: 0, metrics: 0, scalars: 0, vectors: 0, maximum: 10_000, ...counts });

test("ignored names are counted by kind, with the limit and its setting", () => {
    assert.equal(ignoredText(undefined), "");
    assert.match(ignoredText(ignored({ layers: 1 })), /^The server ignored 1 layer of this run: it takes at most 10,000 names /u);
    assert.match(ignoredText(ignored({ layers: 1400, scalars: 2 })), / ignored 1,400 layers and 2 scalars of this run/u);
    assert.match(ignoredText(ignored({ layers: 1, metrics: 1, scalars: 1, vectors: 3 })),
        / ignored 1 layer, 1 metric, 1 scalar and 3 vectors of .*NN_MONITOR_MAX_NAMES_PER_RUN/u);
});
