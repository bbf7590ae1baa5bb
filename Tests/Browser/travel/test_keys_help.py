"""The list of keys that `?` opens."""

from playwright.sync_api import expect

from dashboard import Dashboard, Trainer, make_payload, unique_run


def test_a_dialog_lists_the_keys_and_returns_the_focus(page, server):
    run, trainer = unique_run("keys"), Trainer(server)
    for step in (1, 2, 3):
        trainer.post(make_payload(run, step))
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(3)
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_hidden()
    axis = page.get_by_role("slider", name="Heatmap cursor")
    axis.focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("row").filter(has_text="Next finding in time")).to_contain_text("n N")
    # The page's keys do nothing behind it.
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(axis).to_be_focused()
    dashboard.expect_state("live")
    opener = page.get_by_role("button", name="Keys", exact=True)
    opener.click()
    expect(dialog).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    # A question mark in a field is a character.
    page.get_by_label("Go to step").focus()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()


def test_the_dialog_fits_a_phone(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(server.url)
    page.get_by_role("button", name="Keys", exact=True).click()
    box = page.get_by_role("dialog", name="Keys").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390
