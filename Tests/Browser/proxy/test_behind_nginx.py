"""The whole page behind nginx, which strips a prefix, with the configuration of SECURITY.md."""

import json

import pytest
import requests
from dashboard import Dashboard, Trainer, make_payload, unique_run
from playwright.sync_api import expect
from Support.clients.access import TOKENS, tokens_file
from Support.servers.nginx import PREFIX, Nginx


@pytest.fixture
def proxy(start_server, tmp_path):
    server = start_server("--auth-tokens-file", tokens_file(tmp_path), "--max-runs", 1000)
    with Nginx(server, tmp_path) as running:
        running.token = TOKENS["both"]
        yield running


@pytest.fixture
def outside(page, proxy):
    """Addresses that the page has requested outside of the prefix."""
    seen = []

    def requested(address):
        if not address.startswith((proxy.url + "/", proxy.url.replace("http", "ws") + "/")):
            seen.append(address)

    page.on("request", lambda request: requested(request.url))
    page.on("websocket", lambda socket: requested(socket.url))
    return seen


def log_in(page, proxy):
    expect(page.get_by_label("Access token")).to_be_visible()
    page.get_by_label("Access token").fill(proxy.token)
    page.get_by_role("button", name="Log in").click()


def test_login_runs_live_steps_docs_and_logout(proxy, page, outside):
    run, trainer = unique_run(), Trainer(proxy)
    trainer.post(make_payload(run, 1))
    page.goto(proxy.url + "/")
    expect(page).to_have_url(proxy.url + "/login")
    log_in(page, proxy)
    dashboard = Dashboard(page, proxy)
    dashboard.expect_state("live")
    assert [cookie["path"] for cookie in page.context.cookies()] == [PREFIX + "/"]
    expect(page.locator("#connection-text")).to_have_text("connected")
    dashboard.open_run(run)
    for step in (2, 3):
        trainer.post(make_payload(run, step))
        dashboard.expect_payload(make_payload(run, step))
    other = unique_run("other")
    trainer.post(make_payload(other, 1))
    expect(page.locator(f"#runs [data-run='{other}']")).to_be_visible()

    page.get_by_role("link", name="API").click()
    expect(page).to_have_url(proxy.url + "/docs")
    expect(page.locator("#reference h1")).to_contain_text("API")
    link = page.get_by_role("link", name="openapi.json", exact=True)
    assert "openapi" in link.evaluate("async (link) => (await fetch(link.href)).json()")
    page.get_by_role("link", name="NNMonitor").click()
    dashboard.expect_state("live")

    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(proxy.url + "/login")
    page.goto(proxy.url + "/docs")
    expect(page).to_have_url(proxy.url + "/login?next=docs")
    log_in(page, proxy)
    expect(page).to_have_url(proxy.url + "/docs")
    expect(page.locator("#reference h1")).to_contain_text("API")
    assert outside == []


def test_a_link_with_a_token_logs_in_and_keeps_the_view(proxy, page, outside):
    run, trainer = unique_run(), Trainer(proxy)
    for step in (1, 2, 3):
        trainer.post(make_payload(run, step))
    page.goto(f"{proxy.url}/?token={proxy.token}#run={run}&step=2")
    Dashboard(page, proxy).expect_payload(make_payload(run, 2))
    assert page.url.startswith(f"{proxy.url}/#run={run}&step=2")
    page.context.clear_cookies()
    page.goto(f"{proxy.url}/?token=wrong")
    expect(page).to_have_url(proxy.url + "/login?failed")
    expect(page.get_by_role("alert")).to_have_text("This token is not valid.")
    assert outside == []


def test_server_sent_events_pass_at_once(proxy):
    run, trainer = unique_run(), Trainer(proxy)
    trainer.post(make_payload(run, 1))
    headers = {"Authorization": f"Bearer {proxy.token}"}
    query = {"run": run, "form": "columns", "metrics": "", "since_seq": "0"}
    with requests.get(f"{proxy.url}/api/v2/events", query, headers=headers, stream=True, timeout=60) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith(b"data:"))
        for step in (1, 2, 3):
            message = json.loads(next(lines).removeprefix(b"data:"))
            assert message["type"] == "step" and message["data"]["step"] == step
            trainer.post(make_payload(run, step + 1))


def test_another_origin_is_refused_behind_the_proxy(proxy):
    login = requests.post(f"{proxy.url}/login", {"token": proxy.token}, allow_redirects=False, timeout=60)
    cookie = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
    statuses = {
        origin: requests.post(f"{proxy.url}/logout", headers={**cookie, "Origin": origin}, allow_redirects=False,
                              timeout=60).status_code
        for origin in ("http://elsewhere.example", "http://127.0.0.1:1", proxy.origin)
    }
    assert statuses == {"http://elsewhere.example": 403, "http://127.0.0.1:1": 403, proxy.origin: 303}
