"""On a phone each control is large enough for a finger, and nothing but tables of many columns scrolls sideways."""

import pytest
from playwright.sync_api import expect
from Support.servers.server import Server

from dashboard import Dashboard, Trainer

LAYERS = [{"id": f"block{number // 4}/linear{number}", "type": "Linear", "depth": number} for number in range(24)]
#: Least width and height of a control (CSS pixels, WCAG 2.2, 2.5.8).
LEAST = 24

# Controls below this size, and those beyond the edge of the window. A checkbox is as large as its label.
SMALL = """(least) => {
    const nodes = document.querySelectorAll("button, a, summary, select, input, [role=slider], [role=tree]");
    const isShown = (node) => node.checkVisibility() && !node.closest(".visually-hidden, .skip-link, .layers-table, p");
    return [...nodes].filter(isShown).map((node) => {
        const { width, height, right } = (node.closest("label") ?? node).getBoundingClientRect();
        return [node.id || node.textContent.trim(), width, height, right];
    }).filter(([, width, height, right]) => Math.min(width, height) < least || right > innerWidth + 1);
}"""

# Titles of the table of layers, whose rows may be wider than the window.
SMALL_TITLES = """(least) => [...document.querySelectorAll("#layers-columns button")].filter((node) => {
    const { width, height } = node.getBoundingClientRect();
    return Math.min(width, height) < least;
}).map((node) => node.textContent)"""

OPEN_ALL = "for (const fold of document.querySelectorAll('details')) fold.open = true"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server with a run whose sixth layer dies."""
    with Server([], None, tmp_path_factory.mktemp("phone")) as running:
        Trainer(running).post_steps("sick", [
            {"step": number, "time": 1_770_000_000 + number, "scalars": {"loss": 2 - number / 100},
             "layers": LAYERS, "metrics": {
                 "activation_std": [0.0 if layer == 5 and number >= 20 else 0.5 + layer / 50 for layer in range(24)],
                 "gradient_l2_norm": [0.1] * 24}} for number in range(40)])
        yield running


@pytest.fixture
def phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    return page


@pytest.fixture
def opened(phone, own_server):
    phone.goto(f"{own_server.url}/#run=sick")
    Dashboard(phone, own_server).expect_step(39)
    expect(phone.locator("#layers-rows [data-kind=now]").first).to_be_attached()
    expect(phone.locator("#findings-open .finding")).to_have_count(1)
    return phone


def expect_fit(page):
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(SMALL, LEAST) == []


def test_a_run(opened):
    expect_fit(opened)
    assert opened.evaluate(SMALL_TITLES, LEAST) == []
    # One fold covers what follows it only while it is open.
    opened.evaluate(OPEN_ALL)
    expect_fit(opened)


def test_the_first_metric_of_a_layer_has_its_value_in_view(opened):
    value = opened.locator("#layers-rows [data-kind=now]").first
    value.scroll_into_view_if_needed()
    assert opened.locator("#layers-table").evaluate("(node) => node.scrollLeft") == 0
    box = value.bounding_box()
    assert box["x"] + box["width"] <= 390
    # The mark stands for the finding, whose words a screen reader has.
    finding = opened.locator(".layer-finding", has_text="is dead")
    expect(finding).to_have_count(1)
    assert finding.locator(".mark").bounding_box()["width"] >= 12


def test_an_opened_layer(opened):
    opened.locator(".layer-row").first.click()
    expect(opened.locator("#layer-panel canvas").first).to_be_visible()
    expect_fit(opened)


def test_the_documentation(phone, own_server):
    phone.goto(f"{own_server.url}/docs")
    expect(phone.get_by_role("heading", name="Schemas")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    wide = "[...document.querySelectorAll('.table')].filter((node) => node.scrollWidth > node.clientWidth + 1).length"
    assert phone.evaluate(wide) == 0
    assert phone.evaluate("[...document.querySelectorAll('#contents a')].filter((a) => a.offsetHeight < 24).length") == 0
