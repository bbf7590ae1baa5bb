"""The login page: what it says when the login fails, and which links log in."""

import re

import pytest
from dashboard import Dashboard
from playwright.sync_api import expect
from support.access import TOKENS, tokens_file
from support.tls_proxy import TLSProxy

ELSEWHERE = "https://elsewhere.example/"


@pytest.fixture
def server(start_server, tmp_path):
    """A server over plain HTTP with tokens, which takes one wrong token a minute."""
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--auth-failure-limit", 1)
    own.url = f"http://localhost:{own.port}"
    return own


def alert(page):
    return page.get_by_role("alert")


def test_login_behind_a_proxy_that_ends_tls_says_what_is_wrong(page, server, made, problems):
    problems.allow("status of 403")
    with TLSProxy(server, made.server) as proxy:
        page.goto(proxy.url + "/login")
        page.get_by_label("Access token").fill(TOKENS["viewer"])
        page.get_by_role("button", name="Log in").click()
        expect(alert(page)).to_contain_text("The token was not checked.")
        for part in (proxy.url, proxy.url.replace("https", "http"), "proxy", "TLS", "Host"):
            expect(alert(page)).to_contain_text(part)
        expect(alert(page)).not_to_contain_text("not valid")
        # All of it can be read.
        expect(alert(page)).to_be_in_viewport(ratio=1)


def test_wrong_tokens_over_the_limit_do_not_keep_the_right_one_out(page, server, problems):
    problems.allow("status of 401", "status of 429")
    dashboard = Dashboard(page, server)
    dashboard.log_in("wrong")
    expect(alert(page)).to_have_text("This token is not valid.")
    page.get_by_role("button", name="Log in").click()
    expect(alert(page)).to_contain_text(re.compile(r"not valid.* \d+ s"))
    dashboard.log_in(TOKENS["viewer"])
    dashboard.expect_state("live")


def show_elsewhere(page, body: str):
    """Opens a page of another site."""
    page.route(ELSEWHERE, lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(ELSEWHERE)


def test_a_link_on_another_site_does_not_log_in_and_the_page_says_so(page, server):
    show_elsewhere(page, f"<a href='{server.url}/?token={TOKENS['viewer']}'>look</a>")
    page.get_by_role("link").click()
    expect(page).to_have_url(server.url + "/login?foreign")
    expect(alert(page)).to_contain_text("does not log you in")
    assert page.context.cookies(server.url) == []
    # The same link in the address bar does.
    page.goto(f"{server.url}/?token={TOKENS['viewer']}")
    Dashboard(page, server).expect_state("live")


def test_images_of_another_site_are_no_failures_of_the_visitor(page, server, problems):
    problems.allow("ERR_BLOCKED_BY", "Mixed Content", "Cross-Origin")
    images = "".join(f"<img src='{server.url}/?token=guess{number}'>" for number in range(10))
    show_elsewhere(page, images)
    page.wait_for_load_state("networkidle")
    problems.allow("status of 401")
    Dashboard(page, server).log_in("wrong")
    # The one wrong token that is allowed is still there.
    expect(alert(page)).to_have_text("This token is not valid.")


def test_logout_in_one_tab_ends_the_other(page, server, problems):
    problems.allow("status of 401")
    page.goto(f"{server.url}/?token={TOKENS['viewer']}")
    Dashboard(page, server).expect_state("live")
    other = page.context.new_page()
    other.goto(server.url + "/")
    Dashboard(other, server).expect_state("live")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(server.url + "/login")
    expect(other).to_have_url(server.url + "/login")
