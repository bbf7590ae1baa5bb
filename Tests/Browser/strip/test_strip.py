"""The strip of scalars: its axis, cursor, pointer and zoom are those of the heatmap below it."""

from playwright.sync_api import expect

from dashboard import Dashboard
from heatmap_view import post_steps
from strip_view import MINUTE_LATER, scalar_steps, scalars


def test_loss_rate_and_norm_are_over_the_cells_with_the_posted_values(opened, page, server, heatmap, strip):
    opened(100)
    expect(strip.plot).to_be_visible()
    assert strip.names() == ["loss", "lr", "grad_norm"]
    strip.expect_values(99)
    upper, lower = page.evaluate("""() => ["strip-plot", "heatmap-plot"].map((id) => {
        const { left, right, top, bottom } = document.getElementById(id).getBoundingClientRect();
        return { left, right, top, bottom };
    })""")
    assert (upper["left"], upper["right"]) == (lower["left"], lower["right"])
    assert 0 <= lower["top"] - upper["bottom"] < 4
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
    # A person who goes beyond that step sees what is there.
    page.keyboard.press("End")
    heatmap.expect_columns(31)
    strip.expect_values(30)


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
