"""The page shows evicted runs and dropped steps."""

import pytest
from playwright.sync_api import expect

from dashboard import READ_OF_A_REMOVED_RUN, Dashboard, Trainer, make_payload


@pytest.fixture
def opened(start_server, page, problems):
    """A server with small limits and the runs `a` and `b`. The page shows `a`."""
    problems.allow(READ_OF_A_REMOVED_RUN)
    own = start_server("--max-runs", 2, "--max-steps-per-run", 10)
    trainer = Trainer(own)
    for run in ("a", "b"):
        trainer.post(make_payload(run, 100))
    page.goto(f"{own.url}/#run=a")
    dashboard = Dashboard(page, own)
    dashboard.expect_step(100)
    expect(page.locator("#runs .run")).to_have_count(2)
    return dashboard, trainer


def test_an_eviction_is_shown_in_the_list_and_above_the_run(opened, page):
    dashboard, trainer = opened
    expect(page.locator("#evictions")).to_be_hidden()
    trainer.post(make_payload("c", 1))
    expect(page.locator("#evictions")).to_have_text("Run a was evicted: the server holds at most 2 runs (MAX_RUNS).")
    expect(page.locator("#notice")).to_have_text(
        "The server has evicted this run. The steps received so far stay visible.")
    expect(page.locator("#runs .run-name")).to_have_text(["c", "b"])
    trainer.post(make_payload("d", 1))
    expect(page.locator("#evictions")).to_have_text(
        "Run b was evicted: the server holds at most 2 runs (MAX_RUNS). 1 run was evicted before it.")
    # The selected run starts again: the server holds it, and no step of it is missing.
    trainer.post(make_payload("a", 5))
    dashboard.expect_step(5)
    expect(page.locator("#notice")).to_be_hidden()


def test_an_eviction_for_memory_says_so(start_server, page, problems):
    problems.allow(READ_OF_A_REMOVED_RUN)
    own = start_server("--max-memory", 100_000)
    trainer = Trainer(own)
    trainer.post(make_payload("old", 1))
    page.goto(f"{own.url}/#run=old")
    Dashboard(page, own).expect_step(1)
    for step in range(60):
        trainer.post(make_payload("new", step, layers=[f"layer.{number}" for number in range(40)]))
    expect(page.locator("#evictions")).to_have_text(
        "Run old was evicted: the server has no more memory for metrics (MAX_MEMORY).")


def test_steps_that_are_not_kept_are_shown(opened, page):
    dashboard, trainer = opened
    for step in range(101, 112):
        trainer.post(make_payload("a", step))
    dashboard.expect_step(111)
    expect(page.locator("#notice")).to_be_hidden()
    trainer.post(make_payload("a", 0))
    most = ("not kept by the server: it keeps the highest 10 steps of a run (MAX_STEPS_PER_RUN). "
            "A restarted training needs a new run_id.")
    expect(page.locator("#notice")).to_have_text("1 step was " + most)
    for step in range(1, 4):
        trainer.post(make_payload("a", step))
    expect(page.locator("#notice")).to_have_text("4 steps were " + most)


def test_a_deletion_is_no_eviction(opened, page):
    _, trainer = opened
    trainer.delete("a")
    expect(page.locator("#notice")).to_have_text(
        "This run was deleted from the server. The steps received so far stay visible.")
    expect(page.locator("#evictions")).to_be_hidden()


def test_names_above_the_limit_are_shown(start_server, page):
    own = start_server("--max-names-per-run", 100)
    trainer = Trainer(own)
    layers = [f"layer{number}" for number in range(120)]
    steps = [{"step": number, "scalars": {"loss": 1.0}, "layers": layers,
              "metrics": {"activation_std": [0.5] * len(layers)}} for number in range(3)]
    trainer.post_steps("deep", steps)
    page.goto(f"{own.url}/#run=deep")
    expect(page.locator("#run-hint")).to_have_text(
        "The server ignored 22 layers of this run: it takes at most 100 names of metrics, scalars, vectors and layers from a "
        "run. To keep more, start the server with a higher NN_MONITOR_MAX_NAMES_PER_RUN.")
    # The layers that were kept have their metric.
    expect(page.locator("#heatmap-readout")).to_contain_text("98 layers")
    # A name that comes later is shown once the page has read the description again.
    trainer.post_steps("deep", [{"step": 3, "scalars": {"loss": 1.0, "late": 2.0}}])
    expect(page.locator("#run-hint")).to_contain_text("22 layers and 1 scalar of this run")
    trainer.post_steps("small", [{"step": 1, "scalars": {"loss": 1.0}, "layers": ["a"], "metrics": {"m": [1.0]}}])
    Dashboard(page, own).open_run("small")
    expect(page.locator("#run-hint")).to_be_hidden()
