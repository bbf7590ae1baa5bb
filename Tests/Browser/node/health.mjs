// Answers of the server about layer health, with the keys that the page reads.

export function episode(id, changes = {}) {
    const layer = changes.layer ?? "conv1";
    const first = changes.first_step ?? 10;
    return {
        id, state: "open", severity: "warning", kind: "dead_layer", origin: { layer, step: first }, layers: [layer],
        layer_count: 1, first_step: first, closed_step: null, title: `${layer} is dead`, message: "message",
        advice: "advice", ...changes,
    };
}

export function alert(id, episodeId, changes = {}) {
    return {
        id, episode: episodeId, source: "rule", state: "open", severity: "warning", layer: "conv1", first_step: 10,
        closed_step: null, title: "conv1 is dead", message: "message", advice: "advice", ...changes,
    };
}

export function health(episodes, { alerts = [], status = "ok" } = {}) {
    const hint = (name) => `post \`${name}\` to get this rule`;
    const rule = (name, state, enabled = true) => ({ rule: name, state, enabled, hint: hint(name) });
    return {
        status, episodes, alerts, forgotten: 0,
        rules: [rule("dead_layer", "running"), rule("non_finite", "running"), rule("saturation", "inputs_missing"),
            rule("overflow", "inputs_missing", false)],
    };
}
