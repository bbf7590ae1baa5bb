// Numbers, ages and times as text. The number of digits is fixed, so that live figures do not change their width.

import { isStepNumber } from "./step-number.js";

const MISSING = "–";
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Four significant digits; with an exponent below 0.001 and from 10 000 on. undefined is a dash. */
export function formatNumber(value) {
    if (value === undefined || value === null) return MISSING;
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (value === 0) return "0";
    const size = Math.abs(value);
    const inRange = size >= 1e-3 && size < 9999.5;
    const text = inRange ? value.toPrecision(4) : value.toExponential(3).replace("e+", "e");
    return text.replaceAll("-", "−");
}

/** The number with every digit it has: reading the text back gives the same double. */
export function exactNumber(value) {
    if (value === undefined || value === null) return "";
    return Object.is(value, -0) ? "-0" : String(value);
}

/** A count or a step number with thousands marked, "12,345". */
export function formatCount(value) {
    return isStepNumber(value) ? grouped.format(value) : MISSING;
}

/** A duration as one number and its unit. */
export function formatAge(seconds) {
    if (!Number.isFinite(seconds)) return MISSING;
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min`;
    if (whole < 86400) return `${Math.floor(whole / 3600)} h`;
    return `${Math.floor(whole / 86400)} d`;
}

/** Unix milliseconds as local time of day, "18:03:12". */
export function formatClock(milliseconds) {
    const date = new Date(milliseconds);
    const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
    return parts.map((number) => String(number).padStart(2, "0")).join(":");
}

/** Unix seconds as local date and time with milliseconds; a dash if it is not a valid time. */
export function formatTime(unixSeconds) {
    const date = new Date(unixSeconds * 1000);
    if (Number.isNaN(date.getTime())) return MISSING;
    const pad = (number, width = 2) => String(number).padStart(width, "0");
    const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
    const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
    return `${day} ${time}.${pad(date.getMilliseconds(), 3)}`;
}

/** An activation shape, "64 × 32 × 8 × 8". */
export function formatShape(shape) {
    return shape.join(" × ");
}
