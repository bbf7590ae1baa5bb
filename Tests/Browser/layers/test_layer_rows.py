"""The rows of the table of layers: sorted by each column, filtered, opened by name, reached by keys."""

import random

import pytest
from playwright.sync_api import expect

from layers_view import METRICS, dead_from, layer, steps_of


@pytest.mark.parametrize("metric", ["activation_std", "own/metric"])
def test_every_column_sorts_all_layers(layers, page, metric):
    chance = random.Random(metric)
    table = {(name, step, index): chance.lognormvariate(0, 2)
             for name in METRICS for step in range(30) for index in range(60)}
    steps = steps_of(30, 60, lambda *place: table[place])
    layers.open(steps)
    layers.choose(metric)
    names = [layer(index)["id"].replace(".", "/") for index in range(60)]
    values = {name: [table[metric, step, index] for step in range(30)] for index, name in enumerate(names)}

    def sorted_by(key, reverse):
        return sorted(names, key=key, reverse=reverse)[:12]

    keys = {
        "min": lambda name: min(values[name]), "max": lambda name: max(values[name]),
        "now": lambda name: values[name][-1],
        "times its median": lambda name: values[name][-1] / sorted(values[name])[14],
    }
    for title, key in keys.items():
        header = page.get_by_role("button", name=f"Sort by {metric} {title}")
        header.click()
        expect(page.get_by_role("columnheader").filter(has=header)).to_have_attribute("aria-sort", "descending")
        layers.expect_order(sorted_by(key, True))
        header.press("Enter")
        expect(page.get_by_role("columnheader").filter(has=header)).to_have_attribute("aria-sort", "ascending")
        layers.expect_order(sorted_by(key, False))
    assert page.locator("[aria-sort=ascending], [aria-sort=descending]").count() == 1
    # The order by a metric leaves with the metric.
    layers.choose("weight_std")
    finding = page.get_by_role("columnheader").filter(has=page.get_by_role("button", name="Sort by finding"))
    expect(finding).to_have_attribute("aria-sort", "descending")
    layers.choose(metric)
    titles = {"layer": lambda name: (int(name.split("/")[1]), name),
              "type": lambda name: (name.endswith("attn"), names.index(name))}
    for title, key in titles.items():
        page.get_by_role("button", name=f"Sort by {title}").click()
        layers.expect_order(sorted_by(key, False))
    page.get_by_role("button", name="Sort by depth").click()
    page.get_by_role("button", name="Sort by depth").click()
    layers.expect_order(names[::-1][:12])


def test_rows_are_filtered_by_text_type_group_and_finding(layers, page):
    layers.open(steps_of(60, 30, dead_from(40, 17)))
    count = page.locator("#layers-count")
    expect(count).to_have_text("30")
    for label, option, number, first in (
        ("Type", "Linear", 15, "h/8/mlp"), ("Group", "h.3", 2, "h/3/attn"), ("Finding", "any finding", 1, "h/8/mlp"),
        ("Finding", "critical", 1, "h/8/mlp"), ("Finding", "no finding", 29, "h/0/attn"),
    ):
        field = page.locator(".layers-field").get_by_label(label)
        field.select_option(label=option)
        expect(count).to_have_text(f"{number} of 30")
        layers.expect_order([first])
        expect(page.get_by_role("grid", name="Layers")).to_have_attribute("aria-rowcount", str(number + 1))
        field.select_option("")
    layers.filter.fill("h.1 mlp")
    expect(count).to_have_text("6 of 30")
    layers.filter.fill("nothing like it")
    expect(count).to_have_text("0 of 30")
    expect(layers.rows).to_have_count(0)


def test_any_layer_is_opened_by_a_slash_its_name_and_enter(layers, page):
    layers.open(steps_of(3, 40))
    layers.open_layer("h.1.mlp")
    expect(layers.title).to_have_text("h/1/mlp")
    page.keyboard.press("Escape")
    expect(layers.panel).to_have_count(0)
    expect(layers.row("h/1/mlp")).to_be_focused()
    # Escape clears the text, and then leaves it.
    page.keyboard.press("/")
    expect(layers.filter).to_be_focused()
    page.keyboard.press("Escape")
    expect(layers.filter).to_have_value("")
    expect(page.locator("#layers-count")).to_have_text("40")
    page.keyboard.press("Escape")
    expect(layers.filter).not_to_be_focused()
    # Typing in other fields types a slash.
    page.get_by_label("Go to step").focus()
    page.keyboard.press("/")
    expect(layers.filter).not_to_be_focused()


def test_the_rows_are_reached_by_keys(layers, page):
    layers.open(steps_of(3, 60))
    layers.filter.focus()
    page.keyboard.press("ArrowDown")
    expect(layers.row("h/0/attn")).to_be_focused()
    for key, layer_id in (
        ("ArrowDown", "h/0/mlp"), ("ArrowDown", "h/1/attn"), ("ArrowUp", "h/0/mlp"), ("End", "h/29/mlp"),
        ("PageUp", "h/24/mlp"), ("Home", "h/0/attn"), ("ArrowUp", "h/0/attn"), ("PageDown", "h/5/attn"),
    ):
        page.keyboard.press(key)
        expect(layers.row(layer_id)).to_be_focused()
        expect(layers.row(layer_id)).to_be_in_viewport()
    # The keys of time travel work in the table too, and the focus stays.
    page.keyboard.press("ArrowLeft")
    layers.dashboard.expect_step(1)
    expect(layers.row("h/5/attn")).to_be_focused()
    page.locator("#layers-table").evaluate("(table) => { table.scrollTop = 1e6; }")
    expect(layers.row("h/29/mlp")).to_be_attached()
    expect(layers.row("h/5/attn")).to_be_focused()
    page.keyboard.press("Enter")
    expect(layers.title).to_have_text("h/5/attn")
