// What an address keeps of the table: short texts, only what differs from the default.

import { DEFAULT_SORT, parsedSort, sortText } from "./choices.js";

/** `sort`: `{ column, metric, direction }`; `filter`: `{ text, type, group, finding }`; `metrics`: chosen names or null. */
export function tableState({ sort, filter: { text, type, group, finding }, metrics }) {
    const all = {
        sort: sortText(sort) === sortText(DEFAULT_SORT) ? "" : sortText(sort), filter: text, type, group, finding,
        metrics: metrics === null ? "" : JSON.stringify(metrics),
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** The parts of a state. `metrics` is undefined where the state has none, so that the setting holds. */
export function parsedState({ sort, filter = "", type = "", group = "", finding = "", metrics } = {}) {
    return {
        sort: parsedSort(sort), filter: { text: filter, type, group, finding },
        metrics: metrics === undefined ? undefined : parsedNames(metrics),
    };
}

function parsedNames(text) {
    try {
        const names = JSON.parse(text);
        return Array.isArray(names) && names.length > 0 ? names.map(String) : null;
    } catch {
        return null;
    }
}
