"""axe-core finds no violation on any page, in light and dark, wide and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from Support.servers.server import Server

from dashboard import Dashboard, Trainer, unique_run

LAYERS = [{"id": f"block{number // 4}/linear{number}", "type": "Linear", "depth": number} for number in range(24)]


def step(number, is_sick):
    """A step of 24 layers; of a sick run the sixth layer dies at step 20 and the last one has a NaN from step 30 on."""
    stds = [0.5 + layer / 50 for layer in range(len(LAYERS))]
    if is_sick and number >= 20:
        stds[5] = 0.0
    if is_sick and number >= 30:
        stds[-1] = "NaN"
    return {"step": number, "time": 1_770_000_000 + number, "scalars": {"loss": 2 - number / 100, "lr": 0.001},
            "layers": LAYERS, "metrics": {"activation_std": stds, "gradient_l2_norm": [0.1] * len(LAYERS)}}


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server with a healthy run, a sick one, and one that failed."""
    with Server([], None, tmp_path_factory.mktemp("axe")) as running:
        trainer = Trainer(running)
        for name in ("healthy", "sick", "failed"):
            trainer.post_steps(name, [step(number, name == "sick") for number in range(40)])
        trainer.describe("failed", {"state": "failed", "exit_code": 1, "reason": "ValueError: no"})
        yield running


# Resolves once three frames in a row have changed nothing in the document: the page paints in the frame after a change,
# and a paint may request another one.
SETTLED = """() => new Promise((done) => {
    let quiet = 0;
    const observer = new MutationObserver(() => { quiet = 0; });
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    const frame = () => {
        quiet += 1;
        if (quiet <= 3) return requestAnimationFrame(frame);
        observer.disconnect();
        done();
    };
    requestAnimationFrame(frame);
})"""

LOOKS = [("light", 1440, 900), ("dark", 1440, 900), ("light", 390, 844), ("dark", 390, 844)]


@pytest.fixture
def page(page):
    """The page without movements: a colour that is still changing has the contrast of neither end."""
    page.emulate_media(reduced_motion="reduce")
    return page


def expect_no_violation(page):
    """Looks at the page in light and dark, wide and on a phone."""
    for scheme, width, height in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(SETTLED)
        results = Axe().run(page)
        assert results.response["violations"] == [], f"{scheme}, {width}: {results.generate_report()}"


def opened(page, server, run):
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(39)
    expect(page.locator("#heatmap-readout")).to_contain_text("24 layers")


@pytest.mark.parametrize("run", ["healthy", "sick", "failed"])
def test_a_run(page, own_server, run):
    opened(page, own_server, run)
    expect_no_violation(page)


def test_a_run_with_everything_unfolded(page, own_server):
    opened(page, own_server, "sick")
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    expect(page.locator("#heatmap-details tbody tr").first).to_be_attached()
    expect_no_violation(page)


def test_a_paused_run(page, own_server):
    opened(page, own_server, "sick")
    page.keyboard.press("Space")
    expect(page.locator("#behind")).to_have_attribute("data-shown", "true")
    expect_no_violation(page)


def test_an_opened_layer(page, own_server):
    opened(page, own_server, "sick")
    page.locator(".layer-row").first.click()
    expect(page.locator("#layer-panel-title")).to_be_visible()
    expect(page.locator("#layer-panel canvas").first).to_be_visible()
    expect_no_violation(page)


def test_the_list_of_keys(page, own_server):
    opened(page, own_server, "healthy")
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    expect_no_violation(page)


def test_a_long_list_of_runs(page, start_server):
    server = start_server()
    for number in range(120):
        Trainer(server).post_steps(f"run{number}", [step(39, number % 2 == 1)])
    # A run below the button for more rows.
    opened(page, server, "run0")
    expect(page.locator("#runs .run")).to_have_count(101)
    expect_no_violation(page)
    page.locator("#runs-filter").fill("run1")
    expect(page.locator("#runs-filter-status")).to_contain_text("match")
    expect_no_violation(page)
    page.locator("#runs-filter").fill("none")
    expect(page.locator("#runs-filter-status")).to_have_text("No run matches")
    expect_no_violation(page)
    page.goto("about:blank")


def test_no_run(start_server, page):
    page.goto(start_server().url)
    expect(page.locator("#empty-title")).to_have_text("No runs yet")
    expect_no_violation(page)
    page.goto("about:blank")


def test_a_run_that_the_server_does_not_have(page, own_server):
    page.goto(f"{own_server.url}/#run={unique_run('none')}")
    expect(page.locator("#empty-title")).to_have_text("Run not found")
    expect_no_violation(page)


def test_the_login(page, secure_server, problems):
    problems.allow("status of 401")
    page.goto(f"{secure_server.url}/login")
    page.get_by_label("Access token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    expect_no_violation(page)


def test_the_documentation(page, own_server):
    page.goto(f"{own_server.url}/docs")
    expect(page.get_by_role("heading", name="Schemas")).to_be_visible()
    expect_no_violation(page)
