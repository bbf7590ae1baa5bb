"""The player: what it shows of its state, and that nothing moves when the state changes."""

import pytest
from playwright.sync_api import expect
from Support.servers.ports import free_port

from dashboard import UNREACHABLE, Dashboard, Trainer, unique_run

LAYERS = [{"id": f"block{number}/fc", "type": "Linear", "depth": number} for number in range(3)]

# The places of all controls, of the player itself, and of what follows it.
PLACES = """() => {
    const nodes = [...document.querySelectorAll(".player, .player button, .player summary, .player input, #heatmap-plot")];
    return nodes.filter((node) => node.checkVisibility()).map((node) => {
        const { x, y, width, height } = node.getBoundingClientRect();
        return [node.id, Math.round(x), Math.round(y + scrollY), Math.round(width), Math.round(height)];
    });
}"""


def step(number, is_dead=False):
    return {"step": number, "time": 1_770_000_000 + number, "layers": LAYERS, "scalars": {"loss": 2 - number / 1000},
            "metrics": {"activation_std": [0.5, 0 if is_dead else 0.6 + number % 7 / 100, 0.7]}}


def open_run(page, server, steps):
    run = unique_run("player")
    Trainer(server).post_steps(run, steps)
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(steps[-1]["step"])
    return run


@pytest.fixture
def live(page):
    return page.locator("#toggle")


@pytest.fixture
def field(page):
    return page.get_by_label("Go to step")


def test_live_is_a_state_that_a_press_leaves_and_returns_to(page, server, live):
    run = open_run(page, server, [step(number) for number in range(50)])
    expect(live).to_have_text("Live")
    expect(live).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#behind-text")).to_have_text("newest step")
    # No word of the player could be about the training.
    words = page.locator(".player").inner_text().lower()
    assert "pause" not in words and "stop" not in words
    status = page.locator("#player-status")
    expect(status).to_have_text("")
    live.click()
    expect(live).to_have_text("Return to live")
    expect(live).to_have_attribute("aria-pressed", "false")
    expect(status).to_have_text("Not live")
    # The connection is that of the page, whichever step it shows.
    expect(page.locator("#connection-text")).to_have_text("connected")
    Trainer(server).post_steps(run, [step(number) for number in range(50, 60)])
    expect(page.locator("#behind-text")).to_have_text("10 steps, 10 s behind")
    live.click()
    Dashboard(page, server).expect_step(59)
    expect(live).to_have_text("Live")
    expect(status).to_have_text("Live")


def test_a_press_while_steps_are_played_returns_to_live_and_the_space_key_stops(page, server, live):
    open_run(page, server, [step(number) for number in range(100)])
    page.keyboard.press("Home")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(live).to_have_text("Return to live")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    live.click()
    expect(live).to_have_text("Live")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_run_that_has_ended_is_not_called_live(page, server, live):
    run = open_run(page, server, [step(number) for number in range(20)])
    expect(live).to_have_text("Live")
    Trainer(server).describe(run, {"state": "finished", "exit_code": 0})
    expect(live).to_have_text("At the end")
    page.keyboard.press("Home")
    expect(live).to_have_text("Return to end")
    live.click()
    Dashboard(page, server).expect_step(19)


@pytest.mark.parametrize(("width", "height", "lines"), [(1920, 1080, 1), (1440, 900, 1), (1280, 800, 1), (390, 844, 2)])
def test_nothing_moves_when_the_state_changes(page, server, live, width, height, lines):
    page.set_viewport_size({"width": width, "height": height})
    steps = [step(number, is_dead=number >= 600) for number in range(700)]
    run = open_run(page, server, steps)
    expect(page.locator("#next-finding")).to_be_enabled()
    expect(page.locator("#heatmap-readout")).to_contain_text("3 layers")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#strip-status")).to_be_hidden()
    before = page.evaluate(PLACES)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    middles = {y + height // 2 for name, _, y, _, height in before if name not in ("player", "heatmap-plot")}
    assert max(middles) - min(middles) < 60 * (lines - 1) + 3, before
    for key in ("Home", "n", "ArrowLeft", "N", "p", "Space"):
        page.keyboard.press(key)
        expect(live).to_have_text("Return to live")
        assert page.evaluate(PLACES) == before, key
    Trainer(server).post_steps(run, [step(number, is_dead=True) for number in range(700, 900)])
    expect(page.locator("#last-step")).to_have_text("899")
    assert page.evaluate(PLACES) == before
    page.locator("#jump-step").fill("12345")
    page.locator("#jump-step").press("Enter")
    expect(page.locator("#jump-message")).to_have_text("Step 12345 is not kept; showing 899.")
    assert page.evaluate(PLACES) == before
    live.click()
    expect(live).to_have_text("Live")
    assert page.evaluate(PLACES) == before


def test_the_field_follows_the_step_and_keeps_what_is_typed(page, server, field):
    run = open_run(page, server, [step(number) for number in range(50)])
    dashboard = Dashboard(page, server)
    expect(field).to_have_value("49")
    page.keyboard.press("g")
    expect(field).to_be_focused()
    # The step is selected, so that typing replaces it.
    page.keyboard.type("1")
    Trainer(server).post_steps(run, [step(50)])
    dashboard.expect_step(50)
    expect(field).to_have_value("1")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    dashboard.expect_step(17)
    expect(field).to_have_value("17")
    # The field is left, so that the arrows move in time.
    page.keyboard.press("ArrowRight")
    dashboard.expect_step(18)
    expect(field).to_have_value("18")
    page.keyboard.press("g")
    page.keyboard.type("3")
    page.keyboard.press("Escape")
    expect(field).to_have_value("18")
    expect(field).not_to_be_focused()
    dashboard.expect_step(18)
    field.fill("4")
    page.locator("#run-id").click()
    expect(field).to_have_value("18")


def test_the_menu_of_playing_is_closed_by_a_press_beside_it_and_by_escape(page, server):
    open_run(page, server, [step(number) for number in range(20)])
    summary, speed = page.locator("#play-options summary"), page.get_by_label("Speed of playing")
    summary.focus()
    page.keyboard.press("Enter")
    expect(speed).to_be_visible()
    page.keyboard.press("Escape")
    expect(speed).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    expect(speed).to_be_visible()
    page.locator("#run-id").click()
    expect(speed).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_menu_of_playing_is_in_the_window(page, server, width):
    page.set_viewport_size({"width": width, "height": 844})
    open_run(page, server, [step(number) for number in range(20)])
    page.locator("#play-options summary").click()
    box = page.locator("#play-options > div").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_controls_are_large_enough_for_a_finger(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    open_run(page, server, [step(number) for number in range(20)])
    for control in page.locator(".player button, .player summary, #jump-step").all():
        box = control.bounding_box()
        assert box["width"] >= 36 and box["height"] >= 36, control


def test_a_run_without_pictures_has_a_slider(page, server):
    run = unique_run("plain")
    Trainer(server).post_steps(run, [{"step": number, "time": 1_770_000_000 + number} for number in range(30)])
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(29)
    slider = page.locator("#slider")
    expect(slider).to_be_visible()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    dashboard.expect_step(28)
    expect(page.locator("#toggle")).to_have_text("Return to live")


def test_without_a_connection_it_is_not_called_live(page, problems, start_server, live):
    problems.allow(*UNREACHABLE)
    port = free_port()
    first = start_server("--port", str(port))
    open_run(page, first, [step(number) for number in range(20)])
    expect(live).to_have_text("Live")
    first.stop()
    expect(live).to_have_text("Not connected")
    page.keyboard.press("ArrowLeft")
    expect(live).to_have_text("Return to live")
    page.keyboard.press("Space")
    expect(live).to_have_text("Not connected")
    # The new server does not have the run.
    start_server("--port", str(port))
    expect(live).to_have_text("At the end", timeout=60_000)
