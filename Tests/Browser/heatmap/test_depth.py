"""The depth profile and the spread over the layers, which share the heatmap's axes and cursor."""

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, unique_run
from heatmap_view import Heatmap, layer_steps, post_steps


@pytest.fixture
def heatmap(page):
    return Heatmap(page)


def opened(page, server, run, last):
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(last)
    return dashboard


def value(step, row):
    """Exact numbers of which no two are equal; layer 7 has a NaN at step 30."""
    return "NaN" if (step, row) == (30, 7) else (1 + row) * (1 + step) / 3


def table(page, name):
    """The cells of an open table, by rows."""
    return page.evaluate("(id) => [...document.querySelectorAll(`#${id} tbody tr`)]"
                         ".map((row) => [...row.cells].map((cell) => cell.textContent))", name)


def test_the_profile_shows_the_cursor_and_the_first_report(server, page, heatmap):
    run = unique_run("profile")
    post_steps(server, run, layer_steps(20, 60, value))
    dashboard = opened(page, server, run, 59)
    heatmap.expect_size(20, 60)
    text = page.locator("#profile-text")
    expect(text).to_have_text("activation_std at step 59")
    expect(page.locator("#profile-first")).to_have_text("first report, step 0")
    plot = page.locator("#profile-canvas")
    cells = page.locator("#heatmap-cells").bounding_box()
    box = plot.bounding_box()
    # One y axis: the lines of both are at the same height.
    assert abs(box["y"] - cells["y"]) < 1 and box["x"] > cells["x"] + cells["width"]
    for row in (0, 7, 19):
        plot.hover(position={"x": 60, "y": (row + 0.5) / 20 * cells["height"]})
        now, first = number(20 * (1 + row)), number((1 + row) / 3)
        expect(text).to_have_text(f"block{row // 10}/layer{row}: {now}, first {first}")
    page.mouse.move(5, 5)
    page.get_by_text("Depth profile as a table").click()
    heatmap.plot.focus()
    page.keyboard.press("Home")
    dashboard.expect_step(0)
    expect(text).to_have_text("activation_std at step 0")
    rows = table(page, "profile-details")
    assert [row[:3] for row in rows[:2]] == [["block0/layer0", "0.3333", "0.3333"], ["block0/layer1", "0.6667", "0.6667"]]
    page.keyboard.press("End")
    dashboard.expect_step(59)
    expect(page.locator("#profile-details caption")).to_have_text(
        "activation_std by depth at step 59, and at the first report, step 0")
    assert table(page, "profile-details")[7][1:3] == ["160.0", "2.667"]


# The number of coloured pixels of the depth profile's plot between two shares of its width.
COLOURED = """([from, to]) => {
    const canvas = document.getElementById("profile-canvas");
    const height = canvas.height - 24 * devicePixelRatio;
    const { data } = canvas.getContext("2d").getImageData(from * canvas.width, 0, (to - from) * canvas.width, height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        const channels = [data[at], data[at + 1], data[at + 2]];
        if (data[at + 3] > 100 && Math.max(...channels) - Math.min(...channels) > 60) count += 1;
    }
    return count;
}"""


def test_layers_of_one_kind_are_joined_and_no_others(server, page, heatmap):
    """Norms near 1 and linear layers near 10 000 in turn: no line crosses the space between them."""
    run = unique_run("kinds")
    layers = [{"id": f"h/{row // 2}/{('norm', 'linear')[row % 2]}", "type": ("LayerNorm", "Linear")[row % 2], "depth": row}
              for row in range(20)]
    layers.append({"id": "head", "type": "Linear", "depth": 20})
    numbers = [10_000 + row if row % 2 else 1 + row / 100 for row in range(21)]
    post_steps(server, run, [{"step": step, "layers": layers, "metrics": {"activation_std": numbers}} for step in range(8)])
    opened(page, server, run, 7)
    heatmap.expect_size(21, 8)
    kinds = page.locator("#profile-kinds li")
    expect(kinds).to_have_text(["Linear", "LayerNorm"])
    expect(page.locator("#profile-first")).to_have_text("first report, step 0")
    # Both lines are there, and the space between them has no colour.
    left, middle, right = (page.evaluate(COLOURED, part) for part in ([0.0, 0.3], [0.35, 0.65], [0.7, 1.0]))
    assert left > 50 and right > 50 and middle == 0
    page.get_by_text("Depth profile as a table").click()
    expect(page.locator("#profile-details tbody tr")).to_have_count(21)
    assert [row[4] for row in table(page, "profile-details")[:2]] == ["LayerNorm", "Linear"]


def number(value):
    """Four significant digits, as the page writes numbers from 0.001 to 10 000."""
    return f"{value:#.4g}"


def test_a_first_report_that_could_not_be_read_is_read_again(server, page, heatmap, problems):
    problems.allow("status of 500")
    run = unique_run("failed")
    post_steps(server, run, layer_steps(5, 20, value))
    page.route("**/matrix?*points=1&*", lambda route: route.fulfill(status=500))
    page.clock.install()
    opened(page, server, run, 19)
    heatmap.expect_size(5, 20)
    expect(page.locator("#profile-first")).to_have_text("first report")
    page.unroute("**/matrix?*points=1&*")
    page.clock.fast_forward(6_000)
    expect(page.locator("#profile-first")).to_have_text("first report, step 0")


def test_values_that_are_not_finite_are_marked_in_profile_and_spread(server, page, heatmap):
    run = unique_run("nan")
    post_steps(server, run, layer_steps(20, 60, value))
    opened(page, server, run, 59)
    heatmap.expect_size(20, 60)
    page.get_by_label("Go to step").fill("30")
    page.get_by_label("Go to step").press("Enter")
    expect(page.locator("#profile-text")).to_have_text("activation_std at step 30")
    expect(page.locator("#fan-text")).to_have_text(
        "NaN or infinite: block0/layer7 · max: block1/layer19 207 · median: 114 · min: block0/layer0 10.3")
    marked = """(id) => {
        const canvas = document.getElementById(id);
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let place = 0; place < data.length; place += 4) {
            if (data[place] === 194 && data[place + 1] === 24 && data[place + 2] === 143) count += 1;
        }
        return count;
    }"""
    assert page.evaluate(marked, "profile-canvas") > 10
    assert page.evaluate(marked, "fan-canvas") > 2
    heatmap.plot.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#profile-text")).to_have_text("activation_std at step 31")
    assert page.evaluate(marked, "profile-canvas") == 0


def test_the_profile_follows_zoom_and_folds(server, page, heatmap):
    run = unique_run("zoomed")
    post_steps(server, run, layer_steps(40, 20, lambda step, row: 1.0 + row))
    opened(page, server, run, 19)
    heatmap.expect_size(40, 20)
    page.get_by_text("Depth profile as a table").click()
    rows = page.locator("#profile-details tbody tr")
    expect(rows).to_have_count(40)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(rows).to_have_count(4)
    expect(rows.nth(1).locator("th")).to_contain_text("(of 10 layers)")
    page.get_by_role("button", name="Unfold all", exact=True).click()
    page.get_by_role("button", name="Fewer layers").click()
    expect(rows).to_have_count(20)


def test_the_spread_shares_the_time_axis_and_the_cursor(server, page, heatmap):
    run = unique_run("spread")
    post_steps(server, run, layer_steps(20, 60, value))
    dashboard = opened(page, server, run, 59)
    heatmap.expect_size(20, 60)
    text = page.locator("#fan-text")
    expect(text).to_have_text("max: block1/layer19 400 · median: 220 · min: block0/layer0 20")
    fan, plot = page.locator("#fan-canvas"), heatmap.plot.bounding_box()
    box = fan.bounding_box()
    assert (box["x"], box["width"]) == (plot["x"], plot["width"])
    # The pointer in one picture is in the other, and a click moves the one cursor.
    x = heatmap.point(0, 20, 12, 60)["x"]
    heatmap.plot.hover(position=heatmap.point(3, 20, 12, 60))
    expect(text).to_contain_text("step 12 · max: block1/layer19 86.7")
    fan.hover(position={"x": heatmap.point(0, 20, 40, 60)["x"], "y": 50})
    expect(text).to_contain_text("step 40 · max")
    fan.click(position={"x": x, "y": 50})
    dashboard.expect_step(12)
    expect(heatmap.plot).to_have_attribute("aria-valuenow", "12")
    page.get_by_text("Spread over the layers as a table").click()
    page.mouse.move(5, 5)
    expect(page.locator("#fan-details caption")).to_have_text("activation_std over the layers: 20 of 60 columns of the heatmap")
    rows = table(page, "fan-details")
    assert [row for row in rows if row[0] == "step 12"] == [
        ["step 12", *map(number, ((1 + round(19 * share)) * 13 / 3 for share in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1))),
         "block1/layer19", "0"]]


def test_both_can_be_hidden_and_stay_so(server, page, heatmap):
    run = unique_run("hidden")
    post_steps(server, run, layer_steps(5, 20, value))
    opened(page, server, run, 19)
    heatmap.expect_size(5, 20)
    wide = heatmap.plot.bounding_box()["width"]
    for name, part in (("Depth profile", "#profile"), ("Spread", "#fan")):
        expect(page.locator(part)).to_be_visible()
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(part)).to_be_hidden()
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "false")
    assert heatmap.plot.bounding_box()["width"] > wide + 100
    page.reload()
    heatmap.expect_size(5, 20)
    expect(page.locator("#profile")).to_be_hidden()
    expect(page.locator("#fan")).to_be_hidden()


def test_on_a_phone_the_profile_is_below_and_hidden_until_it_is_wanted(server, page, heatmap):
    page.set_viewport_size({"width": 390, "height": 844})
    run = unique_run("phone")
    post_steps(server, run, layer_steps(20, 20, value))
    opened(page, server, run, 19)
    heatmap.expect_size(20, 20)
    expect(page.locator("#profile")).to_be_hidden()
    page.get_by_role("button", name="Depth profile", exact=True).click()
    box, plot = page.locator("#profile-canvas").bounding_box(), heatmap.plot.bounding_box()
    assert box["y"] > plot["y"] + plot["height"] and box["width"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_metric_that_begins_later_can_be_chosen_without_a_reload(server, page, heatmap):
    run = unique_run("later")
    post_steps(server, run, layer_steps(5, 20, value))
    opened(page, server, run, 19)
    heatmap.expect_size(5, 20)
    options = page.locator("#heatmap-metric option")
    expect(options).to_have_text(["activation_std"])
    post_steps(server, run, layer_steps(5, 10, value, ("activation_std", "fresh"), first=20))
    expect(options).to_have_text(["activation_std", "fresh"])
    page.get_by_label("Metric").select_option("fresh")
    expect(page.locator("#profile-text")).to_have_text("fresh at step 29")
    heatmap.expect_size(5, 30)
