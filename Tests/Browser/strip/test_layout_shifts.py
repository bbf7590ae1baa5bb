"""Nothing on the page moves while a run is opened, and while its steps come."""

import pytest
from dashboard import Dashboard, unique_run
from heatmap_view import Heatmap, post_steps
from playwright.sync_api import expect
from strip_view import Strip, scalar_steps

# Collects what moved: the time, the score of Chromium, and the elements with their places before and after.
OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const { startTime, value, hadRecentInput, sources } of list.getEntries()) {
        if (value === 0 || hadRecentInput) continue;
        // Left out: the state of the connection, which grows to the left; the row of a run, which may get a second line
        // for its finding; and blank text, which has no pixels.
        const isBlank = (node) => node?.nodeType === Node.TEXT_NODE && node.data.trim() === "";
        const isLeftOut = (node) => isBlank(node) || (node?.parentElement?.closest(".top-bar, #runs") ?? null) !== null;
        const others = sources.filter(({ node }) => !isLeftOut(node));
        if (others.length === 0) continue;
        const moved = others.map(({ node, previousRect, currentRect }) => {
            return `${node?.id || node?.className || node?.nodeName}: ${previousRect.y} to ${currentRect.y}`;
        });
        shifts.push(`${Math.round(startTime)} ms, ${value.toFixed(4)}: ${moved.join("; ")}`);
    }
}).observe({ type: "layout-shift", buffered: true });
"""

UNTIL_SHIFTED = """() => new Promise((done) => {
    const look = () => (shifts.length > 0 ? done() : requestAnimationFrame(look));
    look();
})"""


@pytest.fixture
def opened(page, server):
    """Posts the steps of a run, and opens it."""
    page.add_init_script(OBSERVE)

    def opened(steps):
        run = unique_run("still")
        post_steps(server, run, steps)
        page.goto(f"{server.url}/#run={run}")
        return run

    return opened


@pytest.mark.parametrize("width", [1440, 1024, 390])
@pytest.mark.parametrize("layers", [1, 12, 300])
def test_nothing_moves_while_a_run_is_opened_and_steps_come(opened, page, server, layers, width):
    page.set_viewport_size({"width": width, "height": 900})
    run = opened(scalar_steps(layers, 100))
    dashboard, heatmap, strip = Dashboard(page, server), Heatmap(page), Strip(page)
    dashboard.expect_step(99)
    heatmap.expect_size(layers, 100)
    strip.expect_values(99)
    post_steps(server, run, scalar_steps(layers, 5, first=100))
    dashboard.expect_step(104)
    heatmap.expect_size(layers, 105)
    strip.expect_values(104)
    assert "\n".join(page.evaluate("shifts")) == ""


def test_nothing_moves_while_a_run_without_layers_is_opened(opened, page, server):
    opened(scalar_steps(0, 100))
    Dashboard(page, server).expect_step(99)
    Strip(page).expect_values(99)
    assert "\n".join(page.evaluate("shifts")) == ""


def test_what_moves_is_noticed(opened, page, server):
    opened(scalar_steps(12, 100))
    Heatmap(page).expect_size(12, 100)
    page.evaluate("document.getElementById('strip-plot').style.height = '250px'")
    # Not `wait_for_function`, which evaluates text in the page: its Content-Security-Policy refuses that.
    page.evaluate(UNTIL_SHIFTED)
    assert "heatmap-" in " ".join(page.evaluate("shifts"))
    expect(page.locator("#heatmap-plot")).to_be_visible()
