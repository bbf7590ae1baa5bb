"""The tree beside the heatmap: rows are folded by click and by keys, and a folded group shows the worst of its layers."""

import re

import pytest
from playwright.sync_api import expect

from dashboard import Dashboard, unique_run
from heatmap_view import Heatmap, is_hatched, layer_steps, post_steps

# The coldest colour of a layer against its own median.
DEAD = (59, 76, 192)


@pytest.fixture
def heatmap(page):
    return Heatmap(page)


def opened(page, server, run, last):
    page.goto(f"{server.url}/#run={run}")
    dashboard = Dashboard(page, server)
    dashboard.expect_step(last)
    return dashboard


def dying(step, row):
    """Layers near 1, of which the 13th dies at step 15 and the 27th has one NaN."""
    if (step, row) == (10, 27):
        return "NaN"
    return 0.0 if row == 13 and step >= 15 else 1 + row / 100


def expect_rows(heatmap, layers, rows, columns):
    text = f"{layers} layers × {columns}" if rows == layers else f"{layers} layers in {rows} rows × {columns}"
    expect(heatmap.readout).to_contain_text(text)


def click_bar(heatmap, row, rows):
    """Clicks the bar of the group at a row."""
    heatmap.plot.page.mouse.move(0, 0)
    place = heatmap.point(row, rows, 0, 1)
    outer = heatmap.plot.bounding_box()
    heatmap.page.mouse.click(outer["x"] + 4, outer["y"] + place["y"])
    heatmap.page.mouse.move(5, 5)


def test_a_folded_group_is_one_row_with_the_worst_of_its_layers(server, page, heatmap):
    run = unique_run("folded")
    post_steps(server, run, layer_steps(40, 20, dying))
    opened(page, server, run, 19)
    heatmap.expect_size(40, 20)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect_rows(heatmap, 40, 4, 20)
    expect(page.get_by_role("button", name="Fold all", exact=True)).to_be_disabled()
    # The second row has the dead layer, the third the NaN, the first and the last are healthy.
    assert heatmap.colour(1, 4, 18, 20)[:3] == list(DEAD)
    assert is_hatched(heatmap.colour(2, 4, 10, 20))
    for row in (0, 3):
        red, green, blue, opacity = heatmap.colour(row, 4, 18, 20)
        assert opacity == 255 and max(red, green, blue) - min(red, green, blue) < 60
    heatmap.plot.hover(position=heatmap.point(1, 4, 18, 20))
    expect(heatmap.readout).to_contain_text("step 18 · block1/layer13 (stands out of 10 layers in this line)")
    page.get_by_role("button", name="Unfold all", exact=True).click()
    page.mouse.move(5, 5)
    expect_rows(heatmap, 40, 40, 20)


def test_a_bar_folds_its_group_and_a_folded_name_unfolds_it(server, page, heatmap):
    run = unique_run("bars")
    post_steps(server, run, layer_steps(40, 20, dying))
    opened(page, server, run, 19)
    heatmap.expect_size(40, 20)
    # The pointer over a bar or a name shows which it is: names may be cut.
    outer, place = heatmap.plot.bounding_box(), heatmap.point(15, 40, 0, 20)
    page.mouse.move(outer["x"] + 4, outer["y"] + place["y"])
    expect(heatmap.readout).to_have_text("block1: 10 layers · click to fold")
    page.mouse.move(outer["x"] + 60, outer["y"] + place["y"])
    expect(heatmap.readout).to_contain_text("step 19 · block1/layer15 · activation_std 1.150")
    click_bar(heatmap, 15, 40)
    page.locator("#heatmap-metric").focus()
    expect_rows(heatmap, 40, 31, 20)
    assert heatmap.colour(10, 31, 18, 20)[:3] == list(DEAD)
    names = heatmap.point(10, 31, 0, 20)
    heatmap.page.mouse.click(heatmap.plot.bounding_box()["x"] + 60, heatmap.plot.bounding_box()["y"] + names["y"])
    page.mouse.move(5, 5)
    page.locator("#heatmap-metric").focus()
    expect_rows(heatmap, 40, 40, 20)


def test_keys_move_through_the_tree_and_fold(server, page, heatmap):
    run = unique_run("keys")
    post_steps(server, run, layer_steps(40, 20, dying))
    dashboard = opened(page, server, run, 19)
    heatmap.expect_size(40, 20)
    tree = page.get_by_role("tree", name="Layers by group and path")
    item = tree.get_by_role("treeitem")
    tree.focus()
    page.keyboard.press("Home")
    expect(item).to_have_text("block0, 10 layers")
    expect(item).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowLeft")
    expect(item).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(item).to_have_text("block1, 10 layers, 1 with findings")
    assert [item.get_attribute(name) for name in ("aria-level", "aria-posinset", "aria-setsize")] == ["1", "2", "4"]
    page.keyboard.press("ArrowRight")
    expect(item).to_have_text("block1/layer10")
    assert item.get_attribute("aria-expanded") is None
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(item).to_have_text("block1/layer13, critical")
    heatmap.expect_cursor("step 19 · block1/layer13 · activation_std 0, 0× its median · critical: dead layer since step 15")
    page.keyboard.press("ArrowLeft")
    expect(item).to_have_text("block1, 10 layers, 1 with findings")
    page.keyboard.press("Enter")
    expect(item).to_have_attribute("aria-expanded", "false")
    # Time does not move by the arrows on the names, and the focus stays there.
    dashboard.expect_step(19)
    dashboard.expect_state("live")
    expect(tree).to_be_focused()
    page.locator("#heatmap-metric").focus()
    expect_rows(heatmap, 40, 22, 20)


def test_a_finding_that_is_travelled_to_is_unfolded(server, page, heatmap):
    run = unique_run("finding")
    post_steps(server, run, layer_steps(40, 20, lambda step, row: 1.5 if row == 27 else dying(step, row)))
    dashboard = opened(page, server, run, 19)
    heatmap.expect_size(40, 20)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect_rows(heatmap, 40, 4, 20)
    heatmap.plot.focus()
    page.keyboard.press("f")
    dashboard.expect_step(15)
    heatmap.expect_cursor("step 15 · block1/layer13 · activation_std 0, 0× its median · critical: dead layer since step 15")
    page.locator("#heatmap-metric").focus()
    expect_rows(heatmap, 40, 13, 20)


def test_folds_are_kept_for_the_next_visit_and_an_address_has_its_own(server, page, heatmap):
    run, other = unique_run("kept"), unique_run("other")
    for name in (run, other):
        post_steps(server, name, layer_steps(40, 20, dying))
    opened(page, server, run, 19)
    heatmap.expect_size(40, 20)
    click_bar(heatmap, 15, 40)
    page.locator("#heatmap-metric").focus()
    expect_rows(heatmap, 40, 31, 20)
    expect(page).to_have_url(re.compile("folds=block1"))
    page.reload()
    expect_rows(heatmap, 40, 31, 20)
    # Another run of the model has the same folds, the address of a view those of the view.
    page.goto("about:blank")
    opened(page, server, other, 19)
    expect_rows(heatmap, 40, 31, 20)
    page.goto("about:blank")
    page.goto(f"{server.url}/#run={other}&metric=activation_std&folds=block0,block2")
    expect_rows(heatmap, 40, 22, 20)
    page.goto("about:blank")
    page.goto(f"{server.url}/#run={other}&metric=activation_std")
    expect_rows(heatmap, 40, 40, 20)


def test_the_posted_groups_are_the_outermost_nodes(server, page, heatmap):
    run = unique_run("groups")
    lines = list(layer_steps(40, 5, dying))
    for line in lines:
        for layer in line["layers"]:
            layer["group"] = "stem" if layer["depth"] < 10 else "trunk" if layer["depth"] < 20 else "top"
    post_steps(server, run, lines)
    opened(page, server, run, 4)
    heatmap.expect_size(40, 5)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect_rows(heatmap, 40, 3, 5)
    tree = page.get_by_role("tree")
    tree.focus()
    page.keyboard.press("End")
    expect(tree.get_by_role("treeitem")).to_have_text("top, 20 layers")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(tree.get_by_role("treeitem")).to_have_text("block2, 10 layers")


def test_a_run_without_paths_has_no_tree(server, page, heatmap):
    run = unique_run("flat")
    lines = list(layer_steps(4, 5, dying))
    for line in lines:
        line["layers"] = [{"id": f"layer{layer}"} for layer in range(4)]
    post_steps(server, run, lines)
    opened(page, server, run, 4)
    heatmap.expect_size(4, 5)
    expect(page.get_by_role("tree")).to_have_count(0)
    expect(page.get_by_role("button", name="Fold all", exact=True)).to_be_hidden()


def test_long_names_have_more_room_and_the_readout_has_the_whole_name(server, page, heatmap):
    run = unique_run("names")
    kinds = ("self_attn/q_proj", "self_attn/k_proj", "mlp/up_proj", "post_attention_layernorm")
    table = [{"id": f"model/layers/{block}/{kind}", "type": "Linear", "depth": 4 * block + place}
             for block in range(12) for place, kind in enumerate(kinds)]
    post_steps(server, run, [{"step": step, "layers": table, "metrics": {"activation_std": [1.0] * len(table)}}
                             for step in range(8)])
    page.goto(f"{server.url}/#run={run}")
    heatmap.expect_size(48, 8)
    cells, plot = page.locator("#heatmap-cells").bounding_box(), heatmap.plot.bounding_box()
    # Three tenths of the width: enough for "11/self_attn/q_proj". The cells have the rest.
    assert abs((cells["x"] - plot["x"]) / plot["width"] - 0.3) < 0.01
    page.mouse.move(cells["x"] - 30, plot["y"] + heatmap.point(44, 48, 0, 8)["y"])
    expect(heatmap.readout).to_contain_text("model/layers/11/self_attn/q_proj")
