"""The strip of scalars: its axis, cursor, pointer and zoom are those of the heatmap below it."""

import math

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, unique_run
from heatmap_view import Heatmap, post_steps
from strip_view import Strip, scalar_steps, scalars

# The page's clock, by which it bounds its reads.
MINUTE_LATER = "() => { const now = Date.now; Date.now = () => now() + 60_000; }"


@pytest.fixture
def heatmap(page):
    return Heatmap(page)


@pytest.fixture
def strip(page):
    return Strip(page)


@pytest.fixture
def opened(page, server, heatmap, strip):
    """Posts steps of 12 layers with three scalars, opens the run and waits until both pictures have them."""

    def opened(steps, layers=12, values=scalars, first=0, columns=None):
        run = unique_run("strip")
        post_steps(server, run, scalar_steps(layers, steps, first, values))
        page.goto(f"{server.url}/#run={run}")
        Dashboard(page, server).expect_step(first + steps - 1)
        heatmap.expect_columns(columns or steps)
        return run

    return opened


def test_loss_rate_and_norm_are_over_the_cells_with_the_posted_values(opened, page, server, heatmap, strip):
    opened(100)
    expect(strip.plot).to_be_visible()
    assert strip.names() == ["loss", "lr", "grad_norm"]
    strip.expect_values(99)
    upper, lower = strip.plot.bounding_box(), heatmap.plot.bounding_box()
    assert (upper["x"], upper["width"]) == (lower["x"], lower["width"])
    assert 0 <= lower["y"] - (upper["y"] + upper["height"]) < 4
    page.keyboard.press("ArrowLeft")
    strip.expect_values(98)
    page.keyboard.press("Home")
    strip.expect_values(0)


def test_within_a_column_of_several_steps_the_values_are_those_of_the_viewed_step(opened, page, server, strip):
    opened(1000, columns=500)
    for step in (998, 997, 996):
        page.keyboard.press("ArrowLeft")
        strip.expect_values(step)
    page.get_by_label("Go to step").fill("333")
    page.get_by_label("Go to step").press("Enter")
    strip.expect_values(333)


def test_the_cursor_is_one_line_through_strip_and_heatmap(opened, page, server, heatmap, strip):
    opened(100)
    dashboard = Dashboard(page, server)
    for column in (30, 31, 77):
        strip.plot.click(position={"x": strip.x(column, 100), "y": 60})
        dashboard.expect_step(column)
        strip.expect_values(column)
        page.mouse.move(5, 5)
        expect(heatmap.plot).to_have_attribute("aria-valuenow", str(column))
        upper, lower = strip.lines()
        assert upper == lower and 3 <= len(upper) <= 5, (upper, lower)
        middle = strip.plot.bounding_box()["x"] + strip.x(column, 100)
        assert abs(sum(upper) / len(upper) - middle) < 2
    dashboard.expect_state("paused")
    heatmap.plot.focus()
    page.keyboard.press("ArrowLeft")
    strip.expect_values(76)
    # Dragging in the strip moves the cursor along.
    box = strip.plot.bounding_box()
    page.mouse.move(box["x"] + strip.x(20, 100), box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + strip.x(50, 100), box["y"] + 20, steps=6)
    page.mouse.up()
    dashboard.expect_step(50)
    strip.expect_values(50)


def test_the_pointer_in_one_picture_is_shown_in_the_other(opened, page, server, heatmap, strip):
    opened(100)
    cursor = strip.lines()
    assert cursor[0] == cursor[1]
    heatmap.plot.hover(position=heatmap.point(3, 12, 40, 100))
    expect(strip.readout).to_have_text("at step 40")
    assert len(strip.lines()[0]) > len(cursor[0])
    strip.plot.hover(position={"x": strip.x(60, 100), "y": 30})
    expect(strip.readout).to_have_text("at step 60")
    loss = page.locator("#strip-labels li").first.locator(".strip-value")
    expect(loss).to_have_attribute("data-value", str(scalars(60)["loss"]))
    upper, lower = strip.lines()
    assert upper == lower and len(upper) > len(cursor[0])
    page.mouse.move(5, 5)
    expect(strip.readout).to_have_text("at step 99")
    assert strip.lines() == cursor


def test_both_are_zoomed_together_by_axis_wheel_and_drag(opened, page, server, heatmap, strip):
    opened(1000, columns=500)
    dashboard = Dashboard(page, server)
    box = heatmap.plot.bounding_box()
    # Over the cells the wheel scrolls the page.
    page.mouse.move(box["x"] + strip.x(125, 500), box["y"] + box["height"] - 60)
    page.mouse.wheel(0, -120)
    heatmap.expect_columns(500)
    box = heatmap.plot.bounding_box()
    page.mouse.move(box["x"] + strip.x(125, 500), box["y"] + box["height"] - 6)
    page.mouse.wheel(0, -120)
    heatmap.expect_columns(500)
    # Zooming into the past pauses.
    dashboard.expect_state("paused")
    expect(page.locator("#viewed-step")).to_have_text("499")
    expect(strip.readout).to_have_text("at step 499")
    page.wait_for_load_state("networkidle")
    assert (strip.queries[-1]["from"], strip.queries[-1]["to"]) == ("0", "499")
    strip.plot.click(position={"x": strip.x(250, 500), "y": 20})
    strip.expect_values(250)
    page.mouse.move(5, 5)
    expect(heatmap.plot).to_have_attribute("aria-valuenow", "250")
    upper, lower = strip.lines()
    assert upper == lower != []
    # Dragging with Shift zooms in the strip, too.
    box = strip.plot.bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + strip.x(100, 500), box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + strip.x(299, 500), box["y"] + 20, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    heatmap.expect_columns(200)
    page.wait_for_load_state("networkidle")
    assert (strip.queries[-1]["from"], strip.queries[-1]["to"]) == ("100", "299")
    page.get_by_role("button", name="Show all").last.click()
    heatmap.expect_columns(500)


def test_a_pause_keeps_both_pictures_bit_for_bit_while_steps_come(opened, page, server, heatmap, strip):
    run = opened(60)
    page.keyboard.press("ArrowLeft")
    strip.expect_values(58)
    page.wait_for_load_state("networkidle")
    before, reads = strip.pictures(), (len(strip.queries), len(heatmap.queries))
    # Values that would change every scale.
    wild = scalar_steps(12, 40, 60, lambda step: {"loss": 10.0 ** (step % 9), "lr": -1.0, "grad_norm": "NaN"})
    post_steps(server, run, wild)
    expect(page.locator("#behind-text")).to_have_text("41 steps, 41 s behind")
    page.evaluate(MINUTE_LATER)
    post_steps(server, run, scalar_steps(12, 1, 100))
    expect(page.locator("#behind-text")).to_have_text("42 steps, 42 s behind")
    page.wait_for_load_state("networkidle")
    assert strip.pictures() == before
    assert (len(strip.queries), len(heatmap.queries)) == reads
    page.get_by_role("button", name="Return to live").click()
    heatmap.expect_columns(101)
    strip.expect_values(100)
    assert strip.pictures()[0] != before[0]


def test_what_came_until_the_pause_is_in_the_picture(opened, page, server, heatmap, strip):
    run = opened(20)
    # Too soon after the first read to be read at once.
    post_steps(server, run, scalar_steps(12, 5, 20))
    Dashboard(page, server).expect_step(24)
    page.keyboard.press("Space")
    Dashboard(page, server).expect_state("paused")
    post_steps(server, run, scalar_steps(12, 5, 25))
    expect(page.locator("#behind-text")).to_have_text("5 steps, 5 s behind")
    heatmap.expect_columns(25)
    page.evaluate(MINUTE_LATER)
    post_steps(server, run, scalar_steps(12, 1, 30))
    expect(page.locator("#behind-text")).to_have_text("6 steps, 6 s behind")
    heatmap.expect_columns(25)


def test_new_steps_are_read_with_the_heatmap_and_only_from_its_last_column_on(opened, page, server, heatmap, strip):
    run = opened(20)
    page.wait_for_load_state("networkidle")
    assert [(query["from"], query["to"]) for query in strip.queries] == [("0", "19")]
    assert strip.queries[0]["scalars"] == "loss,lr,grad_norm"
    post_steps(server, run, scalar_steps(12, 7, 20))
    heatmap.expect_columns(27)
    strip.expect_values(26)
    page.wait_for_load_state("networkidle")
    assert [(query["from"], query["to"]) for query in strip.queries[1:]] == [("19", "26")]


def test_what_is_not_finite_is_hatched_and_a_value_that_is_posted_seldom_stays(opened, page, server, heatmap, strip):
    def values(step):
        found = {"loss": "NaN" if 50 <= step < 60 else 1 + step, "lr": 1e-3}
        return {**found, "grad_norm": 5.0} if step % 30 == 0 else found

    opened(100, values=values)
    y = 20
    colours = page.evaluate("""([x, y]) => x.map((place) => {
        const canvas = document.getElementById("strip-charts");
        return [...canvas.getContext("2d").getImageData(Math.round(place), y, 1, 1).data].slice(0, 3);
    })""", [[strip.x(column, 100) for column in (52, 54, 56, 90)], y])
    broken, white = (194, 24, 143), (255, 255, 255)
    for red, green, blue in colours[:3]:
        assert min(broken[1], white[1]) <= green <= 255 and red >= 190 and blue >= 140, colours
    rows = page.locator("#strip-labels li")
    page.get_by_label("Go to step").fill("55")
    page.get_by_label("Go to step").press("Enter")
    expect(rows.first.locator(".strip-value")).to_have_text("NaN")
    expect(rows.first).to_have_attribute("data-broken", "true")
    # The norm was posted at step 30 last.
    expect(rows.nth(2)).to_have_attribute("data-earlier", "true")
    expect(rows.nth(2).locator(".strip-value")).to_have_attribute("data-value", "5")
    page.get_by_text("Scalars as a table").click()
    expect(page.locator("#strip-caption")).to_have_text("Scalars, steps 0–99: 20 of 100 columns")
    table = page.locator("#strip-rows tr")
    expect(table.first.locator("th, td")).to_have_text(["at the cursor, step 55", "NaN", "0.001000", "–"])
    expect(table.filter(has_text="highest").locator("td").first).to_have_text("100.0")
    expect(table.filter(has_text="not finite").locator("td")).to_have_text(["10", "0", "0"])


def test_scalars_are_chosen_and_the_choice_outlives_a_reload(opened, page, server, heatmap, strip):
    many = {f"metric {index}": float(index) for index in range(30)}
    opened(20, values=lambda step: {**scalars(step), **many, "a,b": 2.0})
    page.locator("#strip-choice summary").click()
    expect(page.locator("#strip-names input")).to_have_count(34)
    page.get_by_label("lr", exact=True).uncheck()
    page.get_by_label("Search scalars").fill("a,")
    page.get_by_label("a,b", exact=True).check()
    expect(page.locator("#strip-count")).to_have_text("3 of 34")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search scalars")).to_be_hidden()
    expect(page.locator("#strip-choice summary")).to_be_focused()
    assert strip.names() == ["loss", "grad_norm", "a,b"]
    expect(page.locator("#strip-labels .strip-value").nth(2)).to_have_attribute("data-value", "2")
    page.reload()
    heatmap.expect_columns(20)
    expect(page.locator("#strip-labels .strip-name")).to_have_text(["loss", "grad_norm", "a,b"])
    page.locator("#strip-choice summary").click()
    for index in range(9):
        page.get_by_label(f"metric {index}", exact=True).check()
    expect(page.locator("#strip-note")).to_have_text("At most 12 are drawn at once.")
    expect(page.get_by_label("metric 20", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Usual ones").click()
    expect(page.locator("#strip-labels .strip-name")).to_have_text(["loss", "lr", "grad_norm"])


def test_steps_beyond_2_to_the_53_have_their_own_columns(opened, page, server, strip):
    first = 2**53 + 1
    opened(4, first=first, values=lambda step: {"loss": step - first + 0.5})
    page.keyboard.press("ArrowLeft")
    expect(strip.readout).to_have_text(f"at step {first + 2:,}")
    expect(page.locator("#strip-labels .strip-value")).to_have_attribute("data-value", "2.5")
    strip.plot.click(position={"x": strip.x(1, 4), "y": 20})
    expect(strip.readout).to_have_text(f"at step {first + 1:,}")
    expect(page.locator("#strip-labels .strip-value")).to_have_attribute("data-value", "1.5")


def test_a_failed_read_is_shown_and_repeated(opened, page, server, strip, problems):
    problems.allow("status of 500")
    page.route("**/series?scalars=loss%2Clr*", lambda route: route.fulfill(status=500))
    opened(5)
    expect(page.locator("#strip-status")).to_have_text(
        "The scalars could not be read: the server answered with status 500. They are read again in 5 s.")
    page.unroute("**/series?scalars=loss%2Clr*")
    strip.expect_values(4)
    expect(page.locator("#strip-status")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_strip_fits_the_width(opened, page, server, heatmap, strip, scheme):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)
    opened(100)
    expect(strip.plot).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#strip-choice summary").click()
    page.get_by_text("Scalars as a table").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_run_without_layers_has_an_axis_of_its_own(page, server, heatmap, strip):
    run = unique_run("loss")
    post_steps(server, run, scalar_steps(0, 900))
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(899)
    expect(heatmap.plot).to_be_hidden()
    strip.expect_values(899)
    # Without a heatmap there is the plain slider.
    slider = page.get_by_role("slider", name="Step")
    slider.fill("100")
    dashboard.expect_step(100)
    strip.expect_values(100)
    page.wait_for_load_state("networkidle")
    before = strip.plot.evaluate("(plot) => plot.firstElementChild.toDataURL()")
    post_steps(server, run, scalar_steps(0, 50, 900, lambda step: {"loss": 1e9}))
    page.evaluate(MINUTE_LATER)
    expect(page.locator("#behind-text")).to_have_text("849 steps, 14 min behind")
    page.wait_for_load_state("networkidle")
    assert strip.plot.evaluate("(plot) => plot.firstElementChild.toDataURL()") == before
    page.get_by_role("button", name="Shorter time").click()
    expect(page.get_by_role("button", name="Longer time")).to_be_enabled()
    page.wait_for_load_state("networkidle")
    assert strip.queries[-1]["from"] == "0"
    assert int(strip.queries[-1]["to"]) < 500
    strip.expect_values(100)
    box = strip.plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 5)
    page.mouse.wheel(0, 120)
    page.get_by_role("button", name="Return to live").click()
    dashboard.expect_step(949)
    expect(strip.readout).to_have_text("at step 949")
    expect(page.locator("#strip-labels .strip-value").first).to_have_attribute("data-value", str(10**9))
    assert math.isclose(strip.plot.bounding_box()["width"], box["width"])


def test_a_run_without_scalars_has_no_strip(page, server, strip):
    run = unique_run("layers")
    post_steps(server, run, [{"step": 1, "layers": ["a"], "metrics": {"activation_std": [1]}}])
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(1)
    expect(strip.plot).to_be_hidden()
    assert strip.queries == []
