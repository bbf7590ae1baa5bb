"""Steps of healthy and sick runs, and what the page shows of the verdict on them."""

import re

from playwright.sync_api import expect

LAYERS = [{"id": f"conv{number}", "type": "Conv2d", "depth": number} for number in (1, 2, 3)]


def step(number, *, stds=(0.5, 0.6, 0.7), loss=None):
    """A step of a run that learns. `stds` are the activation stds of the layers."""
    return {"step": number, "scalars": {"loss": 2 - number / 100 if loss is None else loss}, "layers": LAYERS,
            "metrics": {"activation_std": list(stds), "gradient_l2_norm": [0.1, 0.2, 0.3]}}


def healthy(begin, end):
    return [step(number) for number in range(begin, end)]


def dead(begin, end):
    """Steps at which conv2 gives the same output for every input."""
    return [step(number, stds=(0.5, 0.0, 0.7)) for number in range(begin, end)]


def row(page, run):
    return page.locator(f"#runs [data-run='{run}']")


def expect_severity(page, severity):
    expect(page.locator("#verdict-health")).to_have_attribute("data-severity", severity)


def expect_icon(page, file):
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile(f"{re.escape(file)}$"))


# The contrast of each text of the verdict with the nearest background, by WCAG 2.
CONTRAST = """() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = numbers(colour).map((byte) => {
            const part = byte / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (node) => {
        for (let at = node; at !== null; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (numbers(colour)[3] !== 0) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const ratios = {};
    for (const node of document.querySelectorAll(".verdict *, .findings *, .run-verdict *")) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim() !== "");
        if (!own || !node.checkVisibility()) continue;
        const [a, b] = [luminance(getComputedStyle(node).color), luminance(background(node))];
        ratios[node.textContent] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }
    return ratios;
}"""
