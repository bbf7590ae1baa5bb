"""The verdict on a run: the first lines of its header, the list of runs, the title and the icon."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, Trainer, unique_run
from health_steps import CONTRAST, dead, expect_icon, expect_severity, healthy, row, step


@pytest.fixture
def trainer(secure_server):
    return Trainer(secure_server)


def test_a_healthy_run(watch, page):
    run = watch(healthy(0, 40))
    expect(page.locator("#verdict-title")).to_have_text("Healthy")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile(r"^\d+ checks find nothing wrong(; \d+ could not run)?$"))
    expect_severity(page, "ok")
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile(r"^running, last step \d+ s ago$"))
    expect(page.locator("#verdict-loss")).to_have_text(re.compile(r"loss\s+1\.610\s+↘ falling over the last 9 steps"))
    expect(page.locator("#verdict-travel")).to_be_hidden()
    expect(page.locator("#findings-summary")).to_have_text("none open")
    expect(row(page, run).locator(".run-verdict")).to_have_text("running")
    expect(page).to_have_title(f"{run} · NNMonitor")
    expect_icon(page, "/favicon.svg")


def test_a_layer_that_becomes_nan(watch, page):
    watch(healthy(0, 12) + [step(number, stds=(0.5, 0.6, "NaN"), loss="NaN") for number in range(12, 20)])
    expect(page.locator("#verdict-title")).to_have_text("conv3 has values that are not finite")
    expect(page.locator("#verdict-detail")).to_have_text(re.compile("^critical, since step 12"))
    expect(page.locator("#verdict-loss")).to_have_text(re.compile(r"loss\s+NaN\s+not finite"))
    expect(page.locator("#verdict-loss")).to_have_attribute("data-broken", "true")
    expect_icon(page, "/favicon-critical.svg")


def test_a_finished_and_a_failed_run(watch, trainer, page):
    run = watch(healthy(0, 12))
    trainer.describe(run, {"state": "failed", "exit_code": 1, "reason": "Traceback\n  File\nValueError: no"})
    expect(page.locator("#verdict-state-text")).to_have_text("failed, exit code 1: ValueError: no")
    expect(page.locator("#verdict-state")).to_have_attribute("data-kind", "failed")
    expect(row(page, run).locator(".run-verdict")).to_have_text("failed, exit code 1")
    expect(row(page, run)).to_have_attribute("data-live", "false")
    expect(page).to_have_title(re.compile(f"^{run}: failed, exit code 1"))
    trainer.describe(run, {"state": "finished", "exit_code": 0, "reason": None})
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile("^finished"))
    # The state is known without the message, too, and so is the other run's.
    other = watch(healthy(0, 3))
    page.reload()
    expect(page.locator("#run-id")).to_have_text(other)
    expect(row(page, run).locator(".run-verdict")).to_have_text("finished")
    expect(row(page, other).locator(".run-verdict")).to_have_text("running")


def test_the_list_has_the_verdict_of_runs_that_are_not_open(watch, trainer, page):
    watch(healthy(0, 3))
    other = unique_run("other")
    trainer.post_steps(other, healthy(0, 12))
    expect(row(page, other).locator(".run-verdict")).to_have_text("running")
    trainer.post_steps(other, dead(12, 20))
    expect(row(page, other).locator(".run-verdict")).to_have_text("conv2 is dead since step 12")
    expect(row(page, other)).to_have_attribute("data-severity", "critical")
    page.reload()
    expect(row(page, other).locator(".run-verdict")).to_have_text("conv2 is dead since step 12")
    trainer.post_steps(other, healthy(20, 40))
    expect(row(page, other).locator(".run-verdict")).to_have_text("running")


def test_findings_of_the_time_without_a_connection_are_shown_after_it(page, server, problems):
    problems.allow("WebSocket connection")
    run, trainer = unique_run("cut"), Trainer(server)
    trainer.post_steps(run, healthy(0, 12))
    connections = []

    def connect(route):
        route.connect_to_server()
        connections.append(route)

    page.route_web_socket("**/ws", connect)
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#verdict-title")).to_have_text("Healthy")
    connections[0].close()
    # What the page knows is the past.
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile(r"^not connected; was running \d+ s ago$"))
    trainer.post_steps(run, dead(12, 20))
    Dashboard(page, server).expect_state("live", timeout=60_000)
    expect(page.locator("#verdict-title")).to_have_text("conv2 is dead")
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile("^running"))
    expect(row(page, run).locator(".run-verdict")).to_have_text("conv2 is dead since step 12")


def test_a_run_that_falls_silent_says_for_how_long(page, server):
    run, trainer = unique_run("silent"), Trainer(server)
    trainer.post_steps(run, healthy(0, 3))
    connections = []

    def connect(route):
        route.connect_to_server()
        connections.append(route)

    page.route_web_socket("**/ws", connect)
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#verdict-state-text")).to_have_text(re.compile("^running"))
    # The page has read the run: a later answer would have the state of the server again.
    Dashboard(page, server).expect_step(2)
    expect(page.locator("#verdict-title")).to_have_text("Healthy")
    # The message that the server sends after ten times the usual interval.
    data = page.evaluate("async (path) => (await fetch(path)).json()", f"/api/v2/runs/{run}")
    data |= {"silent": True, "last_update": (datetime.now(UTC) - timedelta(minutes=14, seconds=5)).isoformat()}
    connections[0].send(json.dumps({"type": "run", "run_id": run, "data": data}))
    expect(page.locator("#verdict-state-text")).to_have_text("silent for 14 min")
    expect(row(page, run).locator(".run-verdict")).to_have_text("silent for 14 min")
    expect(page).to_have_title(f"{run}: silent for 14 min · NNMonitor")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_and_contrast(watch, page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 780})
    watch(healthy(0, 12) + dead(12, 20))
    expect(page.locator("#verdict-title")).to_have_text("conv2 is dead")
    expect(page.locator("#verdict-title")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    # Folded, so that findings push nothing down.
    expect(page.locator("#findings-open")).to_be_hidden()
    page.locator("#findings-summary").click()
    expect(page.locator("#findings-open")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 12
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}
