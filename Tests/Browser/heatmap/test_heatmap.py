"""The heatmap: what it shows of runs of many layers and steps, what it reads, and how the cursor travels."""

import math
import re

import pytest
from playwright.sync_api import expect

from big_runs import Traffic
from dashboard import Dashboard, unique_run
from heatmap_view import Heatmap, is_hatched, layer_steps, post_steps

# The page's clock, by which it bounds its reads.
MINUTE_LATER = "() => { const now = Date.now; Date.now = () => now() + 60_000; }"


@pytest.fixture
def heatmap(page):
    return Heatmap(page)


def opened(page, server, run, last):
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(last)
    return dashboard


def dead_from(step, layer):
    """Layers between 1 and 2, of which one is 0 from a step on."""
    return lambda at, row: 0.0 if row == layer and at >= step else 1 + row / 50 + math.sin(at + row) / 20


def test_the_dead_one_of_fifty_layers_is_shown_with_the_step_from_which_on(server, page, heatmap):
    run = unique_run("fifty")
    post_steps(server, run, layer_steps(50, 100, dead_from(60, 22)))
    opened(page, server, run, 99)
    heatmap.expect_size(50, 100)
    expect(page.get_by_label("Colour", exact=True)).to_have_value("ratio")
    before, dead, other = (heatmap.colour(*cell) for cell in ((22, 50, 40, 100), (22, 50, 80, 100), (23, 50, 80, 100)))
    # Near its median a layer is grey; a dead one has the coldest colour.
    assert dead[:3] == [59, 76, 192]
    for red, green, blue, opacity in (before, other):
        assert opacity == 255 and max(red, green, blue) - min(red, green, blue) < 60
    heatmap.plot.focus()
    page.keyboard.press("f")
    Dashboard(page, server).expect_step(60)
    heatmap.expect_cursor("step 60 · block2/layer22 · activation_std 0, 0× its median · critical: dead layer since step 60")


def test_a_thousand_layers_and_steps_are_on_one_screen_within_the_bytes(start_server, page, heatmap):
    # A server of its own: the page also reads the list of runs, and the findings of sick ones in it.
    server = start_server()
    run = unique_run("wide")

    def value(step, row):
        if (step, row) == (700, 500):
            return "NaN"
        return 1 + row % 7 + step % 5 / 10

    post_steps(server, run, layer_steps(1000, 1000, value))
    traffic = Traffic(page)
    opened(page, server, run, 999)
    # More detail follows the first picture.
    heatmap.expect_size(1000, 125)
    page.wait_for_load_state("networkidle")
    assert [query["points"] for query in heatmap.queries] == ["70", "130"]
    assert heatmap.queries[0]["agg"] == "last,nonfinite"
    assert traffic.bytes_until("/matrix?") < 1_000_000, traffic.received
    box = heatmap.plot.bounding_box()
    assert 300 < box["height"] and box["y"] + box["height"] < 900
    # The one NaN of a million values.
    assert is_hatched(heatmap.colour(500, 1000, 87, 125))
    assert not is_hatched(heatmap.colour(500, 1000, 80, 125))
    # Zoomed to few layers and columns it is one cell of its own step.
    heatmap.plot.click(position=heatmap.point(500, 1000, 87, 125))
    Dashboard(page, server).expect_step(703)
    for _ in range(7):
        page.keyboard.press("+")
    for _ in range(4):
        page.keyboard.press("]")
        page.wait_for_load_state("networkidle")
    page.mouse.move(5, 5)
    page.keyboard.press("f")
    expect(heatmap.readout).to_contain_text("activation_std")
    assert all(int(query["points"]) <= 130 for query in heatmap.queries)


def test_cells_that_are_not_finite_are_hatched_and_missing_ones_are_empty(server, page, heatmap):
    run = unique_run("cells")
    values = {(3, 1): "NaN", (4, 1): "Infinity", (5, 1): None}
    post_steps(server, run, layer_steps(3, 10, lambda step, row: values.get((step, row), 1 + step)))
    opened(page, server, run, 9)
    heatmap.expect_size(3, 10)
    colours = [heatmap.colour(1, 3, column, 10) for column in (3, 4, 5, 6)]
    assert is_hatched(colours[0]) and is_hatched(colours[1])
    assert colours[2][3] == 0
    assert colours[3][3] == 255 and not is_hatched(colours[3])
    seen = []
    for column in (3, 4, 5):
        heatmap.plot.hover(position=heatmap.point(1, 3, column, 10))
        expect(heatmap.readout).to_contain_text(f"step {column} · block0/layer1")
        seen.append(heatmap.readout.inner_text().split("activation_std ")[1].split(" ·")[0])
    assert seen == ["NaN", "∞", "no value"]


def test_the_cursor_moves_by_keys_click_and_drag_and_the_page_follows(server, page, heatmap):
    run = unique_run("cursor")
    post_steps(server, run, layer_steps(5, 40, lambda step, row: 1 + step + row, first=100))
    dashboard = opened(page, server, run, 139)
    heatmap.expect_size(5, 40)
    heatmap.plot.focus()
    for key, step in (("ArrowLeft", 138), ("Shift+ArrowLeft", 128), ("Home", 100), ("ArrowRight", 101), ("End", 139)):
        page.keyboard.press(key)
        dashboard.expect_step(step)
        expect(page.get_by_label("Go to step")).to_have_value(str(step))
    dashboard.expect_state("paused")
    page.keyboard.press("ArrowDown")
    heatmap.expect_cursor("step 139 · block0/layer1 · activation_std 141.0, 1.17× its median")
    heatmap.plot.click(position=heatmap.point(3, 5, 7, 40))
    dashboard.expect_step(107)
    heatmap.expect_cursor("step 107 · block0/layer3 · activation_std 111.0, 0.902× its median")
    heatmap.drag(heatmap.point(3, 5, 7, 40), heatmap.point(3, 5, 21, 40))
    dashboard.expect_step(121)
    # There is one slider for the steps; a step that is typed moves it, too.
    expect(page.get_by_role("slider")).to_have_count(1)
    page.get_by_label("Go to step").fill("105")
    page.get_by_label("Go to step").press("Enter")
    expect(heatmap.plot).to_have_attribute("aria-valuenow", "5")
    heatmap.plot.focus()
    page.keyboard.press("Space")
    dashboard.expect_step(139)
    dashboard.expect_state("live")


def test_keys_pressed_in_fast_succession_each_move_the_cursor(server, page, heatmap):
    run = unique_run("fast")
    post_steps(server, run, layer_steps(2, 60, lambda step, row: 1 + step))
    dashboard = opened(page, server, run, 59)
    heatmap.expect_size(2, 60)
    heatmap.plot.focus()
    page.evaluate("""() => {
        for (let times = 0; times < 20; times += 1) {
            const event = new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true, cancelable: true });
            document.getElementById("heatmap-plot").dispatchEvent(event);
        }
    }""")
    dashboard.expect_step(39)


def test_new_steps_are_added_while_live_and_read_only_from_the_last_column_on(server, page, heatmap):
    run = unique_run("live")
    values = dead_from(10**9, 0)
    post_steps(server, run, layer_steps(5, 20, values))
    dashboard = opened(page, server, run, 19)
    heatmap.expect_size(5, 20)
    first = len(heatmap.queries)
    post_steps(server, run, layer_steps(5, 7, values, first=20))
    heatmap.expect_size(5, 27)
    added = heatmap.queries[first:]
    assert [query.get("from") for query in added] == ["19"]
    # Paused, no request is made, and the picture stays.
    page.keyboard.press("Space")
    dashboard.expect_state("paused")
    before = len(heatmap.queries)
    post_steps(server, run, layer_steps(5, 12, values, first=27))
    expect(page.locator("#behind-text")).to_have_text(re.compile("^12 steps, .* behind$"))
    # A minute later, the next step is painted, and would be read.
    page.evaluate(MINUTE_LATER)
    post_steps(server, run, layer_steps(5, 1, values, first=39))
    expect(page.locator("#behind-text")).to_have_text(re.compile("^13 steps, .* behind$"))
    heatmap.expect_size(5, 27)
    assert len(heatmap.queries) == before
    page.keyboard.press("Space")
    heatmap.expect_size(5, 40)
    assert len(heatmap.queries) == before + 1


def test_a_hidden_page_reads_nothing(server, page, heatmap):
    run = unique_run("hidden")
    values = dead_from(10**9, 0)
    post_steps(server, run, layer_steps(5, 20, values))
    dashboard = opened(page, server, run, 19)
    heatmap.expect_size(5, 20)
    hide = """(isHidden) => {
        Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    before = len(heatmap.queries)
    post_steps(server, run, layer_steps(5, 4, values, first=20))
    dashboard.expect_step(23)
    page.evaluate(MINUTE_LATER)
    post_steps(server, run, layer_steps(5, 1, values, first=24))
    dashboard.expect_step(24)
    assert len(heatmap.queries) == before
    page.evaluate(hide, False)
    heatmap.expect_size(5, 25)
    assert len(heatmap.queries) == before + 1


def test_a_range_is_zoomed_by_dragging_over_axis_and_names_and_read_in_more_detail(server, page, heatmap):
    # The number of columns depends on the width, which the depth profile would take a part of.
    page.add_init_script("localStorage.setItem('nnmonitor.heatmap.profile', 'false')")
    run = unique_run("zoom")
    post_steps(server, run, layer_steps(20, 3000, lambda step, row: 1 + row + step % 3))
    opened(page, server, run, 2999)
    columns = 375
    heatmap.expect_size(20, columns)
    axis = heatmap.plot.bounding_box()["height"] - 6
    start, end = (heatmap.point(0, 20, column, columns)["x"] for column in (100, 120))
    heatmap.drag({"x": start, "y": axis}, {"x": end, "y": axis})
    heatmap.expect_columns(168)
    assert (heatmap.queries[-1]["from"], heatmap.queries[-1]["to"]) == ("800", "967")
    expect(page.locator("#heatmap-status")).to_have_text("Step 967 is no longer kept; below is step 2,000.")
    rows = [heatmap.point(row, 20, 0, 168)["y"] for row in (4, 7)]
    heatmap.drag({"x": 20, "y": rows[0]}, {"x": 20, "y": rows[1]})
    heatmap.plot.click(position=heatmap.point(0, 4, 0, 168))
    heatmap.expect_cursor("step 800 · block0/layer4 · activation_std 7.000, 1.17× its median")
    # A step beside the range is gone to, and the range follows.
    page.get_by_label("Go to step").fill("2501")
    page.get_by_label("Go to step").press("Enter")
    heatmap.expect_cursor("step 2,501 · block0/layer4 · activation_std 7.000, 1.17× its median")
    page.get_by_role("button", name="Show all").click()
    heatmap.expect_columns(columns)


def test_another_metric_and_colour_and_the_table_of_a_column(server, page, heatmap):
    run = unique_run("metrics")
    post_steps(server, run, layer_steps(30, 20, lambda step, row: 10.0 ** (row % 9), ("custom", "activation_std")))
    opened(page, server, run, 19)
    heatmap.expect_size(30, 20)
    metric = page.get_by_label("Metric")
    assert metric.locator("option").all_inner_texts() == ["custom", "activation_std"]
    expect(metric).to_have_value("activation_std")
    metric.select_option("custom")
    page.get_by_label("Colour", exact=True).select_option("value")
    legend = page.locator("#heatmap-legend")
    expect(legend).to_have_attribute("aria-label", "Colours, log scale: 1, 1000, 1e5, 1e8")
    assert heatmap.queries[-1]["metric"] == "custom"
    page.get_by_text("Values at the cursor as a table").click()
    expect(page.locator("#heatmap-details caption")).to_have_text(
        "custom at step 19: 12 of 30 layers, those that stand out most")
    rows = page.locator("#heatmap-details tbody tr")
    expect(rows).to_have_count(12)
    expect(rows.first.locator("th, td")).to_have_text(["block0/layer8", "1.000e8", "1×", ""])
    assert heatmap.colour(8, 30, 10, 20)[:3] == [253, 231, 37]
    assert heatmap.colour(0, 30, 10, 20)[:3] == [68, 1, 84]


def test_steps_beyond_2_to_the_53_are_exact(server, page, heatmap):
    run, first = unique_run("exact"), 2**53 + 1
    post_steps(server, run, layer_steps(2, 3, lambda step, row: 1.5, first=first))
    dashboard = opened(page, server, run, first + 2)
    heatmap.expect_size(2, 3)
    heatmap.plot.focus()
    page.keyboard.press("ArrowLeft")
    dashboard.expect_step(first + 1)
    heatmap.expect_cursor("step 9,007,199,254,740,994 · block0/layer0 · activation_std 1.500, 1× its median")


def test_a_run_without_layers_has_no_heatmap(server, page, heatmap):
    run = unique_run("loss")
    post_steps(server, run, [{"step": 1, "scalars": {"loss": 0.5}}])
    opened(page, server, run, 1)
    expect(heatmap.plot).to_be_hidden()
    assert heatmap.queries == []


def test_a_failed_read_is_shown_and_repeated(server, page, heatmap, problems):
    problems.allow("status of 500")
    run = unique_run("failed")
    post_steps(server, run, layer_steps(2, 3, lambda step, row: 1.5))
    page.route("**/matrix?*", lambda route: route.fulfill(status=500))
    opened(page, server, run, 2)
    expect(page.locator("#heatmap-status")).to_have_text(
        "The heatmap could not be read: the server answered with status 500. It is tried again in 5 s.")
    page.unroute("**/matrix?*")
    heatmap.expect_size(2, 3)
    expect(page.locator("#heatmap-status")).to_be_hidden()


def test_on_a_phone_the_heatmap_fits_the_width(server, page, heatmap):
    page.set_viewport_size({"width": 390, "height": 844})
    run = unique_run("phone")
    post_steps(server, run, layer_steps(200, 300, dead_from(100, 50)))
    opened(page, server, run, 299)
    heatmap.expect_size(200, 150)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert heatmap.plot.bounding_box()["width"] > 300
