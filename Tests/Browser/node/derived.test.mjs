import assert from "node:assert/strict";
import test from "node:test";

import { derivedValue, metricValue, postedNames } from "../../../static/js/model/derived.js";
import { decodeStep } from "../../../static/js/model/step-record.js";
import { StructureTable } from "../../../static/js/model/structure.js";

const valueIn = (values) => (name) => values[name];

test("derived metrics follow the formulas of the server", () => {
    const value = valueIn({
        gradient_l2_norm: 6, gradient_max_abs: 4, weight_frobenius_norm: 12, weight_spectral_norm: 3, weight_std: 2,
        weight_mean: 0,
    });
    assert.equal(derivedValue("gradient_to_weight", value), 0.5);
    assert.equal(derivedValue("stable_rank", value), 16);
    assert.equal(derivedValue("gradient_rms", value, 9), 2);
    assert.equal(derivedValue("heavy_tail", value, 9), 2);
    // Without `parameters` their number is 144 / 4.
    assert.equal(derivedValue("gradient_rms", value), 1);
});

test("a derived metric has no value without inputs, without weights and for 0 / 0, and is NaN after a NaN", () => {
    assert.equal(derivedValue("gradient_to_weight", valueIn({ gradient_l2_norm: 1 })), undefined);
    assert.equal(derivedValue("gradient_rms", valueIn({ gradient_l2_norm: 1 })), undefined);
    assert.equal(derivedValue("gradient_rms", valueIn({ gradient_l2_norm: 1 }), 0), undefined);
    const norms = (gradient, weight) => valueIn({ gradient_l2_norm: gradient, weight_frobenius_norm: weight });
    assert.equal(derivedValue("gradient_to_weight", norms(0, 0)), undefined);
    assert.equal(derivedValue("gradient_to_weight", norms(1, 0)), Infinity);
    assert.ok(Number.isNaN(derivedValue("gradient_to_weight", norms(NaN, 1))));
    assert.equal(derivedValue("constructor", valueIn({})), undefined);
});

test("the records have what a metric is computed from", () => {
    assert.deepEqual(postedNames({ name: "update_ratio", isDerived: false }), ["update_ratio"]);
    assert.deepEqual(postedNames({ name: "gradient_rms", isDerived: true }),
        ["gradient_l2_norm", "weight_frobenius_norm", "weight_std", "weight_mean"]);
    assert.deepEqual(postedNames({ name: "of a later server", isDerived: true }), []);
});

test("a record knows what was asked for, and what of it the step has", () => {
    const data = {
        step: 3, layers: [{ id: "a", parameters: 4 }, { id: "b" }],
        metrics: { gradient_l2_norm: [3, null], activation_std: ["NaN", 2] },
    };
    const metrics = ["gradient_l2_norm", "activation_std", "bias_std"];
    const record = decodeStep(data, new StructureTable(), { metrics });
    const posted = (name, index) => metricValue(record, { name, isDerived: false }, index);
    assert.deepEqual([posted("gradient_l2_norm", 0), posted("gradient_l2_norm", 1), posted("activation_std", 0)],
        [3, undefined, NaN]);
    assert.deepEqual([posted("bias_std", 0), posted("activation_std", 2), posted("activation_std", -1)],
        [undefined, undefined, undefined]);
    const rms = (index) => metricValue(record, { name: "gradient_rms", isDerived: true }, index);
    assert.deepEqual([rms(0), rms(1)], [1.5, undefined]);
    assert.ok(record.covers(["bias_std", "activation_std"]));
    assert.ok(!record.covers(["weight_std"]));
    assert.ok(decodeStep(data, new StructureTable()).covers(["weight_std"]));
});
