"""Fixtures of the browser tests: Debian's Chromium, headless, controlled by Playwright."""

from pathlib import Path

import pytest
from dashboard import CHOOSE_METRICS, Dashboard, Trainer, unique_run
from module_page import open_module_page
from playwright.sync_api import expect, sync_playwright
from Support.servers import shared

# The browser and the server share two cores, so a page may be slow.
expect.set_options(timeout=20_000)

REPOSITORY = Path(__file__).resolve().parents[2]

# The shell has no window of its own to paint, which saves a third of the time.
CHROMIUM = next((path for path in ("/usr/bin/chromium-headless-shell",) if Path(path).exists()), "/usr/bin/chromium")

# Logs violations of the page's Content-Security-Policy as console errors, which tests can see.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
    console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


@pytest.fixture(scope="session")
def static_folder():
    return REPOSITORY / "static"


# Servers of their own, without the thousands of runs of the other tests, which the page would list.
server = shared.server
secure_server = shared.secure_server


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Tests may run as root in a container, where Chromium's sandbox does not work.
            args=["--no-sandbox"],
        )
        yield browser
        browser.close()


class Problems:
    """Errors in the page: console errors, uncaught exceptions, CSP violations."""

    def __init__(self):
        self._seen = []
        self._allowed = []

    def watch(self, page):
        page.on("console", lambda message: self._seen.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._seen.append(str(error)))

    def allow(self, *parts):
        """Allows messages that contain one of `parts`. Chromium itself logs failed requests that a test provokes."""
        self._allowed += parts

    @property
    def unexpected(self):
        return [text for text in self._seen if not any(part in text for part in self._allowed)]


@pytest.fixture
def problems():
    """Checked after every test that uses `page`."""
    return Problems()


@pytest.fixture
def has_chosen_metrics():
    """Whether the metrics of the tests were chosen for the table of layers before the page begins."""
    return True


@pytest.fixture
def page(chromium, problems, has_chosen_metrics):
    context = chromium.new_context(ignore_https_errors=True, viewport={"width": 1440, "height": 900})
    context.add_init_script(REPORT_VIOLATIONS)
    if has_chosen_metrics:
        context.add_init_script(CHOOSE_METRICS)
    page = context.new_page()
    problems.watch(page)
    yield page
    context.close()
    assert problems.unexpected == []


@pytest.fixture
def run(page, static_folder):
    """Runs JavaScript with the dashboard's modules: `run("return ...")`."""
    return open_module_page(page, static_folder)


@pytest.fixture
def watch(page, secure_server):
    """Begins a run with these steps of the open wire and opens it in the dashboard: `watch(steps)` returns its id."""
    dashboard = Dashboard(page, secure_server)
    dashboard.log_in()
    dashboard.expect_state("live")

    def watch(steps):
        run = unique_run("watched")
        Trainer(secure_server).post_steps(run, steps)
        dashboard.open_run(run)
        dashboard.expect_step(steps[-1]["step"])
        return run

    return watch
