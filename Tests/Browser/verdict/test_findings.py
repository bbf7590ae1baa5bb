"""The panel of findings: what it lists, where a finding leads, and what is said when one opens."""

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, Trainer
from health_steps import dead, expect_icon, expect_severity, healthy, row

#: The gradient vanishes from linear6 to linear0, each a warning; the small updates of others are critical.
VANISHING = Path(__file__).resolve().parents[2] / "Fixtures/health/vanishing-1.ndjson.gz"


@pytest.fixture
def trainer(secure_server):
    return Trainer(secure_server)


def test_a_layer_that_dies_while_one_watches(watch, trainer, page):
    run = watch(healthy(0, 12))
    expect(page.locator("#verdict-title")).to_have_text("Healthy")
    places = ("() => ['heatmap', 'layers', 'layers-rows'].map((id) => "
              "document.getElementById(id).getBoundingClientRect().top)")
    # The heatmap takes its height with its first picture.
    expect(page.locator("#heatmap-legend-numbers")).not_to_be_empty()
    expect(page.locator("#heatmap-readout")).to_have_text(re.compile("12 columns"))
    page.wait_for_function(
        f"() => {{ const now = String(({places})()); const same = window.tops === now; window.tops = now; return same; }}",
        polling=250)
    before = page.evaluate(places)
    trainer.post_steps(run, dead(12, 20))

    expect(page.locator("#verdict-title")).to_have_text("conv2 is dead")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile("^critical, since step 12"))
    expect_severity(page, "critical")
    # It is announced, and nothing moves.
    expect(page.locator("#findings-status")).to_have_text("New finding, critical: conv2 is dead, since step 12")
    expect(page.locator("#findings-status")).to_have_attribute("role", "status")
    assert page.evaluate(places) == before
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
    expect(page.locator("#verdict-title")).to_have_text("Healthy again")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile("^earlier: conv2 is dead, step 12 to "))
    expect(row(page, run).locator(".run-verdict")).to_have_text("running")
    expect_icon(page, "/favicon.svg")
    page.locator("#findings-closed-title").click()
    expect(page.get_by_role("list", name="Closed findings").get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize("way", ["click", "Enter", "header"])
def test_a_finding_leads_to_its_step_and_layer(watch, page, secure_server, way):
    dashboard = Dashboard(page, secure_server)
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
    layer = page.locator(".layer-row[data-highlighted]")
    expect(layer).to_have_attribute("data-layer", "conv2")
    expect(page.locator("#findings-status")).to_have_text("Step 12, layer conv2")


def test_the_alert_of_a_trainer_is_announced_and_listed(watch, trainer, page):
    run = watch(healthy(0, 12))
    expect(page.locator("#verdict-title")).to_have_text("Healthy")
    trainer.post_alert(run, {"level": "warning", "title": "no <b>progress</b>", "text": "for an hour", "step": 7})
    expect(page.locator("#findings-status")).to_have_text(re.compile("^From the trainer, warning: no <b>progress</b>"))
    page.locator("#findings-closed-title").click()
    finding = page.get_by_role("list", name="Closed findings").get_by_role("listitem")
    expect(finding).to_contain_text("no <b>progress</b>")
    expect(finding).to_contain_text("from the trainer")
    expect(page.locator("#verdict-title")).to_have_text("Healthy")


def test_checks_that_could_not_run_name_what_to_post(watch, page):
    watch(healthy(0, 3))
    # What could not run is folded in the panel, and the verdict is about what could.
    checks = page.locator("#findings-missing")
    expect(checks).to_be_hidden()
    expect(page.locator("#findings-missing-title")).to_have_text(
        re.compile(r"^\d+ checks could not run: their numbers are not posted$"))
    page.locator("#findings-missing-title").click()
    expect(page.locator("#findings-missing-note")).to_contain_text("This is no fault of the network.")
    expect(checks).to_contain_text("Update ratio: post update_ratio")
    expect(checks).to_contain_text("Dead units: post dead_fraction (for layers before a ReLU)")


def test_all_marks_of_a_finding_have_its_severity(watch, page):
    watch([json.loads(line) for line in gzip.decompress(VANISHING.read_bytes()).splitlines()][:40])
    expect(page.locator("#verdict-title")).to_have_text("The gradient of linear6 vanishes")
    expect_severity(page, "critical")
    finding = page.get_by_role("list", name="Open findings").get_by_role("listitem")
    expect(finding.locator(".finding-spread")).to_have_text(re.compile(
        r"^Critical because of linear\d+ and \d other layers; warning at linear6, where it began, and \d+ other layers\.$"))
    # The table and the names beside the heatmap: no layer of the finding is marked as a warning.
    layer = page.locator(".layer-row[data-layer='linear6']")
    expect(layer).to_have_attribute("data-severity", "critical")
    expect(layer.locator(".layer-finding")).to_contain_text("warning of a critical finding: ")
    expect(page.locator(".layer-row[data-severity='warning']")).to_have_count(0)
    expect(page.locator("#heatmap-readout")).to_contain_text("20 layers")
    colours = page.evaluate(GUTTER_MARKS, 20)
    assert len(set(colours[:7])) == 1 and colours[6] == colours[10] != colours[19]
    # The panel of the layer has its own severity, too.
    layer.click()
    expect(page.locator("#layer-panel-findings li").first).to_contain_text("warning of a critical finding · open")


# The colours of the marks to the left of the cells, by line.
GUTTER_MARKS = """(lines) => {
    const [cells, marks] = ["heatmap-cells", "heatmap-marks"].map((id) => document.getElementById(id));
    const scale = marks.width / marks.getBoundingClientRect().width;
    const left = cells.getBoundingClientRect().left - marks.getBoundingClientRect().left;
    const height = cells.getBoundingClientRect().height;
    return Array.from({ length: lines }, (_, line) => {
        const place = [(left - 5) * scale, ((line + 0.5) * height / lines) * scale].map(Math.round);
        return String(marks.getContext("2d").getImageData(...place, 1, 1).data);
    });
}"""
