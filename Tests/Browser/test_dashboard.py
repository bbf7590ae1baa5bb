"""The dashboard over HTTPS: login, live values, the player, and error cases."""

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard import READ_OF_A_REMOVED_RUN, Dashboard, Trainer, make_payload, posted_values, unique_run

RECORDED_RUN = Path(__file__).resolve().parents[1] / "Fixtures" / "digits_run.jsonl.gz"


@pytest.fixture
def trainer(secure_server):
    return Trainer(secure_server)


@pytest.fixture
def dashboard(page, secure_server):
    """A dashboard that is logged in and connected."""
    dashboard = Dashboard(page, secure_server)
    dashboard.log_in()
    expect(page).to_have_url(re.compile(re.escape(secure_server.url) + "/(#.*)?$"))
    dashboard.expect_state("live")
    return dashboard


@pytest.fixture
def recorded():
    """The payloads of a recorded training run in step order, with a run id of this test."""
    run = unique_run("digits")
    with gzip.open(RECORDED_RUN, "rt", encoding="utf-8") as lines:
        payloads = [json.loads(line) for line in lines if line.strip()]
    runs = {payload["metadata"]["run_id"] for payload in payloads}
    payloads = [payload for payload in payloads if payload["metadata"]["run_id"] == min(runs)][:60]
    for payload in payloads:
        payload["metadata"]["run_id"] = run
    assert len(payloads) >= 20
    return run, payloads


def test_a_wrong_token_is_refused_on_the_login_page(page, secure_server, problems):
    problems.allow("status of 401")
    Dashboard(page, secure_server).log_in(token="wrong")
    expect(page.get_by_role("alert")).to_have_text("This token is not valid.")
    expect(page).to_have_url(secure_server.url + "/login")


def test_a_recorded_run_is_watched_live_paused_and_stepped_through(dashboard, trainer, recorded, page, tmp_path):
    run, payloads = recorded
    half = len(payloads) // 2
    trainer.post(payloads[0])
    dashboard.open_run(run)
    dashboard.expect_payload(payloads[0])
    for payload in payloads[1:half]:
        trainer.post(payload)
        dashboard.expect_payload(payload)
    assert posted_values(payloads[0]) != posted_values(payloads[half - 1])

    page.keyboard.press("Space")
    dashboard.expect_state("paused")
    for payload in payloads[half:]:
        trainer.post(payload)
    expect(page.locator("#behind-text")).to_have_text(re.compile(f"^{len(payloads) - half} steps, .* behind$"))
    dashboard.expect_payload(payloads[half - 1])

    page.get_by_role("button", name="Step back").click()
    dashboard.expect_payload(payloads[half - 2])
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(payloads[half - 3])
    page.keyboard.press("ArrowRight")
    dashboard.expect_payload(payloads[half - 2])

    slider = page.get_by_role("slider", name="Heatmap cursor")
    dashboard.expect_steps(half)
    slider.press("Home")
    dashboard.expect_payload(payloads[0])
    for _ in range(4):
        slider.press("ArrowRight")
    dashboard.expect_payload(payloads[4])
    number = payloads[4]["metadata"]["global_step"]
    expect(slider).to_have_attribute("aria-valuetext", re.compile(f"^step {number} · "))
    slider.press("ArrowRight")
    dashboard.expect_payload(payloads[5])

    page.get_by_label("Go to step").fill(str(payloads[7]["metadata"]["global_step"]))
    page.get_by_label("Go to step").press("Enter")
    dashboard.expect_payload(payloads[7])
    page.screenshot(path=tmp_path / "paused.png")

    page.get_by_role("button", name="Return to live").click()
    dashboard.expect_state("live")
    dashboard.expect_payload(payloads[-1])
    page.screenshot(path=tmp_path / "live.png")


def test_a_run_from_before_the_page_opened_has_its_whole_history(dashboard, trainer, page):
    run = unique_run()
    payloads = [make_payload(run, step) for step in range(0, 50, 5)]
    for payload in payloads:
        trainer.post(payload)
    page.reload()
    dashboard.open_run(run)
    dashboard.expect_payload(payloads[-1])
    for payload in reversed(payloads[:-1]):
        page.keyboard.press("ArrowLeft")
        dashboard.expect_payload(payload)
    expect(page.get_by_role("button", name="Step back")).to_be_disabled()


def test_a_deleted_run_leaves_the_list_and_what_was_seen_of_it_stays(dashboard, trainer, page, problems):
    problems.allow(READ_OF_A_REMOVED_RUN)
    run, other = unique_run(), unique_run("other")
    payload = make_payload(run, 3)
    for posted in (payload, make_payload(other, 0)):
        trainer.post(posted)
    dashboard.open_run(run)
    dashboard.expect_payload(payload)
    trainer.delete(other)
    expect(page.locator(f"#runs [data-run='{other}']")).to_have_count(0)
    expect(page.locator("#notice")).to_be_hidden()
    trainer.delete(run)
    expect(page.locator(f"#runs [data-run='{run}']")).to_have_count(0)
    expect(page.locator("#notice")).to_have_text(
        "This run was deleted from the server. The steps received so far stay visible.")
    dashboard.expect_payload(payload)
    # The next step starts the run again.
    again = make_payload(run, 4)
    trainer.post(again)
    dashboard.expect_payload(again)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.get_by_role("button", name="Step back")).to_be_disabled()


def test_a_jump_to_a_step_that_is_not_kept_shows_the_one_below_and_says_so(dashboard, trainer, page):
    run = unique_run()
    for step in (10, 20, 30):
        trainer.post(make_payload(run, step))
    dashboard.open_run(run)
    dashboard.expect_step(30)
    page.get_by_label("Go to step").fill("25")
    page.get_by_label("Go to step").press("Enter")
    dashboard.expect_step(20)
    expect(page.locator("#jump-message")).to_have_text("Step 25 is not kept; showing 20.")


def test_steps_out_of_order_are_sorted_and_a_step_posted_again_is_replaced(dashboard, trainer, page):
    run = unique_run()
    for step in (10, 30, 20):
        trainer.post(make_payload(run, step))
    dashboard.open_run(run)
    dashboard.expect_payload(make_payload(run, 30))
    trainer.post(make_payload(run, 25))
    dashboard.expect_steps(4)
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(make_payload(run, 25))
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(make_payload(run, 20))

    again = make_payload(run, 20, value=77.125)
    trainer.post(again)
    cell = page.locator('[data-layer="head"] [data-metric="activation_std"][data-kind="now"]')
    expect(cell).to_have_attribute("data-value", "77.125")
    dashboard.expect_payload(again)
    expect(page.locator("#behind-text")).to_have_text("2 steps, 10 s behind")
    dashboard.expect_steps(4)


def test_layers_that_come_and_go_follow_the_viewed_step(dashboard, trainer, page):
    run = unique_run()
    before = make_payload(run, 1, layers=["stem", "body", "head"])
    after = make_payload(run, 2, layers=["stem", "body", "extra", "new head"])
    trainer.post(before)
    dashboard.open_run(run)
    dashboard.expect_payload(before)
    trainer.post(after)
    dashboard.expect_payload(after)
    assert list(dashboard.shown_values()) == ["stem", "body", "extra", "new head"]
    page.keyboard.press("ArrowLeft")
    dashboard.expect_payload(before)
    assert list(dashboard.shown_values()) == ["stem", "body", "head"]


def test_names_are_shown_as_text_whatever_they_hold(dashboard, trainer, page):
    run = unique_run('<img src=x onerror="document.title=1"> "\'&/%2F ünï ☃')
    trainer.post(make_payload(run, 1, layers=["<b>bold</b>", '"quoted" & <script>']))
    dashboard.open_run(run)
    dashboard.expect_payload(make_payload(run, 1, layers=["<b>bold</b>", '"quoted" & <script>']))
    expect(page.locator("#run-id")).to_have_text(run)
    expect(page.locator(".layer-row b, .layer-row script, .run img, #run-id img")).to_have_count(0)
    # The URL keeps the run across a reload.
    page.reload()
    expect(page.locator("#run-id")).to_have_text(run)


def test_five_hundred_layers_are_updated_in_place(dashboard, trainer, page):
    run = unique_run("large")
    layers = [f"block.{index}.linear" for index in range(500)]
    trainer.post(make_payload(run, 1, layers=layers))
    dashboard.open_run(run)
    dashboard.expect_payload(make_payload(run, 1, layers=layers))
    rows = page.evaluate("""() => {
        const rows = [...document.querySelectorAll(".layer-row")];
        for (const row of rows) row.wasHere = true;
        return rows.length;
    }""")
    assert 5 < rows < 40
    for step in range(2, 12):
        trainer.post(make_payload(run, step, layers=layers))
    dashboard.expect_step(11)
    kept = page.evaluate("() => [...document.querySelectorAll('.layer-row')].filter((row) => row.wasHere).length")
    assert kept == rows
    dashboard.expect_payload(make_payload(run, 11, layers=layers))


def test_the_space_key_does_not_act_twice_on_a_focused_button(dashboard, trainer, page):
    run = unique_run()
    trainer.post(make_payload(run, 1))
    dashboard.open_run(run)
    page.get_by_role("button", name="Live", exact=True).focus()
    page.keyboard.press("Space")
    dashboard.expect_state("paused")


def test_logging_out_ends_the_session(dashboard, page, secure_server):
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(secure_server.url + "/login")
    page.goto(secure_server.url + "/")
    expect(page).to_have_url(secure_server.url + "/login")


def test_the_api_page_describes_every_operation(dashboard, page, secure_server, static_folder):
    document = json.loads((static_folder / "openapi.json").read_text(encoding="utf-8"))
    page.goto(secure_server.url + "/docs")
    for path, item in document["paths"].items():
        for method in {"get", "post"} & item.keys():
            section = page.locator(f"#operation-{item[method]['operationId']}")
            expect(section.locator("h3")).to_have_text(f"{method.upper()} {path}")
    expect(page.locator(".schema")).to_have_count(len(document["components"]["schemas"]))
