"""Seams: where a training was restarted, in strip, heatmap, and as text."""

from playwright.sync_api import expect

from dashboard import Dashboard, Trainer, unique_run
from heatmap_view import Heatmap, post_steps
from strip_view import Strip, scalar_steps

SEAMS = ["restarted at step 40, attempt 2", "restarted at step 80, attempt 3"]


def expect_seam(page, heatmap, strip, column, columns, text):
    """A dashed line at the left edge of a column, in both pictures, with its text at the pointer."""
    half = (strip.x(1, columns) - strip.x(0, columns)) / 2
    strip.plot.hover(position={"x": strip.x(column, columns) - half + 2, "y": 20})
    expect(strip.readout).to_have_text(f"at step {column} · {text}")
    heatmap.plot.hover(position=heatmap.point(3, 12, column, columns))
    expect(heatmap.readout).to_contain_text(text)
    page.mouse.move(5, 5)
    seam = round(strip.plot.bounding_box()["x"] + strip.x(column, columns) - half)
    for line in strip.lines():
        assert [x for x in line if abs(x - seam) <= 3] != [], (seam, line)


def test_each_restart_is_a_seam(page, server):
    heatmap, strip = Heatmap(page), Strip(page)
    run, trainer = unique_run("seams"), Trainer(server)
    post_steps(server, run, scalar_steps(12, 50))
    trainer.describe(run, {"resume_from": 40})
    post_steps(server, run, scalar_steps(12, 50, 40))
    trainer.describe(run, {"resume_from": 80})
    post_steps(server, run, scalar_steps(12, 20, 80))
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(99)
    heatmap.expect_columns(100)
    strip.expect_values(99)
    for column, text in zip((40, 80), SEAMS):
        expect_seam(page, heatmap, strip, column, 100, text)
    heatmap.plot.focus()
    page.keyboard.press("Home")
    page.get_by_label("Go to step").fill("80")
    page.get_by_label("Go to step").press("Enter")
    heatmap.expect_cursor(f"step 80 · block0/layer0 · activation_std 0.9503, 0.95× its median · {SEAMS[1]}")
    page.get_by_text("Values at the cursor as a table").click()
    expect(page.locator("#heatmap-caption")).to_contain_text(f"; {SEAMS[0]}; {SEAMS[1]}")
    page.get_by_text("Scalars as a table").click()
    for text in SEAMS:
        expect(page.locator("#strip-rows").get_by_text(text)).to_be_visible()


def test_a_restart_while_one_watches_is_a_seam(page, server):
    heatmap, strip = Heatmap(page), Strip(page)
    run, trainer = unique_run("seams"), Trainer(server)
    post_steps(server, run, scalar_steps(12, 50))
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(49)
    heatmap.expect_columns(50)
    trainer.describe(run, {"resume_from": 40})
    post_steps(server, run, scalar_steps(12, 60, 40))
    dashboard.expect_step(99)
    heatmap.expect_columns(100)
    strip.expect_values(99)
    expect_seam(page, heatmap, strip, 40, 100, SEAMS[0])


def test_a_run_without_layers_shows_its_seams(page, server):
    strip = Strip(page)
    run, trainer = unique_run("seams"), Trainer(server)
    post_steps(server, run, scalar_steps(0, 50))
    trainer.describe(run, {"resume_from": 40})
    post_steps(server, run, scalar_steps(0, 60, 40))
    page.goto(f"{server.url}/#run={run}")
    Dashboard(page, server).expect_step(99)
    strip.expect_values(99)
    page.get_by_label("Go to step").fill("40")
    page.get_by_label("Go to step").press("Enter")
    expect(strip.readout).to_have_text(f"at step 40 · {SEAMS[0]}")
