"""Every view has an address, which another browser opens, and which survives reload, login and Back."""

import pytest
from dashboard import Dashboard, Trainer, unique_run
from playwright.sync_api import expect
from Support.clients.access import TOKENS, tokens_file

LAYERS = [f"block{layer // 5}/layer{layer}" for layer in range(20)]


def steps_of(count, first=0, value=1.0):
    layers = [{"id": name, "type": "Linear", "depth": depth} for depth, name in enumerate(LAYERS)]
    return [
        {"step": first + step, "scalars": {"train/loss": 1 / (step + 1)}, "layers": layers,
         "metrics": {name: [value + depth + step / 10 for depth in range(len(LAYERS))]
                     for name in ("activation_std", "gradient_l2_norm", "weight_std")}}
        for step in range(count)
    ]


class View:
    """What a person sees of the heatmap and the step."""

    def __init__(self, page, server):
        self.page = page
        self.dashboard = Dashboard(page, server)

    def open(self, address, step):
        self.page.goto(address)
        self.dashboard.expect_step(step)
        self.expect_read()

    def expect_read(self):
        expect(self.page.locator("#heatmap-status")).to_be_hidden(timeout=60_000)
        expect(self.page.locator("#heatmap-readout")).to_contain_text("layer")

    @property
    def seen(self):
        """Step, metric, colouring, and the numbers of layers and columns in view with the range of the table."""
        return self.page.evaluate("""() => ({
            step: document.getElementById("fact-step").dataset.value,
            metric: document.getElementById("heatmap-metric").value,
            colour: document.getElementById("heatmap-colour").value,
            columns: document.getElementById("heatmap-plot").getAttribute("aria-valuemax"),
            cursor: document.getElementById("heatmap-plot").getAttribute("aria-valuenow"),
            cell: document.getElementById("heatmap-plot").getAttribute("aria-valuetext"),
            behind: document.getElementById("behind").dataset.shown,
            run: document.getElementById("run-id").textContent,
            zoom: [...document.querySelectorAll("[data-zoom]")].map((button) => button.disabled),
        })""")

    def expect_address(self, **state):
        """The address has exactly this state beside the run and the colouring."""
        expected = {key: str(value) for key, value in state.items()}
        self.page.wait_for_function(
            """(expected) => {
                const state = Object.fromEntries(location.hash.slice(1).split("&").map(
                    (part) => part.split("=").map(decodeURIComponent)));
                delete state.run;
                delete state.colour;
                // The tests choose the table's metrics, see dashboard.py.
                delete state.metrics;
                const sorted = (object) => JSON.stringify(Object.entries(object).sort());
                return sorted(state) === sorted(expected);
            }""", arg=expected, timeout=20_000)


@pytest.fixture
def run(server):
    name = unique_run("view/ä&b=c")
    Trainer(server).post_steps(name, steps_of(64))
    return name


def fragment(run):
    return "#run=" + run.replace("ä", "%C3%A4").replace("&", "%26").replace("=", "%3D")


@pytest.fixture
def view(page, server, run):
    view = View(page, server)
    view.open(f"{server.url}/{fragment(run)}", 63)
    return view


def narrow(view):
    """Another metric and colouring, a paused step, fewer steps and fewer layers."""
    page = view.page
    page.get_by_label("Metric").select_option("weight_std")
    page.locator("#heatmap-colour").select_option("value")
    page.get_by_label("Go to step").fill("30")
    page.get_by_label("Go to step").press("Enter")
    view.dashboard.expect_step(30)
    page.get_by_role("button", name="Shorter time").click()
    page.get_by_role("button", name="Fewer layers").click()
    expect(page.get_by_role("button", name="Longer time")).to_be_enabled()
    page.wait_for_function("() => /from=.*first=/.test(location.hash)")
    view.expect_read()


def test_a_link_shows_the_same_in_another_browser(view, chromium, server, problems):
    narrow(view)
    seen, address = view.seen, view.page.url
    assert seen["step"] == "30" and seen["metric"] == "weight_std" and seen["behind"] == "true"
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    other = context.new_page()
    problems.watch(other)
    opened = View(other, server)
    opened.open(address, 30)
    expect(other.locator("#heatmap-plot")).to_have_attribute("aria-valuetext", seen["cell"])
    assert opened.seen == seen
    assert other.url == address
    context.close()


def test_a_reload_shows_the_same_and_reads_the_range_alone(view):
    narrow(view)
    seen, address = view.seen, view.page.url
    reads = []
    view.page.on("request", lambda request: reads.append(request.url) if "/matrix?" in request.url else None)
    view.page.reload()
    view.dashboard.expect_step(30)
    expect(view.page.locator("#heatmap-plot")).to_have_attribute("aria-valuetext", seen["cell"])
    assert view.seen == seen
    assert view.page.url == address
    assert all("from=" in read for read in reads)


def test_the_address_is_kept_through_the_login(start_server, tmp_path, page):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--max-runs", 10)
    own.token = TOKENS["both"]
    Trainer(own).post_steps("r", steps_of(64))
    deep = f"{own.url}/#run=r&step=30&metric=weight_std&colour=value&from=20&to=40"
    page.goto(deep)
    expect(page).to_have_url(f"{own.url}/login{deep[deep.index('#'):]}")
    page.get_by_label("Access token").fill(own.token)
    page.get_by_role("button", name="Log in").click()
    view = View(page, own)
    view.dashboard.expect_step(30)
    view.expect_address(step=30, metric="weight_std", **{"from": 20, "to": 40})
    assert view.seen["metric"] == "weight_std" and view.seen["step"] == "30"


def test_live_has_no_step_and_a_pause_has_one(view):
    view.expect_address(metric="activation_std")
    view.page.keyboard.press("ArrowLeft")
    view.expect_address(metric="activation_std", step=62)
    view.page.keyboard.press("Space")
    view.expect_address(metric="activation_std")


def test_back_leads_to_the_run_before_at_its_step(view, page, server, run):
    other = unique_run("other")
    Trainer(server).post_steps(other, steps_of(3))
    page.keyboard.press("ArrowLeft")
    view.expect_address(metric="activation_std", step=62)
    view.dashboard.open_run(other)
    view.dashboard.expect_step(2)
    page.wait_for_function("(run) => location.hash.includes(run)", arg=other)
    page.go_back()
    expect(page.locator("#run-id")).to_have_text(run)
    view.dashboard.expect_step(62)
    page.go_forward()
    expect(page.locator("#run-id")).to_have_text(other)
    view.dashboard.expect_step(2)
    expect(page.locator("#behind")).to_have_attribute("data-shown", "false")


def test_a_link_in_the_page_leaves_the_view_as_it_is(view, page):
    page.keyboard.press("ArrowLeft")
    view.expect_address(metric="activation_std", step=62)
    page.evaluate("location.hash = '#layers'")
    view.expect_address(metric="activation_std", step=62)
    view.dashboard.expect_step(62)


def test_a_step_that_is_not_kept_shows_the_one_below_and_says_so(page, server, run):
    Trainer(server).post_steps(other := unique_run("gaps"), [*steps_of(2), *steps_of(2, first=100)])
    view = View(page, server)
    view.open(f"{server.url}/#run={other}&step=50", 1)
    expect(page.locator("#notice")).to_have_text("Step 50 of the address is not kept by the server; this is step 1.")
    page.keyboard.press("ArrowRight")
    view.dashboard.expect_step(100)
    expect(page.locator("#notice")).to_be_hidden()


def test_steps_beyond_2_53_are_exact(page, server):
    first = 2**53 + 1
    Trainer(server).post_steps(run := unique_run("big"), steps_of(9, first=first))
    view = View(page, server)
    view.open(f"{server.url}/#run={run}&step={first + 4}&from={first + 2}&to={first + 6}", first + 4)
    view.expect_address(metric="activation_std", step=first + 4, **{"from": first + 2, "to": first + 6})
    assert view.seen["columns"] == "4"


def test_a_choice_survives_a_reload_and_an_address_wins(page, server, run):
    view = View(page, server)
    view.open(f"{server.url}/{fragment(run)}", 63)
    page.get_by_label("Metric").select_option("gradient_l2_norm")
    page.locator("#heatmap-colour").select_option("value")
    page.goto("about:blank")
    view.open(f"{server.url}/{fragment(run)}", 63)
    assert (view.seen["metric"], view.seen["colour"]) == ("gradient_l2_norm", "value")
    page.goto("about:blank")
    view.open(f"{server.url}/{fragment(run)}&metric=weight_std&colour=ratio", 63)
    assert (view.seen["metric"], view.seen["colour"]) == ("weight_std", "ratio")
    # The address was not a choice: another run has the chosen metric.
    Trainer(server).post_steps(other := unique_run("other"), steps_of(3))
    view.dashboard.open_run(other)
    view.dashboard.expect_step(2)
    expect(page.locator("#heatmap-metric")).to_have_value("gradient_l2_norm")


def test_an_address_that_names_nothing_known_is_harmless(page, server, run):
    view = View(page, server)
    view.open(f"{server.url}/{fragment(run)}&metric=none&colour=x&from=9&to=3&first=a&last=b&step=x&what=%ff&else=1", 63)
    view.expect_address(metric="activation_std")
