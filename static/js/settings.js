// What a person chose, kept in this browser. Without storage (private windows, blocked cookies) it lasts for the page.

const PREFIX = "nnmonitor.";
const kept = new Map();

/** The kept value of this name, or `fallback`. Values are JSON. */
export function setting(name, fallback) {
    if (kept.has(name)) return kept.get(name);
    try {
        const text = localStorage.getItem(PREFIX + name);
        return text === null ? fallback : JSON.parse(text);
    } catch {
        return fallback;
    }
}

/** Keeps a value; null forgets it. */
export function keepSetting(name, value) {
    if (value === null) kept.delete(name);
    else kept.set(name, value);
    try {
        if (value === null) localStorage.removeItem(PREFIX + name);
        else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
        // The value lasts for the page.
    }
}
