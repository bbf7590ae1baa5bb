"""Empty and error states: what happened, what to do, and commands that work."""

import json
import os
import re
import subprocess
import sys

import pytest
from dashboard import READ_OF_A_REMOVED_RUN, UNREACHABLE, Dashboard, Trainer, make_payload, unique_run
from playwright.sync_api import expect
from Support.clients.access import TOKENS, tokens_file
from Support.servers.nginx import Nginx, unused_port
from Support.servers.server import ROOT

@pytest.fixture
def protected(start_server, tmp_path):
    own = start_server("--auth-tokens-file", tokens_file(tmp_path), "--max-runs", 2)
    own.token = TOKENS["boss"]
    return own


def commands(page):
    return page.locator("#first-commands code").all_inner_texts()


def execute(command, folder, token=""):
    """Runs a command of the page as a person with the client and a token does."""
    environment = {**os.environ, "NN_MONITOR_TOKEN": token, "NN_MONITOR_DIR": str(folder / "spool"),
                   "PYTHONPATH": str(ROOT / "clients/python/src")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_runs_shows_commands_that_make_one(start_server, page, tmp_path):
    own = start_server()
    page.goto(own.url + "/")
    expect(page.locator("#empty-title")).to_have_text("No runs yet")
    install, program, curl = commands(page)
    assert install == "pip install ./clients/python"
    assert own.url in program and own.url in curl
    assert json.loads(execute(["bash", "-c", curl], tmp_path))["status"] == "accepted"
    Dashboard(page, own).expect_step(1)
    expect(page.locator("#run-id")).to_have_text("first")
    execute([sys.executable, "-c", program], tmp_path)
    expect(page.locator("#runs .run")).to_have_count(2)


def test_the_commands_have_the_prefix_and_the_token(protected, page, tmp_path):
    with Nginx(protected, tmp_path) as proxy:
        page.goto(f"{proxy.url}/?token={TOKENS['viewer']}")
        expect(page.locator("#first-commands li")).to_have_count(4)
        token, _, program, curl = commands(page)
        assert token == "export NN_MONITOR_TOKEN=..."
        execute(["bash", "-c", curl], tmp_path, protected.token)
        Dashboard(page, protected).expect_step(1)
        execute([sys.executable, "-c", program], tmp_path, protected.token)
        expect(page.locator("#runs .run")).to_have_count(2)
        page.goto("about:blank")


def test_a_command_is_copied(start_server, page):
    own = start_server()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(own.url + "/")
    page.get_by_role("button", name="Copy: Three lines of Python").click()
    expect(page.locator(".command-status").nth(1)).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == commands(page)[1]


def test_a_command_is_copied_without_access_to_the_clipboard(start_server, page):
    own = start_server()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto(own.url + "/")
    page.evaluate("addEventListener('copy', () => { window.copied = String(getSelection()); })")
    page.get_by_role("button", name="Copy: Or one step without the client").click()
    expect(page.locator(".command-status").nth(2)).to_have_text("Copied")
    assert page.evaluate("window.copied") == commands(page)[2]


def test_a_run_without_steps_shows_commands_for_it(server, page, tmp_path):
    run = unique_run("em'pty")
    Trainer(server).begin(run)
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#empty-title")).to_have_text("No step yet")
    expect(page.locator("#empty-text")).to_contain_text(run)
    execute(["bash", "-c", commands(page)[-1]], tmp_path)
    Dashboard(page, server).expect_step(1)
    # A loss without layers.
    expect(page.locator("#run-hint")).to_contain_text("nnm.watch(model)")


def test_a_run_without_scalars_and_one_with_both(server, page):
    layers = {"layers": ["a"], "metrics": {"activation_std": [1]}}
    Trainer(server).post_steps(run := unique_run("layers"), [{"step": 1, **layers}])
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#run-hint")).to_contain_text("nnm.log(")
    Trainer(server).post_steps(both := unique_run("both"), [{"step": 1, "scalars": {"loss": 1}, **layers}])
    dashboard = Dashboard(page, server)
    dashboard.open_run(both)
    dashboard.expect_step(1)
    expect(page.locator("#run-hint")).to_be_hidden()


def test_a_run_that_was_never_there_and_one_that_is_evicted(protected, page, problems):
    problems.allow(READ_OF_A_REMOVED_RUN)
    trainer = Trainer(protected)
    page.goto(f"{protected.url}/?token={TOKENS['viewer']}#run=nowhere")
    expect(page.locator("#empty-title")).to_have_text("Run not found")
    for part in ("nowhere", "never posted", "2 runs", "MAX_RUNS", "MAX_MEMORY", protected.url):
        expect(page.locator("#empty-text")).to_contain_text(part)
    trainer.begin("waiting")
    page.locator("#runs [data-run=waiting]").click()
    expect(page.locator("#empty-title")).to_have_text("No step yet")
    for run in ("b", "c"):
        trainer.post(make_payload(run, 1))
    expect(page.locator("#empty-text")).to_contain_text("It was evicted: the server keeps the 2 runs updated last")
    trainer.post(make_payload("waiting", 5))
    Dashboard(page, protected).expect_step(5)


def test_a_lost_session_keeps_the_screen_and_leads_back_to_the_view(protected, page, problems):
    problems.allow("status of 401")
    for step in (1, 2, 3):
        Trainer(protected).post(make_payload("r", step))
    page.goto(f"{protected.url}/?token={TOKENS['viewer']}#run=r&step=2")
    dashboard = Dashboard(page, protected)
    dashboard.expect_payload(make_payload("r", 2))
    page.evaluate("fetch('logout', { method: 'POST', redirect: 'manual' })")
    expect(page.locator("#outage-text")).to_contain_text("The session has ended")
    dashboard.expect_payload(make_payload("r", 2))
    # What the page has can still be looked at, and the link follows.
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(make_payload("r", 1))
    page.get_by_role("link", name="Log in again").click()
    expect(page).to_have_url(re.compile(r"/login#run=r&step=1&"))
    page.get_by_label("Access token").fill(TOKENS["viewer"])
    page.get_by_role("button", name="Log in").click()
    dashboard.expect_payload(make_payload("r", 1))
    expect(page.locator("#outage")).to_be_hidden()


def test_a_server_that_is_gone_and_returns_empty(page, problems, start_server):
    problems.allow(*UNREACHABLE)
    port = unused_port()
    first = start_server("--port", str(port))
    Trainer(first).post(make_payload("r", 1))
    page.goto(first.url + "/#run=r")
    dashboard = Dashboard(page, first)
    dashboard.expect_payload(make_payload("r", 1))
    first.stop()
    expect(page.locator("#outage-text")).to_contain_text("The server has not answered since", timeout=60_000)
    expect(page.locator("#outage-text")).to_contain_text("What is on screen stays")
    expect(page.locator("#outage")).to_contain_text("Next attempt in")
    dashboard.expect_payload(make_payload("r", 1))
    start_server("--port", str(port))
    dashboard.expect_state("live", timeout=60_000)
    expect(page.locator("#outage")).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("it may have restarted")
    dashboard.expect_payload(make_payload("r", 1))


def test_a_page_that_is_opened_while_nothing_answers(page, problems, start_server):
    problems.allow(*UNREACHABLE, "status of 502")
    own = start_server()
    page.route("**/api/**", lambda route: route.abort())
    page.route_web_socket("**/ws", lambda route: route.close())
    page.goto(own.url + "/")
    expect(page.locator("#empty-title")).to_have_text("The server does not answer")
    expect(page.locator("#empty-text")).to_contain_text(own.url)
    page.unroute("**/api/**")
