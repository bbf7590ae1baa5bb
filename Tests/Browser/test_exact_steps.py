"""Step numbers beyond 2^53 are exact in the page: displayed, sorted, navigated and found."""

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, Trainer, make_payload, unique_run

# Adjacent numbers that are equal as doubles, and the largest valid step number.
LARGE = [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3, 2**63 - 2, 2**63 - 1]


@pytest.fixture
def opened(page, server):
    """The page shows a run with one small step and the large ones, posted out of order."""
    run, trainer = unique_run("exact"), Trainer(server)
    for step in [LARGE[3], 7, LARGE[5], LARGE[0], LARGE[2], LARGE[4], LARGE[1]]:
        trainer.post(make_payload(run, step, value=0.5))
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(LARGE[5])
    return dashboard, trainer, run


def test_every_step_is_reached_by_the_keyboard_in_order(opened, page):
    dashboard, _, run = opened
    expect(page.locator("#fact-step")).to_have_text(f"{LARGE[5]:,}")
    expect(page.locator(f'#runs [data-run="{run}"] .run-meta')).to_have_text(f"7 steps · latest {LARGE[5]:,}")
    for step in [*reversed(LARGE[:5]), 7]:
        page.keyboard.press("ArrowLeft")
        dashboard.expect_step(step)
        expect(page.get_by_label("Go to step")).to_have_value(str(step))
    for step in LARGE:
        page.keyboard.press("ArrowRight")
        dashboard.expect_step(step)


def test_a_large_step_is_found_by_its_number(opened, page):
    dashboard, _, _ = opened
    for step in (LARGE[1], LARGE[4], 7, LARGE[2]):
        page.get_by_label("Go to step").fill(str(step))
        page.get_by_label("Go to step").press("Enter")
        dashboard.expect_step(step)
        expect(page.locator("#jump-message")).to_have_text("")
    page.get_by_label("Go to step").fill(str(2**53 + 5))
    page.get_by_label("Go to step").press("Enter")
    dashboard.expect_step(LARGE[3])
    expect(page.locator("#jump-message")).to_have_text(f"Step {2**53 + 5} is not kept; showing {LARGE[3]}.")


def test_a_large_step_that_comes_live_takes_its_own_place(opened, page):
    dashboard, trainer, run = opened
    page.keyboard.press("ArrowLeft")
    dashboard.expect_step(LARGE[4])
    trainer.post(make_payload(run, 2**53 + 4, value=0.5))
    trainer.post(make_payload(run, LARGE[5], value=0.25))
    expect(page.locator(f'#runs [data-run="{run}"] .run-meta')).to_have_text(f"8 steps · latest {LARGE[5]:,}")
    expect(page.locator("#behind-text")).to_have_text("1 step, 0 s behind")
    page.keyboard.press("ArrowLeft")
    dashboard.expect_step(2**53 + 4)
    page.keyboard.press("ArrowLeft")
    dashboard.expect_step(LARGE[3])


def test_other_whole_numbers_are_exact_too(page, server):
    run = unique_run("exact")
    payload = make_payload(run, 1, layers=["a", "b"])
    payload["metadata"]["batch_size"] = 2**53 + 1
    payload["layer_statistics"][0]["depth_index"] = 2**53
    payload["layer_statistics"][1]["depth_index"] = 2**53 + 1
    Trainer(server).post(payload)
    page.goto(f"{server.url}/#run={run}")
    expect(page.locator("#fact-batch")).to_have_attribute("data-value", str(2**53 + 1))
    for layer, depth in (("a", 2**53), ("b", 2**53 + 1)):
        row = page.locator(f".layer-row[data-layer='{layer}']")
        expect(row).to_have_attribute("data-depth", str(depth))
        expect(row.get_by_text(f"{depth:,}", exact=True)).to_have_count(1)


PARSE = """
const { parseExact } = await import("/static/js/feed/exact-json.js");
const shown = (value) => JSON.stringify(value, (key, member) => typeof member === "bigint" ? `${member}n` : member);
"""


@pytest.mark.parametrize(
    "text, shown",
    [
        ('{"step":9007199254740993}', '{"step":"9007199254740993n"}'),
        ('{"step":9007199254740991}', '{"step":9007199254740991}'),
        ('{"step":0,"x":9007199254740993}', '{"step":0,"x":9007199254740992}'),
        ('[{"step":9223372036854775807},{"step":1}]', '[{"step":"9223372036854775807n"},{"step":1}]'),
        # A key with a number inside a string is only text.
        (r'{"a":"\"step\":9007199254740993","step":9007199254740993}',
         r'{"a":"\"step\":9007199254740993","step":"9007199254740993n"}'),
        (r'{"a\"step":9007199254740993,"b\\":":9007199254740993"}',
         r'{"a\"step":9007199254740992,"b\\":":9007199254740993"}'),
        (r'{"a":"\\","step":9007199254740993}', r'{"a":"\\","step":"9007199254740993n"}'),
        ('{"steps":[1,9007199254740993],"x":[9007199254740993]}',
         '{"steps":[1,"9007199254740993n"],"x":[9007199254740992]}'),
        ('{"steps":[],"last_steps":[9223372036854775807],"a":{"steps":[0.5,9007199254740993]}}',
         '{"steps":[],"last_steps":["9223372036854775807n"],"a":{"steps":[0.5,9007199254740992]}}'),
        # Other numbers are doubles.
        ('{"step":1234567890123456.5}', '{"step":1234567890123456.5}'),
        ('{"step":12345678901234567e3}', '{"step":12345678901234567000}'),
        ('{"__proto__":{"latest_step":9007199254740993}}', '{"__proto__":{"latest_step":"9007199254740993n"}}'),
    ],
)
def test_only_whole_numbers_of_steps_are_changed(run, text, shown):
    assert run(PARSE + f"return shown(parseExact({text!r}));" if "\\" not in text
               else PARSE + f"return shown(parseExact(String.raw`{text}`));") == shown


@pytest.mark.parametrize("text", ['{"step":9007199254740993', '{"step":09007199254740993}', "{'step':1}", ""])
def test_what_is_no_json_is_refused(run, text):
    assert run(PARSE + f'try {{ parseExact(`{text}`); return "read"; }} catch (error) {{ return error.name; }}') == (
        "SyntaxError")


def test_numbers_of_both_forms_are_sorted_together(run):
    steps = ["9007199254740993", "5", "9223372036854775807", "9007199254740992", "9007199254740991"]
    assert run("""
        const { wholeNumber, highest } = await import("/static/js/model/step-number.js");
        const numbers = %s.map(wholeNumber);
        const history = historyOf(numbers);
        const loaded = historyOf([]);
        loaded.replaceAll([...numbers, wholeNumber("9007199254740993")].map((step) => record(step)));
        return [stepsOf(history).map(String), stepsOf(loaded).map(String), String(numbers.reduce(highest, null)),
            history.indexOf(wholeNumber("9007199254740993")), history.countAfter(9007199254740991)];
    """ % steps) == [sorted(steps, key=int), sorted(steps, key=int), "9223372036854775807", 3, 3]
