// The findings in time, for going from one to the next.

import { compareSteps } from "./step-number.js";

export class FindingOrder {
    /** The finding that was gone to last, and the step that was shown for it. */
    #visited = { id: null, shown: null };

    /** The step that is shown for a finding, after going there. */
    visited(finding, shown) {
        this.#visited = { id: finding.id, shown };
    }

    /**
     * The next finding in time after a step, or before it if `by` is -1: `{ finding, number, total }`, null if there is
     * none. Several findings that begin at one step come one after the other.
     */
    next(findings, step, by) {
        const list = findings.filter(({ firstStep }) => firstStep !== null);
        list.sort((a, b) => compareSteps(a.firstStep, b.firstStep) || compareSteps(String(a.id), String(b.id)));
        const { id, shown } = this.#visited;
        const current = shown === step ? list.findIndex((finding) => finding.id === id) : -1;
        let index = current + by;
        if (current < 0) {
            index = by > 0 ? list.findIndex(({ firstStep }) => firstStep > step)
                : list.findLastIndex(({ firstStep }) => firstStep < step);
        }
        const finding = index < 0 ? undefined : list[index];
        return finding === undefined ? null : { finding, number: index + 1, total: list.length };
    }
}
