"""The page where a proxy blocks the WebSocket: it reads Server-Sent Events instead."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from dashboard import READ_OF_A_REMOVED_RUN, Dashboard, Trainer, make_payload, unique_run
from playwright.sync_api import expect
from Support.clients.access import TOKENS, tokens_file
from Support.servers.nginx import Nginx, refusing_upgrades, without_upgrades

# Chromium logs each failed attempt.
BLOCKED = "WebSocket connection to"


class Blocked:
    """The page behind a proxy that blocks the WebSocket."""

    def __init__(self, page, proxy, token):
        self.page = page
        self.proxy = proxy
        self.proxy.token = token
        self.trainer = Trainer(proxy)
        self.dashboard = Dashboard(page, proxy)
        self.queries = []
        page.on("request", self._requested)

    def _requested(self, request):
        address = urlsplit(request.url)
        if address.path.endswith("/events"):
            self.queries.append({name: values[0] for name, values in parse_qs(address.query).items()})

    def open(self, fragment=""):
        self.page.goto(f"{self.proxy.url}/?token={self.proxy.token}{fragment}")
        self.expect_events()

    def expect_events(self, timeout=60_000):
        expect(self.page.locator("#connection-text")).to_have_text("connected over SSE", timeout=timeout)
        self.dashboard.expect_state("live")


@pytest.fixture
def server(start_server, tmp_path):
    return start_server("--auth-tokens-file", tokens_file(tmp_path), "--max-runs", 1000)


@pytest.fixture
def blocked(request, server, page, problems, tmp_path):
    """The page behind a proxy that refuses upgrades, or is as the test names it."""
    problems.allow(BLOCKED, READ_OF_A_REMOVED_RUN)
    with Nginx(server, tmp_path, getattr(request, "param", refusing_upgrades)) as proxy:
        yield Blocked(page, proxy, TOKENS["boss"])
        # Before the proxy ends: the page would connect again.
        page.goto("about:blank")


@pytest.mark.parametrize("blocked", [without_upgrades, refusing_upgrades], ids=["dropped", "refused"], indirect=True)
def test_runs_and_steps_are_live_over_events(blocked, page):
    run, other = unique_run(), unique_run("other")
    trainer, dashboard = blocked.trainer, blocked.dashboard
    trainer.post(make_payload(run, 1))
    blocked.open()
    dashboard.open_run(run)
    for step in (2, 3):
        trainer.post(make_payload(run, step))
        dashboard.expect_payload(make_payload(run, step))
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(make_payload(run, 2))
    page.keyboard.press("Space")
    trainer.post(make_payload(other, 7))
    expect(page.locator(f"#runs [data-run='{other}']")).to_be_visible()
    dashboard.open_run(other)
    dashboard.expect_payload(make_payload(other, 7))
    trainer.post(make_payload(other, 8))
    dashboard.expect_payload(make_payload(other, 8))
    trainer.delete(run)
    expect(page.locator(f"#runs [data-run='{run}']")).to_have_count(0)
    trainer.delete(other)
    expect(page.locator("#notice")).to_contain_text("This run was deleted from the server.")
    dashboard.expect_payload(make_payload(other, 8))
    trainer.post(make_payload(other, 9))
    dashboard.expect_payload(make_payload(other, 9))


def test_dropped_steps_leave_the_page_and_a_new_run_of_the_same_id_replaces_the_old_one(blocked, page):
    run = unique_run()
    trainer, dashboard = blocked.trainer, blocked.dashboard
    for step in (1, 2, 3, 4):
        trainer.post(make_payload(run, step))
    blocked.open(f"#run={run}")
    dashboard.expect_payload(make_payload(run, 4))
    trainer.describe(run, {"resume_from": 3})
    trainer.post(make_payload(run, 3, value=7.5))
    dashboard.expect_payload(make_payload(run, 3, value=7.5))
    dashboard.expect_steps(3)
    trainer.delete(run)
    trainer.post(make_payload(run, 50))
    dashboard.expect_payload(make_payload(run, 50))
    dashboard.expect_steps(1)


def test_a_page_resumes_its_events_where_they_ended(blocked, page, problems):
    problems.allow("net::ERR_", "status of 502")
    run = unique_run()
    trainer, dashboard = blocked.trainer, blocked.dashboard
    for step in (1, 2, 3):
        trainer.post(make_payload(run, step))
    blocked.open(f"#run={run}")
    dashboard.expect_payload(make_payload(run, 3))
    blocked.proxy.stop()
    dashboard.expect_state("reconnecting")
    blocked.queries.clear()
    reads = []
    page.on("request", lambda request: reads.append(request.url) if re.search(r"/steps\?", request.url) else None)
    blocked.proxy.start()
    for step in (4, 5):
        trainer.post(make_payload(run, step))
    blocked.expect_events()
    dashboard.expect_payload(make_payload(run, 5))
    resumed = [query for query in blocked.queries if query.get("run") == run]
    assert resumed[-1]["since_seq"] == "3"
    # Again from where the first resumption ended: events without their id would be asked for twice.
    blocked.proxy.stop()
    dashboard.expect_state("reconnecting")
    blocked.proxy.start()
    blocked.expect_events()
    trainer.post(make_payload(run, 6))
    dashboard.expect_payload(make_payload(run, 6))
    assert [query for query in blocked.queries if query.get("run") == run][-1]["since_seq"] == "5"
    assert reads == []


def test_the_page_returns_to_the_websocket_when_it_opens_again(server, page, problems, tmp_path):
    problems.allow(BLOCKED, "net::ERR_", "status of 502")
    page.clock.install()
    with Nginx(server, tmp_path, without_upgrades) as proxy:
        blocked = Blocked(page, proxy, TOKENS["boss"])
        run = unique_run()
        blocked.trainer.post(make_payload(run, 1))
        blocked.open(f"#run={run}")
        blocked.dashboard.expect_payload(make_payload(run, 1))
        proxy.configure()
        proxy.stop()
        blocked.dashboard.expect_state("reconnecting")
        proxy.start()
        blocked.expect_events()
        page.clock.fast_forward(61_000)
        expect(page.locator("#connection-text")).to_have_text("connected", timeout=60_000)
        blocked.trainer.post(make_payload(run, 2))
        blocked.dashboard.expect_payload(make_payload(run, 2))
        page.goto("about:blank")


def test_a_session_that_ends_is_shown_and_the_view_stays(blocked, page, problems):
    problems.allow("status of 401", "net::ERR_")
    run = unique_run()
    blocked.trainer.post(make_payload(run, 1))
    blocked.open(f"#run={run}")
    blocked.dashboard.expect_payload(make_payload(run, 1))
    page.evaluate("fetch('logout', { method: 'POST', redirect: 'manual' })")
    expect(page.locator("#outage-text")).to_contain_text("The session has ended")
    blocked.dashboard.expect_payload(make_payload(run, 1))
    page.get_by_role("link", name="Log in again").click()
    page.get_by_label("Access token").fill(TOKENS["viewer"])
    page.get_by_role("button", name="Log in").click()
    blocked.expect_events()
    blocked.dashboard.expect_payload(make_payload(run, 1))


def test_a_full_server_is_named_and_tried_again(start_server, page, problems):
    problems.allow(BLOCKED, "status of 503")
    own = start_server("--max-subscribers", 1)
    Trainer(own).post(make_payload("r", 1))
    first = page.context.new_page()
    first.goto(own.url + "/")
    Dashboard(first, own).expect_state("live")
    page.goto(own.url + "/")
    expect(page.locator("#empty-title")).to_have_text("The server refuses the connection", timeout=60_000)
    for part in ("maximum number of subscribers", "MAX_SUBSCRIBERS"):
        expect(page.locator("#empty-text")).to_contain_text(part)
    expect(page.locator("#runs-empty")).to_be_hidden()
    first.close()
    Dashboard(page, own).expect_payload(make_payload("r", 1))
