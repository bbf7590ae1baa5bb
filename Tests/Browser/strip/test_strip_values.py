"""What the strip shows: which scalars, their values, and runs without layers or without scalars."""

import math

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, unique_run
from heatmap_view import post_steps
from strip_view import MINUTE_LATER, scalar_steps, scalars


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


def test_a_choice_is_in_the_state_and_is_restored_from_it(opened, page, server, strip):
    opened(5)
    # A second component on the same page.
    states = page.evaluate("""async () => {
        const { Strip } = await import("/static/js/strip/strip.js");
        const { TimeAxis } = await import("/static/js/heatmap/time-axis.js");
        let changes = 0;
        const handlers = { seekStep: async () => null, requestPaint: () => {}, onState: () => { changes += 1; } };
        const second = new Strip({ time: new TimeAxis(handlers), isShown: false }, handlers);
        const states = [second.state];
        second.restore({ scalars: "lr,a\\\\,b" });
        states.push(second.state);
        document.getElementById("strip-usual").click();
        return [...states, second.state, changes];
    }""")
    assert states == [{}, {"scalars": "lr,a\\,b"}, {}, 1]


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
