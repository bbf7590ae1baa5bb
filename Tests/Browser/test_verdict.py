"""The verdict on a run: the first line of its header, the panel of findings, the list of runs, the title and the icon."""

import re

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, Trainer, unique_run

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


@pytest.fixture
def trainer(secure_server):
    return Trainer(secure_server)


@pytest.fixture
def dashboard(page, secure_server):
    dashboard = Dashboard(page, secure_server)
    dashboard.log_in()
    dashboard.expect_state("live")
    return dashboard


@pytest.fixture
def watch(dashboard, trainer):
    """Begins a run with these steps and opens it: `watch(steps)` returns its id."""

    def watch(steps):
        run = unique_run("verdict")
        trainer.post_steps(run, steps)
        dashboard.open_run(run)
        dashboard.expect_step(steps[-1]["step"])
        return run

    return watch


def row(page, run):
    return page.locator(f"#runs [data-run='{run}']")


def expect_severity(page, severity):
    expect(page.locator("#verdict-health")).to_have_attribute("data-severity", severity)


def expect_icon(page, file):
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile(f"{re.escape(file)}$"))


def test_a_healthy_run(watch, page):
    run = watch(healthy(0, 40))
    expect(page.locator("#verdict-title")).to_have_text("No finding")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile(r"^\d+ rules found nothing$"))
    expect_severity(page, "ok")
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile(r"^running, last step \d+ s ago$"))
    expect(page.locator("#verdict-loss")).to_have_text(re.compile(r"loss\s+1\.610\s+↘ falling over the last 9 steps"))
    expect(page.locator("#verdict-travel")).to_be_hidden()
    expect(page.locator("#findings-summary")).to_have_text("none open")
    expect(row(page, run).locator(".run-verdict")).to_have_text("running")
    expect(page).to_have_title(f"{run} · NNMonitor")
    expect_icon(page, "/favicon.svg")


def test_a_layer_that_dies_while_one_watches(watch, trainer, page):
    run = watch(healthy(0, 12))
    expect(page.locator("#verdict-title")).to_have_text("No finding")
    cards = "() => [...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().top)"
    before = page.evaluate(cards)
    trainer.post_steps(run, dead(12, 20))

    expect(page.locator("#verdict-title")).to_have_text("conv2 is dead")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile("^critical, since step 12"))
    expect_severity(page, "critical")
    # It is announced, and nothing moves.
    expect(page.locator("#findings-status")).to_have_text("New finding, critical: conv2 is dead, since step 12")
    expect(page.locator("#findings-status")).to_have_attribute("role", "status")
    assert page.evaluate(cards) == before
    finding = page.get_by_role("list", name="Open findings").get_by_role("listitem")
    expect(finding).to_have_count(1)
    expect(finding).to_contain_text("activation_std is 0 since step 12")
    expect(finding.locator(".finding-advice")).to_be_hidden()
    finding.get_by_text("What to do").click()
    expect(finding.locator(".finding-advice")).to_be_visible()
    expect(page.locator("#findings-summary")).to_have_text("1 critical")
    expect(row(page, run).locator(".run-verdict")).to_have_text("conv2 is dead since step 12")
    expect(page).to_have_title(f"✖ {run}: conv2 is dead · NNMonitor")
    expect_icon(page, "/favicon-critical.svg")
    # A later step changes the rows in place: the advice stays open.
    trainer.post_steps(run, dead(20, 25))
    expect(page.locator("#fact-step")).to_have_attribute("data-value", "24")
    expect(finding.locator(".finding-advice")).to_be_visible()

    trainer.post_steps(run, healthy(25, 40))
    expect(page.locator("#verdict-title")).to_have_text("No open finding")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile("^earlier: conv2 is dead, step 12 to "))
    expect(row(page, run).locator(".run-verdict")).to_have_text("running")
    expect_icon(page, "/favicon.svg")
    page.locator("#findings-closed-title").click()
    expect(page.get_by_role("list", name="Closed findings").get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize("way", ["click", "Enter", "header"])
def test_a_finding_leads_to_its_step_and_layer(watch, dashboard, page, way):
    watch(healthy(0, 12) + dead(12, 30))
    if way == "header":
        page.get_by_role("button", name="Go to step 12").click()
    else:
        finding = page.get_by_role("list", name="Open findings").get_by_role("button").first
        expect(finding).to_contain_text("conv2 is dead")
        if way == "click":
            finding.click()
        else:
            finding.focus()
            page.keyboard.press("Enter")
            expect(finding).to_be_focused()
    dashboard.expect_step(12)
    dashboard.expect_state("paused")
    card = page.locator(".card[data-highlighted]")
    expect(card).to_have_attribute("data-layer", "conv2")
    expect(card).to_be_in_viewport()
    expect(page.locator("#findings-status")).to_have_text("Step 12, layer conv2")


def test_a_layer_that_becomes_nan(watch, page):
    watch(healthy(0, 12) + [step(number, stds=(0.5, 0.6, "NaN"), loss="NaN") for number in range(12, 20)])
    expect(page.locator("#verdict-title")).to_have_text("conv3 has values that are not finite")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile("^critical, since step 12"))
    expect(page.locator("#verdict-loss")).to_have_text(re.compile(r"loss\s+NaN\s+not finite"))
    expect(page.locator("#verdict-loss")).to_have_attribute("data-broken", "true")
    expect_icon(page, "/favicon-critical.svg")


def test_a_finished_and_a_failed_run(watch, trainer, page):
    run = watch(healthy(0, 12))
    trainer.describe(run, {"state": "failed", "exit_code": 1, "reason": "Traceback\n  File\nValueError: no"})
    expect(page.locator("#verdict-state-text")).to_have_text("failed, exit code 1: ValueError: no")
    expect(page.locator("#verdict-state")).to_have_attribute("data-kind", "failed")
    expect(row(page, run).locator(".run-verdict")).to_have_text("failed, exit code 1")
    expect(row(page, run)).to_have_attribute("data-live", "false")
    expect(page).to_have_title(re.compile(f"^{run}: failed, exit code 1"))
    trainer.describe(run, {"state": "finished", "exit_code": 0, "reason": None})
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile("^finished"))
    # The state is known without the message, too, and so is the other run's.
    other = watch(healthy(0, 3))
    page.reload()
    expect(page.locator("#run-id")).to_have_text(other)
    expect(row(page, run).locator(".run-verdict")).to_have_text("finished")
    expect(row(page, other).locator(".run-verdict")).to_have_text("running")


def test_the_list_has_the_verdict_of_runs_that_are_not_open(watch, trainer, page):
    watch(healthy(0, 3))
    other = unique_run("other")
    trainer.post_steps(other, healthy(0, 12))
    expect(row(page, other).locator(".run-verdict")).to_have_text("running")
    trainer.post_steps(other, dead(12, 20))
    expect(row(page, other).locator(".run-verdict")).to_have_text("conv2 is dead since step 12")
    expect(row(page, other)).to_have_attribute("data-severity", "critical")
    page.reload()
    expect(row(page, other).locator(".run-verdict")).to_have_text("conv2 is dead since step 12")
    trainer.post_steps(other, healthy(20, 40))
    expect(row(page, other).locator(".run-verdict")).to_have_text("running")


def test_the_alert_of_a_trainer_is_announced_and_listed(watch, trainer, page):
    run = watch(healthy(0, 12))
    expect(page.locator("#verdict-title")).to_have_text("No finding")
    trainer.post_alert(run, {"level": "warning", "title": "no <b>progress</b>", "text": "for an hour", "step": 7})
    expect(page.locator("#findings-status")).to_have_text(re.compile("^From the trainer, warning: no <b>progress</b>"))
    page.locator("#findings-closed-title").click()
    finding = page.get_by_role("list", name="Closed findings").get_by_role("listitem")
    expect(finding).to_contain_text("no <b>progress</b>")
    expect(finding).to_contain_text("from the trainer")
    expect(page.locator("#verdict-title")).to_have_text("No finding")


def test_rules_without_inputs_say_what_to_post(watch, page):
    watch(healthy(0, 3))
    rules = page.locator("#findings-missing")
    expect(rules).to_be_hidden()
    page.locator("#findings-missing-title").click()
    expect(rules).to_contain_text("update_ratio: post update_ratio to get this rule")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_and_contrast(watch, page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 780})
    watch(healthy(0, 12) + dead(12, 20))
    expect(page.locator("#verdict-title")).to_have_text("conv2 is dead")
    expect(page.locator("#verdict-title")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    # Folded, so that findings push nothing down.
    expect(page.locator("#findings-open")).to_be_hidden()
    page.locator("#findings-summary").click()
    expect(page.locator("#findings-open")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 12
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}


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
