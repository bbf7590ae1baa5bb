"""The login page: its message after a failed login, and the links that log in."""

import pytest
from dashboard import Dashboard
from playwright.sync_api import expect
from Support.clients.access import TOKENS, tokens_file
from Support.wire.tls_proxy import TLSProxy

ELSEWHERE = "https://elsewhere.example/"


@pytest.fixture
def server(start_server, tmp_path):
    """A server over plain HTTP with tokens that allows one authentication failure a minute."""
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 1)
    own.url = f"http://localhost:{own.port}"
    return own


def alert(page):
    return page.get_by_role("alert")


def test_login_behind_a_proxy_that_ends_tls_says_what_is_wrong(server, page, made, problems):
    problems.allow("status of 403")
    with TLSProxy(server, made.server) as proxy:
        page.goto(proxy.url + "/login")
        page.get_by_label("Access token").fill(TOKENS["viewer"])
        page.get_by_role("button", name="Log in").click()
        expect(alert(page)).to_contain_text("The token was not checked.")
        for part in (proxy.url, proxy.url.replace("https", "http"), "proxy", "TLS", "Host"):
            expect(alert(page)).to_contain_text(part)
        expect(alert(page)).not_to_contain_text("not valid")
        # The whole message is visible.
        expect(alert(page)).to_be_in_viewport(ratio=1)


def test_dashboard_behind_a_proxy_that_ends_tls_says_why_it_is_not_connected(server, page, made, problems):
    problems.allow("WebSocket connection")
    with TLSProxy(server, made.server) as proxy:
        page.goto(f"{proxy.url}/?token={TOKENS['viewer']}")
        notice = page.get_by_text("for its own address")
        expect(notice).to_contain_text(proxy.url)
        expect(notice).to_contain_text(proxy.url.replace("https", "http"))
        expect(notice).to_contain_text("Behind a proxy")


def test_dashboard_without_tokens_works_behind_the_proxy_when_its_origin_is_listed(start_server, page, made):
    # The proxy's port, and so the origin, must be known before the server starts.
    with TLSProxy(None, made.server) as proxy:
        proxy.server = start_server("--auth", "off", "--cors-origins", proxy.url)
        page.goto(proxy.url + "/")
        Dashboard(page, proxy.server).expect_state("live")


def test_wrong_tokens_over_the_limit_do_not_keep_the_right_one_out(server, page, problems):
    problems.allow("status of 401", "status of 429")
    dashboard = Dashboard(page, server)
    dashboard.log_in("wrong")
    expect(alert(page)).to_have_text("This token is not valid.")
    page.get_by_role("button", name="Log in").click()
    expect(alert(page)).to_contain_text("too many before it")
    dashboard.log_in(TOKENS["viewer"])
    dashboard.expect_state("live")


def show_elsewhere(page, body: str):
    """Opens a page of another site."""
    page.route(ELSEWHERE, lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(ELSEWHERE)


def test_a_link_on_another_site_does_not_log_in_and_the_page_says_so(server, page):
    show_elsewhere(page, f"<a href='{server.url}/?token={TOKENS['viewer']}'>look</a>")
    page.get_by_role("link").click()
    expect(page).to_have_url(server.url + "/login?foreign")
    expect(alert(page)).to_contain_text("does not log you in")
    assert page.context.cookies(server.url) == []
    # The same link in the address bar logs in.
    page.goto(f"{server.url}/?token={TOKENS['viewer']}")
    Dashboard(page, server).expect_state("live")


def test_logout_in_one_tab_ends_the_other(server, page, problems):
    problems.allow("status of 401")
    page.goto(f"{server.url}/?token={TOKENS['viewer']}")
    Dashboard(page, server).expect_state("live")
    other = page.context.new_page()
    other.goto(server.url + "/")
    Dashboard(other, server).expect_state("live")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(server.url + "/login")
    expect(other).to_have_url(server.url + "/login")
