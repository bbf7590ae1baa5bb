"""Thousands of runs: the list has as many rows as a person looks at, and all runs can be reached."""

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from Support.servers.server import Server

from dashboard import READ_OF_A_REMOVED_RUN, Dashboard, Trainer

COUNT = 3000
ROWS_AT_ONCE = 100


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server with the runs sweep-0000 to sweep-2999. sweep-0007 and sweep-2998 have a layer with a NaN."""
    with Server(["--max-runs", str(COUNT + 100)], None, tmp_path_factory.mktemp("many")) as running:
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=30)
        for number in range(COUNT):
            value = "NaN" if number in (7, 2998) else 0.5
            step = {"step": number % 50, "scalars": {"loss": 1.0}, "layers": [{"id": "stem"}],
                    "metrics": {"activation_std": [value]}}
            connection.request("POST", f"/api/v2/runs/sweep-{number:04}/steps", json.dumps(step))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 202
        connection.close()
        yield running


@pytest.fixture
def trainer(own_server):
    return Trainer(own_server)


@pytest.fixture
def listed(page, own_server):
    """The page with the newest run of the fixture."""
    page.goto(f"{own_server.url}/#run=sweep-2999")
    dashboard = Dashboard(page, own_server)
    dashboard.expect_step(49)
    return dashboard


def rows(page):
    return page.locator("#runs .run")


def row(page, run):
    return page.locator(f"#runs [data-run='{run}']")


def shown(page):
    return rows(page).evaluate_all("(rows) => rows.map((row) => row.dataset.run)")


def numbers(page):
    """The numbers of the runs of the fixture with a row."""
    return [int(run.removeprefix("sweep-")) for run in shown(page) if run.startswith("sweep-")]


def step(number):
    return {"step": number, "layers": [{"id": "stem"}], "metrics": {"activation_std": [0.5]}}


def test_the_newest_runs_have_a_row_and_more_come_with_the_keyboard(listed, page):
    expect(page.locator("#run-count")).to_contain_text("3,")
    expect(rows(page)).to_have_count(ROWS_AT_ONCE)
    first = numbers(page)
    assert first == sorted(first, reverse=True) and first[0] == COUNT - 1
    more = page.get_by_role("button", name="more (")
    total = int(page.locator("#run-count").text_content().replace(",", ""))
    expect(more).to_have_text(f"Show 100 more ({total - ROWS_AT_ONCE:,} left)")
    more.focus()
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(2 * ROWS_AT_ONCE)
    # The focus is on the row where the button was.
    expect(rows(page).nth(ROWS_AT_ONCE)).to_be_focused()
    more_rows = numbers(page)
    assert more_rows[:len(first)] == first and more_rows == list(range(COUNT - 1, COUNT - 1 - len(more_rows), -1))
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(ROWS_AT_ONCE + 1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#run-id")).to_have_text(shown(page)[ROWS_AT_ONCE - 1])


def test_a_link_to_a_run_far_down_opens_it_and_its_row_is_in_view(page, own_server):
    page.goto(f"{own_server.url}/#run=sweep-0007")
    Dashboard(page, own_server).expect_step(7)
    expect(page.locator("#run-id")).to_have_text("sweep-0007")
    expect(rows(page)).to_have_count(ROWS_AT_ONCE + 1)
    expect(row(page, "sweep-0007")).to_have_attribute("aria-current", "true")
    expect(row(page, "sweep-0007")).to_be_in_viewport()
    expect(row(page, "sweep-0007").locator(".run-verdict-text")).to_contain_text("stem")
    # Below the button: the runs between have no row.
    assert shown(page)[-1] == "sweep-0007"
    rows(page).first.click()
    expect(rows(page)).to_have_count(ROWS_AT_ONCE)
    expect(row(page, "sweep-0007")).to_have_count(0)
    page.go_back()
    expect(page.locator("#run-id")).to_have_text("sweep-0007")
    expect(row(page, "sweep-0007")).to_have_attribute("aria-current", "true")


def test_a_text_narrows_the_list_down(listed, page):
    page.keyboard.press("r")
    field = page.get_by_role("searchbox", name="Filter runs")
    expect(field).to_be_focused()
    page.keyboard.type("SWEEP-000")
    expect(rows(page)).to_have_count(10)
    assert numbers(page) == list(range(9, -1, -1))
    status = page.locator("#runs-filter-status")
    expect(status).to_contain_text("10 of 3,")
    expect(page.locator("#run-count")).to_contain_text("3,")
    # What is not among the first pages of descriptions is read too.
    expect(row(page, "sweep-0007").locator(".run-verdict-text")).to_contain_text("stem")
    expect(page).to_have_url(re.compile("runs=SWEEP-000"))
    page.keyboard.type("8")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#run-id")).to_have_text("sweep-0008")
    page.keyboard.type(" none")
    expect(rows(page)).to_have_count(0)
    expect(status).to_have_text("No run matches")
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(ROWS_AT_ONCE + 1)
    expect(status).to_be_hidden()
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.type("sweep-12")
    expect(rows(page)).to_have_count(100)
    # The text and the run are in the address.
    expect(page).to_have_url(re.compile("runs=sweep-12&"))
    page.reload()
    expect(field).to_have_value("sweep-12")
    expect(rows(page)).to_have_count(100)
    expect(page.locator("#run-id")).to_have_text("sweep-0008")


def test_runs_come_and_go_with_and_without_a_row(listed, page, trainer, problems):
    problems.allow(READ_OF_A_REMOVED_RUN)
    count = int(page.locator("#run-count").text_content().replace(",", ""))
    trainer.post_steps("newest", [step(1)])
    expect(rows(page).first).to_have_attribute("data-run", "newest")
    expect(page.locator("#run-count")).to_have_text(f"{count + 1:,}")
    expect(rows(page)).to_have_count(ROWS_AT_ONCE)
    last = shown(page)[-1]
    # A run without a row is deleted, then one with a row: the next one moves up.
    trainer.delete("sweep-0100")
    expect(page.locator("#run-count")).to_have_text(f"{count:,}")
    assert shown(page)[-1] == last
    trainer.delete("newest")
    expect(row(page, "newest")).to_have_count(0)
    expect(page.locator("#run-count")).to_have_text(f"{count - 1:,}")
    assert numbers(page)[-1] == int(last.removeprefix("sweep-")) - 1
    expect(rows(page)).to_have_count(ROWS_AT_ONCE)
    # A step of a run without a row makes no row; the order is that of creation.
    trainer.post_steps("sweep-0200", [step(60)])
    trainer.post_steps("sweep-2997", [step(60)])
    expect(row(page, "sweep-2997").locator(".run-meta")).to_have_text("2 steps · latest 60")
    expect(rows(page)).to_have_count(ROWS_AT_ONCE)
    expect(row(page, "sweep-0200")).to_have_count(0)
    # The run whose row has the focus keeps both when newer runs displace it.
    page.locator(f"#runs [data-run='{shown(page)[-1]}']").focus()
    focused = shown(page)[-1]
    trainer.post_steps("newer", [step(1)])
    expect(row(page, "newer")).to_have_count(1)
    expect(row(page, focused)).to_be_focused()
    trainer.delete("newer")
    expect(row(page, "newer")).to_have_count(0)


def test_a_live_step_changes_the_rows_that_it_is_about(listed, page, trainer):
    expect(row(page, "sweep-2998").locator(".run-verdict-text")).to_contain_text("stem")
    page.evaluate("""() => {
        window.changed = new Set();
        new MutationObserver((records) => {
            for (const { target } of records) {
                const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
                // Ages follow the clock.
                if (element !== null && !element.matches(".run-age")) changed.add(element.closest(".run")?.dataset.run ?? "list");
            }
        }).observe(document.getElementById("runs"), { subtree: true, childList: true, characterData: true });
    }""")
    for number in range(100, 110):
        trainer.post_steps("sweep-2999", [step(number)])
    expect(row(page, "sweep-2999").locator(".run-meta")).to_contain_text("latest 109")
    assert page.evaluate("[...changed]") == ["sweep-2999"]


def test_only_descriptions_of_the_rows_are_read(page, own_server):
    addresses = []
    page.on("request", lambda request: addresses.append(urlsplit(request.url)))
    page.goto(f"{own_server.url}/#run=sweep-2999")
    expect(row(page, "sweep-2998").locator(".run-verdict-text")).to_contain_text("stem")
    pages = [address for address in addresses if address.path == "/api/v2/runs"]
    assert 1 <= len(pages) <= 2
    health = {address.path for address in addresses if address.path.endswith("/health") and "/runs/" in address.path}
    # The findings of the selected run are read anyway.
    assert health - {"/api/v2/runs/sweep-2999/health"} == {"/api/v2/runs/sweep-2998/health"}


def test_the_list_on_a_phone(page, own_server):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{own_server.url}/#run=sweep-0007")
    Dashboard(page, own_server).expect_step(7)
    expect(rows(page)).to_have_count(ROWS_AT_ONCE + 1)
    field = page.get_by_role("searchbox", name="Filter runs")
    expect(field).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    row(page, "sweep-0007").scroll_into_view_if_needed()
    # The filter stays above the rows.
    expect(field).to_be_in_viewport()
    field.fill("0007")
    expect(rows(page)).to_have_count(1)
    rows(page).first.click()
    expect(page.locator("#run-id")).to_have_text("sweep-0007")


def test_a_short_list_has_no_filter(page, start_server):
    server = start_server()
    trainer = Trainer(server)
    for number in range(20):
        trainer.post_steps(f"few-{number}", [step(1)])
    page.goto(server.url)
    expect(rows(page)).to_have_count(20)
    field = page.locator("#runs-filter")
    expect(field).to_be_hidden()
    top = rows(page).first.bounding_box()["y"]
    trainer.post_steps("few-20", [step(1)])
    expect(field).to_be_visible()
    expect(rows(page)).to_have_count(21)
    assert rows(page).first.bounding_box()["y"] == top
    page.goto("about:blank")
