"""Runs of many steps and layers: they open, every step is reachable, and what the page reads is bounded."""

import json
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from Support.servers.server import Server

from big_runs import METRICS, BigRun, Traffic, open_and_measure
from dashboard import Dashboard, Trainer, make_payload, unique_run


@pytest.fixture(scope="module")
def roomy_server(tmp_path_factory):
    """A server that keeps a million steps of a run."""
    with Server(["--max-steps-per-run", "1000000"], None, tmp_path_factory.mktemp("roomy")) as running:
        yield running


def opened(page, server, run):
    """The page at rest on the last step of a run."""
    page.goto(f"{server.url}/#run={run.name}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(run.steps - 1)
    return dashboard


def go_to(page, step):
    page.get_by_label("Go to step").fill(str(step))
    page.get_by_label("Go to step").press("Enter")


def reads(addresses, end):
    """The queries of the page's reads at addresses that end so."""
    return [parse_qs(urlsplit(address).query) for address in addresses if urlsplit(address).path.endswith(end)]


def test_a_run_of_a_thousand_layers_opens_and_only_layers_on_screen_are_read_as_series(roomy_server, page):
    run = BigRun(unique_run("wide"), 150, 1000)
    run.post(roomy_server.url)
    traffic = Traffic(page)
    with page.expect_request(lambda request: "metric=" in request.url and "/series" in request.url):
        dashboard = opened(page, roomy_server, run)
        # The table is below the first screen, where its curves are not read. The heatmap takes its height with its
        # first picture.
        expect(page.locator("#heatmap-legend-numbers")).not_to_be_empty()
        page.locator("#layers-table").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    # Rows exist in view only. An unused canvas has the width 300.
    assert page.locator(".layer-row").count() < 40
    painted = "() => [...document.querySelectorAll('#layers canvas')].filter((canvas) => canvas.width % 300).length"
    assert 0 < page.evaluate(painted) < 40 * len(METRICS)
    assert 0 < len([query for query in reads(traffic.addresses, "/series") if "metric" in query]) < 10
    lists = [query.get("layers", [""])[0] for query in reads(traffic.addresses, "/series")]
    asked = {layer for text in lists for layer in text.split(",")}
    assert 0 < len(asked - {""}) < 60
    assert traffic.bytes_until("/matrix?") < 1_500_000, traffic.received
    assert dashboard.shown_values() == run.values(149)
    # Rows that come in view are read then.
    with page.expect_request(lambda request: "linear70" in request.url, timeout=20_000):
        page.get_by_label("Filter layers").fill("linear70")
    expect(page.locator(".layer-row")).to_have_count(11)
    page.get_by_label("Filter layers").fill("")
    page.locator("#layers-title").click()
    page.keyboard.press("ArrowLeft")
    dashboard.expect_step(148)
    assert dashboard.shown_values() == run.values(148)


def test_what_is_read_does_not_grow_with_the_steps(roomy_server, chromium):
    short, long = (BigRun(unique_run("long"), steps, 20) for steps in (10_000, 40_000))
    figures = []
    for run in (short, long):
        run.post(roomy_server.url)
        figures.append(open_and_measure(chromium, f"{roomy_server.url}/#run={run.name}"))
    assert figures[1]["bytes"] < 1.3 * figures[0]["bytes"] < 1_500_000
    assert figures[1]["heap"] < 1.3 * figures[0]["heap"]
    assert not any("/api/v1/runs/" in address for address in figures[1]["addresses"])


def test_every_step_of_a_long_run_is_reached(roomy_server, page):
    run = BigRun(unique_run("long"), 50_000, 4)
    run.post(roomy_server.url)
    dashboard = opened(page, roomy_server, run)
    for step in (49_998, 49_997):
        page.keyboard.press("ArrowLeft")
        dashboard.expect_step(step)
        assert dashboard.shown_values() == run.values(step)
    for step in (31_337, 12_346, 3, 0):
        go_to(page, step)
        dashboard.expect_step(step)
        expect(page.locator("#jump-message")).to_have_text("")
        assert dashboard.shown_values() == run.values(step)
    go_to(page, 20_003)
    dashboard.expect_step(20_003)
    for step in range(20_004, 20_012):
        page.keyboard.press("ArrowRight")
        dashboard.expect_step(step)
    page.keyboard.press("Home")
    dashboard.expect_step(0)
    page.keyboard.press("ArrowRight")
    dashboard.expect_step(1)
    page.keyboard.press("End")
    dashboard.expect_step(49_999)


def test_a_page_that_was_cut_off_reads_only_what_changed(server, page, problems):
    problems.allow("WebSocket connection")
    run, trainer = unique_run("cut"), Trainer(server)
    trainer.post(make_payload(run, 1))
    connections, sent = [], []

    def connect(route):
        upstream = route.connect_to_server()
        route.on_message(lambda text: (sent.append(text), upstream.send(text)))
        connections.append(route)

    page.route_web_socket("**/ws", connect)
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_payload(make_payload(run, 1))
    page.wait_for_load_state("networkidle")
    traffic = Traffic(page)
    connections[0].close()
    dashboard.expect_state("reconnecting")
    trainer.post(make_payload(run, 2))
    dashboard.expect_state("live", timeout=60_000)
    dashboard.expect_payload(make_payload(run, 2))
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(make_payload(run, 1))
    assert '"since_seq":1' in sent[-1]
    assert reads(traffic.addresses, "/steps") == []
    # The curves of the table and the strip are continued from their last bucket, which is step 1.
    assert {query["from"][0] for query in reads(traffic.addresses, "/series")} <= {"1"}


def test_a_message_that_cannot_be_read_is_an_error_on_the_screen(server, page):
    run = unique_run("broken")
    Trainer(server).post(make_payload(run, 1))
    connections = []

    def connect(route):
        route.connect_to_server()
        connections.append(route)

    page.route_web_socket("**/ws", connect)
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(1)
    connections[0].send('{"type":"step","run_id":')
    expect(page.locator("#problems")).to_contain_text("a message that cannot be read")


def test_an_answer_that_cannot_be_read_is_an_error_on_the_screen(server, page):
    run = unique_run("broken")
    Trainer(server).post(make_payload(run, 1))
    page.route("**/series?*", lambda route: route.fulfill(body='{"steps":[1'))
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#problems")).to_contain_text("cannot be read")
    page.unroute("**/series?*")
    Dashboard(page, server).expect_payload(make_payload(run, 1))
    expect(page.locator("#problems")).to_be_hidden()


def test_steps_dropped_by_a_resumed_training_leave_the_page(server, page):
    run, trainer = unique_run("resumed"), Trainer(server)
    for step in (1, 2, 3, 4):
        trainer.post(make_payload(run, step))
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(4)
    body = json.dumps({"resume_from": 3}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/api/v2/runs/{run}", body, method="PUT",
                                                  headers={"Content-Type": "application/json"}), timeout=30)
    again = make_payload(run, 3, value=9.5)
    trainer.post(again)
    dashboard.expect_payload(again)
    dashboard.expect_steps(3)


def test_a_loss_without_layers_opens(server, page):
    run = unique_run("loss")
    for step in (1, 2):
        body = json.dumps({"step": step, "scalars": {"loss": 0.5}}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/api/v2/runs/{run}/steps", body,
                                                      headers={"Content-Type": "application/json"}), timeout=30)
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(2)
    expect(page.locator("#fact-layers")).to_have_text("0")
