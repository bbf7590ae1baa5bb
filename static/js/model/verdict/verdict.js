// What a person reads first of a run, in words: its state, the worst finding, the loss; and the same in short.

import { formatAge, formatCount, formatNumber } from "../format.js";
import { severitySign } from "./severity.js";

/** What the page keeps of the server's description of a run. */
export function runStatus(data) {
    return Object.freeze({
        state: data.state,
        isSilent: data.silent === true,
        exitCode: data.exit_code ?? null,
        reason: data.reason ?? null,
        critical: data.alerts?.critical ?? 0,
        warning: data.alerts?.warning ?? 0,
    });
}

/** Characters of the reason of an end; trainers post whole tracebacks. */
const REASON_LENGTH = 120;

/** "failed, exit code 1". */
function endWords({ state, exitCode }) {
    const isUsual = exitCode === null || (state === "finished" && exitCode === 0);
    return isUsual ? state : `${state}, exit code ${exitCode}`;
}

/** "failed, exit code 1: out of memory"; of a traceback the last line, which has the error. */
function endAndReason(status) {
    const { reason } = status;
    const line = (reason ?? "").trim().split("\n").at(-1);
    const text = line.length > REASON_LENGTH ? `${line.slice(0, REASON_LENGTH)}…` : line;
    return `${endWords(status)}${text === "" ? "" : `: ${text}`}`;
}

/**
 * The state of a run: `{ kind, text }`. `kind` is `running`, `silent`, `finished`, `failed`; `gone` from the server,
 * `lost` with the connection, or `unknown`.
 * @param run `{ status, lastUpdate, stepCount }` of the list, or undefined if the server no longer lists the run
 * @param now milliseconds of the clock of `lastUpdate`
 * @param isConnected whether the page has the server's news; without, only the past is known
 */
export function stateWords(run, now, { isConnected = true, missingReason = null } = {}) {
    if (run === undefined) {
        const text = missingReason === null ? "not on the server" : `${missingReason} from the server`;
        return { kind: "gone", text };
    }
    const { status } = run;
    const age = formatAge((now - run.lastUpdate) / 1000);
    if (status === null) return { kind: "unknown", text: `last step ${age} ago` };
    if (status.state !== "running") return { kind: status.state, text: endAndReason(status) };
    if (!isConnected) return { kind: "lost", text: `not connected; was running ${age} ago` };
    if (status.isSilent) return { kind: "silent", text: `silent for ${age}` };
    return { kind: "running", text: run.stepCount === 0 ? "running, no step yet" : `running, last step ${age} ago` };
}

/** "first here, 3 layers in all" where the title names one, otherwise "3 layers"; empty for fewer than two. */
export function layersText({ layer, layerCount }) {
    if (layerCount <= 1) return "";
    const count = `${formatCount(layerCount)} layers`;
    return layer === null || layer === undefined ? count : `first here, ${count} in all`;
}

/**
 * The layers that decide the severity of a finding, where its layers differ: "Critical because of linear9 and 4 other
 * layers; warning at linear6, where it began, and 9 other layers." Then how many layers still have it, where some have
 * recovered. Empty where all are alike. `spread` is that of `Findings.spreadOf`.
 */
export function spreadText({ state, layer, layerCount }, spread) {
    if (spread === null || layerCount <= 1) return "";
    const sentences = [];
    if (spread.layers.length > 1) {
        const parts = spread.layers.map(([severity, layers], index) => {
            const words = index > 0 ? `${severity} at` : `${capital(severity)} because of`;
            return `${words} ${someLayers(layers, layer)}`;
        });
        sentences.push(`${parts.join("; ")}.`);
    }
    const { size } = spread.open;
    if (state === "open" && size < spread.severities.size) {
        const some = `${formatCount(size)} of ${formatCount(layerCount)} layers still ${size === 1 ? "has" : "have"} it.`;
        sentences.push(size === 0 ? "No layer has it any more." : some);
    }
    return sentences.join(" ");
}

/** One layer by name, that where a finding began if it is among them, and the number of others. */
function someLayers(layers, first) {
    const others = layers.length - 1;
    const name = layers.includes(first) ? `${first}, where it began` : layers[0];
    if (others === 0) return name;
    const comma = layers.includes(first) ? "," : "";
    return `${name}${comma} and ${formatCount(others)} other layer${others === 1 ? "" : "s"}`;
}

function capital(text) {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "5 more findings", or "5 more findings, 1 critical". */
function othersText(others) {
    const { length: count } = others;
    if (count === 0) return "";
    const critical = others.filter(({ severity }) => severity === "critical").length;
    const kind = critical === count ? "critical " : "";
    const part = critical > 0 && critical < count ? `, ${formatCount(critical)} critical` : "";
    return `${formatCount(count)} more ${kind}finding${count === 1 ? "" : "s"}${part}`;
}

/** "since step 94, first signs at step 91"; of a closed finding "step 130 to 152". */
export function sinceText(finding) {
    const { sinceStep, firstStep, closedStep } = finding;
    if (sinceStep === null || firstStep === null) return "";
    if (finding.state !== "open") {
        const hasRange = closedStep !== null && closedStep > firstStep;
        return `step ${formatCount(firstStep)}${hasRange ? ` to ${formatCount(closedStep)}` : ""}`;
    }
    const signs = firstStep < sinceStep ? `, first signs at step ${formatCount(firstStep)}` : "";
    return `since step ${formatCount(sinceStep)}${signs}`;
}

/** "13 checks find nothing wrong". */
export function checksText(count) {
    return `${formatCount(count)} ${count === 1 ? "check finds" : "checks find"} nothing wrong`;
}

/**
 * The verdict on a run's layers: `{ severity, title, detail, finding }`. `severity` is that of the worst open finding,
 * or `ok`, `waiting`, `unknown`; `finding` is what a click leads to, or null.
 */
export function healthVerdict(findings) {
    const worst = findings.open[0];
    if (worst !== undefined) {
        const since = [worst.severity, sinceText(worst)].filter(Boolean).join(", ");
        const detail = joined([since, layersText(worst), othersText(findings.open.slice(1))]);
        return { severity: worst.severity, title: worst.title, detail, finding: worst };
    }
    if (findings.status === null) {
        const title = findings.hasFailed ? "Findings cannot be read" : "Findings not read yet";
        return { severity: "unknown", title, detail: "", finding: null };
    }
    const past = findings.closed.find((finding) => !finding.isFromTrainer) ?? null;
    const pastText = past === null ? "" : `earlier: ${past.title}, ${sinceText(past)}`;
    if (findings.status === "waiting") {
        const detail = pastText || "the checks need more steps";
        return { severity: "waiting", title: "Not judged yet", detail, finding: past };
    }
    const { runningRules: running, missingRules: { length: missing } } = findings;
    // Few checks are a weak verdict: then those that could not run are named beside it.
    const others = missing > running ? `; ${formatCount(missing)} could not run` : "";
    const judged = `${checksText(running)}${others}`;
    const title = past === null ? "Healthy" : "Healthy again";
    return { severity: "ok", title, detail: pastText || judged, finding: past };
}

const ARROWS = Object.freeze({ falling: "↘", rising: "↗", flat: "→" });

/** The loss: `{ value, trend, isBroken }` as text; null if the run has none. */
export function lossVerdict(loss) {
    if (loss.last === undefined) return null;
    const { value } = loss.last;
    const { direction, steps } = loss.trend;
    const isBroken = !Number.isFinite(value);
    const trend = isBroken ? "not finite" : direction === null ? "too few steps for a trend"
        : `${ARROWS[direction]} ${direction} over the last ${formatCount(steps)} steps`;
    return { name: loss.name, value: formatNumber(value), trend, isBroken };
}

/**
 * A run in one line of the list: `{ severity, kind, text }`.
 * @param run `{ status, lastUpdate, stepCount, finding }`; `finding` is the worst open one, `{ severity, title,
 *   sinceStep }`, or null while only the numbers of open alerts are known
 */
export function listVerdict(run, now) {
    const { kind, text } = stateWords(run, now);
    const open = openWords(run);
    // The row has the age of the last step already, and no room for a reason.
    const hasEnded = kind === "finished" || kind === "failed";
    const state = { running: "running", unknown: "" }[kind] ?? (hasEnded ? endWords(run.status) : text);
    const isNotable = open.text === "" || kind !== "running";
    return { severity: open.severity, kind, text: joined([open.text, isNotable ? state : ""]) };
}

function openWords({ status, finding }) {
    const critical = status?.critical ?? 0;
    const warning = status?.warning ?? 0;
    if (finding !== null && finding !== undefined) {
        const since = finding.sinceStep === null ? "" : ` since step ${formatCount(finding.sinceStep)}`;
        return { severity: finding.severity, text: `${finding.title}${since}` };
    }
    const count = (number, word) => (number === 0 ? "" : `${formatCount(number)} ${word}`);
    const text = [count(critical, "critical"), count(warning, warning === 1 ? "warning" : "warnings")].filter(Boolean);
    return { severity: critical > 0 ? "critical" : warning > 0 ? "warning" : null, text: text.join(", ") };
}

/** The title of the page: the sign and the run come first, because a tab shows little more. */
export function tabTitle(runId, verdict, state) {
    const sign = severitySign(verdict.severity);
    if (sign !== "") return `${sign} ${runId}: ${verdict.title} · NNMonitor`;
    const isNotable = state.kind !== "running" && state.kind !== "unknown";
    return `${runId}${isNotable ? `: ${state.text}` : ""} · NNMonitor`;
}

function joined(parts) {
    return parts.filter((part) => part !== "").join(" · ");
}
