"""Travelling in time: playing, the ends, findings one after the other, and how far a paused page is behind."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, Trainer, unique_run

LAYERS = [{"id": name, "type": "Linear", "depth": depth} for depth, name in enumerate(("conv1", "conv2", "conv3"))]

# Notes each step that is shown from now on.
OBSERVE = """() => {
    window.shown = [];
    const node = document.getElementById("fact-step");
    new MutationObserver(() => shown.push(Number(node.dataset.value)))
        .observe(node, { attributes: true, attributeFilter: ["data-value"] });
}"""


def step(number, stds=(0.5, 0.6, 0.7), loss=None):
    return {"step": number, "time": 1_770_000_000 + number, "layers": LAYERS,
            "scalars": {"loss": loss if loss is not None else 2 - number / 1000},
            "metrics": {"activation_std": [std + number % 7 / 100 if std not in (0, "NaN") else std for std in stds]}}


def choose_speed(page, speed):
    """Chooses a speed in the menu beside the button for playing."""
    page.locator("#play-options summary").click()
    page.get_by_label("Speed of playing").select_option(speed)
    # Outside of the menu, whose focus would take the space key.
    page.locator("#run-id").click()
    expect(page.get_by_label("Speed of playing")).to_be_hidden()
    expect(page.locator("#speed-text")).to_have_text(f"{speed}/s")


@pytest.fixture
def dashboard(page, server):
    return Dashboard(page, server)


@pytest.fixture
def opened(page, server, dashboard):
    """Posts these steps and opens the run."""

    def opened(steps):
        run = unique_run("travel")
        Trainer(server).post_steps(run, steps)
        page.goto(f"{server.url}/#run={run}")
        dashboard.expect_step(steps[-1]["step"])
        return run

    return opened


@pytest.fixture
def reads(page):
    """The queries of reads of whole steps."""
    queries = []

    def requested(request):
        address = urlsplit(request.url)
        if address.path.endswith("/steps"):
            queries.append({name: values[0] for name, values in parse_qs(address.query).items()})

    page.on("request", requested)
    return queries


def test_every_step_is_played_in_order_and_at_the_end_playing_stops(opened, page, dashboard):
    opened([step(number) for number in range(40)])
    page.get_by_label("Go to step").fill("34")
    page.get_by_label("Go to step").press("Enter")
    dashboard.expect_step(34)
    page.evaluate(OBSERVE)
    # At higher speeds a page that is slow paints not every step.
    choose_speed(page, "2")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    dashboard.expect_step(39)
    assert page.evaluate("shown") == list(range(35, 40))
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    dashboard.expect_state("paused")
    expect(page.locator("#behind-text")).to_have_text("at the last step")


def test_playing_reads_many_steps_at_once_before_they_are_shown(opened, page, dashboard, reads):
    opened([step(number) for number in range(1000)])
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Home")
    dashboard.expect_step(0)
    page.wait_for_load_state("networkidle")
    page.evaluate(OBSERVE)
    before = len(reads)
    choose_speed(page, "50")
    page.locator("body").press("p")
    expect(page.locator("#fact-step")).to_have_attribute("data-value", re.compile("^[2-9]..$"), timeout=120_000)
    page.locator("body").press("p")
    shown = page.evaluate("shown")
    assert shown == sorted(shown)
    # A read has 100 steps, and comes when 50 are left.
    assert len(reads) - before <= shown[-1] / 50 + 2, reads[before:]
    steps = [(int(query["from"]), int(query["to"])) for query in reads[before:]]
    assert steps[0] == (1, 100)
    # No step is read twice.
    assert all(first > last for (_, last), (first, _) in zip(steps, steps[1:]))


def test_playing_goes_live_at_the_end_if_that_was_chosen_also_after_a_reload(opened, page, dashboard):
    opened([step(number) for number in range(12)])
    page.locator("#play-options summary").click()
    page.get_by_label("Return to live after the last step").check()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Return to live after the last step")).to_be_hidden()
    choose_speed(page, "50")
    page.reload()
    dashboard.expect_step(11)
    expect(page.locator("#speed-text")).to_have_text("50/s")
    expect(page.locator("#then-live")).to_be_checked()
    page.evaluate(OBSERVE)
    page.locator("body").press("p")
    dashboard.expect_state("paused")
    dashboard.expect_state("live")
    dashboard.expect_step(11)
    # From the last step, playing begins with the first.
    assert page.evaluate("shown")[0] < 5


def test_any_action_of_a_person_ends_playing(opened, page, dashboard):
    opened([step(number) for number in range(200)])
    stop = page.get_by_role("button", name="Stop")
    choose_speed(page, "1")
    for key in ("Space", "ArrowLeft", "ArrowRight", "p", "End"):
        page.locator("body").press("Home")
        page.locator("body").press("p")
        expect(stop).to_be_visible()
        page.locator("body").press(key)
        expect(stop).to_be_hidden()
        dashboard.expect_state("paused")
    page.locator("body").press("Home")
    page.locator("body").press("p")
    page.get_by_role("button", name="Return to live").click()
    expect(stop).to_be_hidden()
    dashboard.expect_state("live")


def test_a_run_is_played_over_a_gap_in_its_step_numbers(opened, page, dashboard, server, reads):
    run = opened([step(number) for number in range(20)])
    # The server lists two buckets of ten steps instead of the steps.
    buckets = {"steps": [0, 10], "last_steps": [9, 19], "scalars": {}, "layers": {}, "resolution": 1, "last_seq": 20}
    page.route("**/series?scalars=%3F*points=10000", lambda route: route.fulfill(json=buckets), times=1)
    page.reload()
    dashboard.expect_step(19)
    page.keyboard.press("Home")
    dashboard.expect_step(0)
    page.evaluate(OBSERVE)
    choose_speed(page, "5")
    page.locator("body").press("p")
    dashboard.expect_step(19)
    shown = page.evaluate("shown")
    assert shown == sorted(shown) and shown[-1] == 19, run
    # Without their numbers, the steps within a bucket would be left out.
    assert any(0 < number < 9 for number in shown) and any(10 < number < 19 for number in shown)


def test_first_and_last_step_and_what_is_behind(opened, page, dashboard, server):
    run = opened([step(number) for number in range(50)])
    first, last = (page.get_by_role("button", name=name) for name in ("First step", "Last step"))
    page.keyboard.press("Home")
    dashboard.expect_step(0)
    expect(first).to_be_disabled()
    expect(page.locator("#behind-text")).to_have_text("49 steps, 49 s behind")
    Trainer(server).post_steps(run, [step(number) for number in range(50, 200)])
    expect(page.locator("#behind-text")).to_have_text("199 steps, 3 min behind")
    dashboard.expect_step(0)
    last.click()
    dashboard.expect_step(199)
    dashboard.expect_state("paused")
    expect(last).to_be_disabled()
    expect(page.locator("#behind-text")).to_have_text("at the last step")
    first.click()
    dashboard.expect_step(0)
    page.keyboard.press("End")
    dashboard.expect_step(199)
    page.keyboard.press("Space")
    dashboard.expect_state("live")


def test_findings_are_gone_to_in_the_order_of_time(opened, page, dashboard):
    steps = [step(number) for number in range(20)]
    steps += [step(number, stds=(0.5, 0, 0.7)) for number in range(20, 40)]
    steps += [step(number) for number in range(40, 90)]
    steps += [step(number, stds=(0.5, 0.6, "NaN")) for number in range(90, 100)]
    opened(steps)
    expect(page.locator("#findings-open .finding")).to_have_count(1)
    expect(page.locator("#findings-closed-title")).to_have_text("1 closed")
    message = page.locator("#jump-message")
    page.keyboard.press("n")
    expect(message).to_have_text("No later finding.")
    page.keyboard.press("Home")
    dashboard.expect_step(0)
    page.keyboard.press("n")
    dashboard.expect_step(20)
    expect(message).to_have_text(re.compile("^Finding 1 of 2, critical: conv2 is dead"))
    axis = page.get_by_role("slider", name="Heatmap cursor")
    expect(axis).to_have_attribute("aria-valuetext", re.compile("^step 20 · conv2 · "))
    # The picture stays where it is.
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="Next finding").click()
    dashboard.expect_step(90)
    expect(message).to_have_text(re.compile("^Finding 2 of 2, critical: conv3 "))
    page.keyboard.press("Shift+N")
    dashboard.expect_step(20)
    page.get_by_role("button", name="Previous finding").click()
    expect(message).to_have_text("No earlier finding.")
    dashboard.expect_step(20)


def test_steps_beyond_2_to_the_53_are_played(opened, page, dashboard):
    first = 2**53 + 1
    opened([step(number) for number in range(first, first + 6)])
    page.keyboard.press("Home")
    dashboard.expect_step(first)
    choose_speed(page, "10")
    page.locator("body").press("p")
    dashboard.expect_step(first + 5)
    dashboard.expect_state("paused")


def test_zooming_into_the_past_pauses_and_the_end_of_the_run_is_followed(opened, page, dashboard, server):
    run = opened([step(number) for number in range(100)])
    axis = page.get_by_role("slider", name="Heatmap cursor")
    dashboard.expect_steps(100)
    axis.focus()
    # Around the cursor, which is at the end.
    page.keyboard.press("]")
    expect(axis).to_have_attribute("aria-valuemax", "49")
    dashboard.expect_state("live")
    Trainer(server).post_steps(run, [step(100)])
    dashboard.expect_step(100)
    expect(axis).to_have_attribute("aria-valuemax", "50")
    page.keyboard.press("0")
    dashboard.expect_steps(101)
    box = axis.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] - 6)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] - 6, steps=4)
    page.mouse.up()
    dashboard.expect_state("paused")
    assert int(page.locator("#fact-step").get_attribute("data-value")) < 70


def test_the_speed_is_in_the_address(opened, page, dashboard):
    opened([step(number) for number in range(30)])
    choose_speed(page, "5")
    page.wait_for_function("() => location.hash.includes('speed=5')")
    address = page.url.replace("speed=5", "speed=50")
    page.goto("about:blank")
    page.goto(address)
    dashboard.expect_step(29)
    expect(page.locator("#speed-text")).to_have_text("50/s")
