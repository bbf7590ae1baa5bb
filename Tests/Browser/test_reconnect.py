"""The dashboard while the server is unavailable, and after it returns."""

from playwright.sync_api import expect
from Support.servers.ports import free_port

from dashboard import UNREACHABLE, Dashboard, Trainer, make_payload, unique_run


def test_the_page_reconnects_and_follows_its_run_on_the_new_server(page, problems, start_server):
    problems.allow(*UNREACHABLE)
    port = free_port()
    first = start_server("--port", str(port))
    run = unique_run()
    for step in (1, 2, 3):
        Trainer(first).post(make_payload(run, step))
    dashboard = Dashboard(page, first)
    page.goto(first.url + "/")
    dashboard.open_run(run)
    dashboard.expect_payload(make_payload(run, 3))
    # Without a session there is no logout button.
    expect(page.locator("#logout")).to_be_hidden()

    first.stop()
    dashboard.expect_state("reconnecting")
    # Received steps stay visible and navigable while the server is unavailable.
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(make_payload(run, 2))
    page.keyboard.press("Space")

    second = start_server("--port", str(port))
    dashboard.expect_state("live", timeout=60_000)
    expect(page.locator("#notice")).to_have_text(
        "The server no longer holds this run: it may have restarted, or removed the run. The steps received so far stay visible.")
    Trainer(second).post(make_payload(run, 50))
    dashboard.expect_payload(make_payload(run, 50))
    # The new server's history replaces the old one: one step.
    dashboard.expect_steps(1)
    expect(page.locator("#notice")).to_be_hidden()
    Trainer(second).post(make_payload(run, 51))
    dashboard.expect_payload(make_payload(run, 51))


def test_a_session_that_ended_leads_back_to_the_login(page, problems, start_server):
    problems.allow(*UNREACHABLE, "status of 401")
    port = free_port()
    token = "a-token-for-this-test-0123456789"
    arguments = ("--tls", "dev", "--port", str(port))
    first = start_server(*arguments, env={"NN_MONITOR_AUTH_TOKEN": token})
    dashboard = Dashboard(page, first)
    dashboard.log_in(token)
    dashboard.expect_state("live")
    # A missing cookie has the same effect as an expired session.
    page.context.clear_cookies()
    first.stop()
    start_server(*arguments, env={"NN_MONITOR_AUTH_TOKEN": token})
    expect(page).to_have_url(first.url + "/login", timeout=60_000)
