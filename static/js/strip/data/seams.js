// Where a training was restarted: seams in time.

import { compareSteps } from "../../model/step-number.js";
import { formatCount } from "../../model/format.js";

/**
 * The seams of a run from its events: `[{ step, text }]`, ascending, one for each step. The first training is
 * attempt 1.
 */
export function seamsOf(events = []) {
    const byStep = new Map();
    let attempt = 1;
    for (const { type, step, not_kept: notKept } of events) {
        if (type !== "resumed" && type !== "restarted") continue;
        attempt += 1;
        const lost = type === "restarted" ? `, ${formatCount(notKept)} step${notKept === 1 ? "" : "s"} not kept` : "";
        const attempts = byStep.get(step) ?? [];
        attempts.push(`attempt ${attempt}${lost}`);
        byStep.set(step, attempts);
    }
    const seams = [...byStep].map(([step, attempts]) => {
        return { step, text: `restarted at step ${formatCount(step)}, ${attempts.join(", then ")}` };
    });
    return seams.sort((a, b) => compareSteps(a.step, b.step));
}
