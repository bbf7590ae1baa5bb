"""The view of one layer: its facts, values, charts, findings, and how one comes there and back."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from layers_view import METRICS, dead_from, smooth, step_of


@pytest.fixture
def opened(layers, page):
    """A run of 60 steps and 30 layers, of which h/8/mlp is dead from step 40 on, with that layer open."""
    steps = [step_of(number, 30, dead_from(40, 17)) for number in range(60)]
    layers.run = layers.open(steps)
    layers.open_layer("h.8.mlp")
    expect(layers.title).to_have_text("h/8/mlp")
    expect(layers.chart("own/metric")).to_be_attached()
    return layers


def test_a_layer_shows_its_facts_findings_and_all_metrics(opened, page):
    facts = page.locator("#layer-panel-facts")
    for text in ("Linear", "17", "h.8", "8 × 32", "1,041"):
        expect(facts.get_by_text(text, exact=True)).to_be_visible()
    finding = page.locator("#layer-panel-findings").get_by_role("button").first
    expect(finding).to_contain_text("h/8/mlp is dead")
    expect(finding).to_contain_text("critical · open · since step 40")
    names = page.locator(".layer-chart-name").all_inner_texts()
    # The metric of the finding first, computed ones last.
    assert names[0] == "activation_std"
    assert set(METRICS) | {"gradient_rms"} == set(names) - {"gradient_to_weight"}
    opened.expect_panel_step(59)
    values = opened.panel_values()
    assert float(values["activation_std"]) == 0
    for metric in METRICS[1:]:
        assert float(values[metric]) == smooth(metric, 59, 17)
    assert float(values["gradient_rms"]) == smooth("gradient_l2_norm", 59, 17) / (1024 + 17) ** 0.5


def test_only_the_series_of_this_layer_are_read(layers, page):
    run = layers.post([step_of(number, 30, smooth) for number in range(60)])
    page.goto(f"{layers.server.url}/#run={run}")
    layers.dashboard.expect_step(59)
    layers.expect_columns()
    page.wait_for_load_state("networkidle")
    queries = []
    page.on("request", lambda request: queries.append(request.url))
    layers.row("h/0/mlp").click()
    expect(layers.chart("own/metric")).to_be_attached()
    layers.expect_panel_step(59)
    page.wait_for_load_state("networkidle")
    # Other parts of the page may read something at this moment, but no numbers of layers.
    asked = [(urlsplit(url).path.rsplit("/", 1)[-1], parse_qs(urlsplit(url).query).get("layers")) for url in queries]
    numbers = sorted(read for read in asked if read[0] in ("series", "steps"))
    assert numbers == [("series", ["h/0/mlp"]), ("steps", ["h/0/mlp"])], queries


def test_a_click_in_a_chart_and_on_a_finding_travels(opened, page):
    canvas = opened.chart("gradient_l2_norm").locator("canvas")
    box = canvas.bounding_box()
    left, right = 48, 8
    x = left + (10 + 0.5) / 60 * (box["width"] - left - right)
    canvas.hover(position={"x": x, "y": 30})
    expect(opened.chart("gradient_l2_norm").locator(".layer-chart-range")).to_have_text(
        f"step 10: {smooth('gradient_l2_norm', 10, 17):#.4g}")
    before = canvas.evaluate("(canvas) => canvas.toDataURL()")
    canvas.click(position={"x": x, "y": 30})
    opened.dashboard.expect_step(10)
    opened.dashboard.expect_state("paused")
    opened.expect_panel_step(10)
    assert float(opened.panel_values()["activation_std"]) == smooth("activation_std", 10, 17)
    # The cursor is drawn at that step.
    page.mouse.move(5, 5)
    page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=[canvas.element_handle(), before])
    page.locator("#layer-panel-findings").get_by_role("button").first.click()
    opened.dashboard.expect_step(40)
    opened.expect_panel_step(40)


def test_live_steps_and_replaced_ones_change_values_and_charts(opened, page):
    chart = opened.chart("weight_std").locator(".layer-chart-range")
    opened.trainer.post_steps(opened.run, [step_of(60, 30, lambda *place: 4 * smooth(*place))])
    opened.expect_panel_step(60)
    number = 4 * smooth("weight_std", 60, 17)
    expect(chart).to_have_text(re.compile(f" to {number:#.4g}$"))
    assert float(opened.panel_values()["weight_std"]) == number
    opened.trainer.post_steps(opened.run, [step_of(60, 30, lambda *place: 7 * smooth(*place))])
    value = opened.chart("weight_std").locator(".layer-chart-value")
    expect(value).to_have_attribute("data-value", str(7 * smooth("weight_std", 60, 17)))


def test_values_that_are_not_finite_are_marked_and_written_out(layers, page):
    def value(metric, step, index):
        special = {("weight_std", 7): "NaN", ("weight_std", 9): "Infinity"}
        return special.get((metric, step), smooth(metric, step, index))

    layers.open([step_of(number, 4, value) for number in range(10)])
    layers.open_layer("h.0.attn")
    chart = layers.chart("weight_std")
    expect(chart.locator(".layer-chart-range")).to_contain_text("2 not finite")
    expect(chart.locator(".layer-chart-value")).to_have_text("∞")
    expect(chart.locator(".layer-chart-value")).to_have_attribute("data-broken", "true")
    pixel = chart.locator("canvas").evaluate("""(canvas) => {
        const x = 48 + 7.5 / 10 * (canvas.clientWidth - 48 - 8);
        const ratio = canvas.width / canvas.clientWidth;
        return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(12 * ratio), 1, 1).data];
    }""")
    assert pixel == [194, 24, 143, 255]


def test_the_charts_as_a_table_have_every_number(opened, page):
    page.get_by_text("The charts as a table").click()
    rows = page.locator("#layer-panel-rows tr")
    expect(rows).to_have_count(60)
    titles = page.locator("#layer-panel-columns th").all_inner_texts()
    assert titles[:2] == ["Step", "activation_std"]
    cells = rows.nth(10).locator("th, td").all_inner_texts()
    assert cells[0] == "10"
    for metric in METRICS:
        shown = float(cells[titles.index(metric)].replace("−", "-"))
        assert shown == pytest.approx(smooth(metric, 10, 17), rel=1e-3)


def test_the_next_and_the_previous_layer_of_the_table_by_keys_and_buttons(opened, page):
    opened.filter.fill("")
    page.locator("#layer-panel-title").focus()
    expect(page.get_by_role("button", name="Previous layer")).to_be_disabled()
    for key, layer_id in (("j", "h/0/attn"), ("j", "h/0/mlp"), ("k", "h/0/attn"), ("k", "h/8/mlp")):
        page.keyboard.press(key)
        expect(opened.title).to_have_text(layer_id)
        expect(opened.row(layer_id)).to_have_attribute("data-highlighted", "")
    page.get_by_role("button", name="Next layer").click()
    expect(opened.title).to_have_text("h/0/attn")
    expect(opened.chart("own/metric").locator(".layer-chart-value")).to_have_attribute(
        "data-value", str(smooth("own/metric", 59, 0)))
    # Steps are travelled to by the same keys as everywhere.
    page.keyboard.press("ArrowLeft")
    opened.expect_panel_step(58)


def test_it_closes_and_the_focus_returns_to_the_row(opened, page):
    opened.filter.fill("")
    page.locator("#layer-panel-title").focus()
    page.keyboard.press("Escape")
    expect(opened.panel).to_have_count(0)
    expect(opened.row("h/8/mlp")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(opened.title).to_have_text("h/0/attn")
    expect(opened.title).to_be_focused()
    page.get_by_role("button", name="Close").click()
    expect(opened.row("h/0/attn")).to_be_focused()
    # Another run does not have the layer.
    page.keyboard.press("Enter")
    expect(opened.panel).to_be_visible()
    other = opened.post([step_of(1, 2, smooth)], "other")
    opened.dashboard.open_run(other)
    expect(opened.panel).to_have_count(0)


def test_the_heatmap_opens_the_layer_by_enter_and_by_a_double_click(opened, page):
    page.get_by_role("button", name="Close").click()
    plot = page.get_by_role("slider", name="Heatmap cursor")
    plot.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(opened.title).to_have_text("h/1/attn")
    # The player stays at the top of the screen, over what is scrolled there.
    page.evaluate("scrollTo(0, 0)")
    box = page.locator("#heatmap-cells").bounding_box()
    page.mouse.dblclick(box["x"] + 50, box["y"] + (6 + 0.5) / 30 * box["height"])
    expect(opened.title).to_have_text("h/3/attn")


def test_a_layer_that_the_viewed_step_does_not_have_says_so(layers, page):
    layers.open([step_of(0, 3, smooth), step_of(1, 4, smooth)])
    layers.open_layer("h.1.mlp")
    expect(layers.chart("own/metric")).to_be_attached()
    page.keyboard.press("ArrowLeft")
    layers.dashboard.expect_step(0)
    expect(page.locator("#layer-panel-note")).to_have_text("The viewed step does not have this layer.")
    expect(layers.chart("own/metric").locator(".layer-chart-value")).to_have_text("–")
