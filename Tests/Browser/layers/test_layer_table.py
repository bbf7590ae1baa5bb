"""The table of layers: what it shows first, exact numbers, chosen metrics, what it reads, and runs of many layers."""

import json
import random
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from layers_view import METRICS, dead_from, layer, smooth, step_of, steps_of


def test_the_layer_with_the_worst_finding_comes_first_with_its_metric(layers, page):
    steps = steps_of(60, 30, dead_from(40, 17))
    layers.open(steps)
    layers.expect_order(["h/8/mlp", "h/0/attn", "h/0/mlp"])
    dead = layers.row("h/8/mlp")
    expect(dead).to_contain_text("is dead")
    expect(dead).to_contain_text("since step 40")
    expect(dead).to_contain_text("critical")
    expect(dead).to_contain_text("Linear")
    names = page.locator(".layer-metric").all_inner_texts()
    assert names == ["activation_std", "gradient_l2_norm"]
    column = [step["metrics"]["activation_std"][17] for step in steps]
    for kind, number in (("min", 0.0), ("max", max(column)), ("now", 0.0), ("change", 0.0)):
        expect(layers.cell("h/8/mlp", "activation_std", kind)).not_to_have_attribute("data-value", "")
        assert layers.number("h/8/mlp", "activation_std", kind) == number
    for name, index in (("h/0/attn", 0), ("h/3/mlp", 7)):
        column = [step["metrics"]["gradient_l2_norm"][index] for step in steps]
        assert layers.number(name, "gradient_l2_norm", "min") == min(column)
        assert layers.number(name, "gradient_l2_norm", "max") == max(column)
        assert layers.number(name, "gradient_l2_norm", "now") == column[-1]
        assert layers.number(name, "gradient_l2_norm", "change") == column[-1] / sorted(column)[(len(column) - 1) // 2]
    curve = dead.get_by_role("img").first
    highest = max(step["metrics"]["activation_std"][17] for step in steps)
    expect(curve).to_have_attribute("aria-label", f"activation_std: from 0 to {highest:#.4g}")


def test_at_fifty_random_steps_every_value_of_the_table_and_of_a_layer_equals_the_posted_one(layers, page):
    chance = random.Random(18)
    special = ["NaN", "Infinity", "-Infinity", None, 0, -0.0, 5e-324, 1.7976931348623157e308, -1.5]

    def value(metric, step, index):
        if chance.random() < 0.1:
            return chance.choice(special)
        return chance.lognormvariate(0, 5)

    steps = steps_of(200, 12, value)
    layers.open(steps)
    layers.choose(*METRICS)
    layers.open_layer("h.3.mlp")
    expect(layers.title).to_have_text("h/3/mlp")
    layers.filter.fill("")

    def text(number):
        """How the page writes a number, read back exactly."""
        return None if number is None else repr(float(number))

    for number in chance.sample(range(200), 50):
        layers.go_to(number)
        metrics = steps[number]["metrics"]
        shown = {name: {metric: text(value or None) for metric, value in values.items()}
                 for name, values in layers.values().items()}
        posted = {layer(index)["id"].replace(".", "/"): {metric: text(metrics[metric][index]) for metric in METRICS}
                  for index in range(12)}
        assert shown == posted, number
        layers.expect_panel_step(number)
        shown = {metric: text(value or None) for metric, value in layers.panel_values().items()}
        assert {metric: shown[metric] for metric in METRICS} == posted["h/3/mlp"], number


def test_chosen_metrics_are_read_and_followed_without_losing_a_step(layers, page):
    sent = []

    def connect(route):
        upstream = route.connect_to_server()
        route.on_message(lambda text: (sent.append(json.loads(text)), upstream.send(text)))

    page.route_web_socket("**/ws", connect)
    steps = steps_of(20, 4)
    run = layers.open(steps)
    expect(layers.cell("h/0/attn", "own/metric", "now")).to_have_count(0)
    layers.choose("own/metric", "gradient_rms", "activation_std")
    cell = layers.cell("h/1/mlp", "own/metric", "now")
    expect(cell).to_have_attribute("data-value", str(smooth("own/metric", 19, 3)))
    # One more subscription, from the last step that the page has.
    subscriptions = [message for message in sent if message["action"] == "subscribe_run"]
    assert subscriptions[-1]["since_seq"] == 20
    assert {"own/metric", "gradient_l2_norm", "activation_std"} <= set(subscriptions[-1]["metrics"])
    assert "own/metric" not in subscriptions[0]["metrics"]
    # A computed metric follows the posted ones at once.
    norm = smooth("gradient_l2_norm", 19, 3)
    assert layers.number("h/1/mlp", "gradient_rms", "now") == norm / (1024 + 3) ** 0.5
    for number in range(20, 30):
        layers.trainer.post_steps(run, [step_of(number, 4, smooth)])
        layers.dashboard.expect_step(number)
        assert layers.number("h/1/mlp", "own/metric", "now") == smooth("own/metric", number, 3)
    # Steps from before the choice have the metric too.
    for number in (28, 27, 5):
        layers.go_to(number)
        assert layers.number("h/1/mlp", "own/metric", "now") == smooth("own/metric", number, 3)
    # The metrics are kept in the browser: this address has only the run.
    page.goto("about:blank")
    page.goto(f"{layers.server.url}/#run={run}")
    layers.dashboard.expect_step(29)
    expect(page.locator(".layer-metric")).to_have_count(3)
    assert set(page.locator(".layer-metric").all_inner_texts()) == {"own/metric", "gradient_rms", "activation_std"}
    page.get_by_text("Metrics", exact=True).click()
    page.get_by_role("button", name="Choose for me").click()
    expect(page.locator(".layer-metric")).to_have_text(["activation_std", "gradient_l2_norm"])


def test_two_metrics_chosen_before_the_next_paint_are_both_shown(layers, page):
    layers.open(steps_of(3, 4))
    page.evaluate("""() => {
        for (const metric of ["update_ratio", "own/metric"]) {
            const box = document.querySelector(`#layers-metrics-list input[value='${metric}']`);
            box.checked = true;
            box.dispatchEvent(new Event("change", { bubbles: true }));
        }
    }""")
    names = ["activation_std", "gradient_l2_norm", "update_ratio", "own/metric"]
    expect(page.locator(".layer-metric")).to_have_text(names)


def test_metrics_chosen_while_steps_come_in_lose_none(layers, page):
    run = layers.open(steps_of(3, 4))
    others = ["update_ratio", "weight_std", "own/metric", "update_ratio", "weight_std"]
    for number, metric in enumerate(others, start=3):
        page.evaluate("""([metric, on]) => {
            const box = document.querySelector(`#layers-metrics-list input[value='${metric}']`);
            box.checked = on;
            box.dispatchEvent(new Event("change", { bubbles: true }));
        }""", [metric, number < 6])
        layers.trainer.post_steps(run, [step_of(number, 4, smooth)])
    layers.dashboard.expect_step(7)
    expect(page.locator("#last-step")).to_have_text("7")
    for number in range(7, -1, -1):
        layers.dashboard.expect_step(number)
        for metric in ("activation_std", "own/metric"):
            cell = layers.cell("h/0/mlp", metric, "now")
            expect(cell).to_have_attribute("data-value", str(smooth(metric, number, 1)))
        page.keyboard.press("ArrowLeft")


def test_curves_follow_the_run_and_stay_bit_for_bit_while_paused(layers, page):
    values = dead_from(0, None)

    def scaled(factor):
        return lambda *place: factor * values(*place)

    def text(*parts):
        """The words of a curve through steps that were posted with these factors, by first step and end."""
        numbers = [factor * values("activation_std", step, 2) for factor, *ends in parts for step in range(*ends)]
        return f"activation_std: from {min(numbers):#.4g} to {max(numbers):#.4g}"

    run = layers.open(steps_of(30, 6))
    canvas = layers.row("h/1/attn").get_by_role("img").first
    expect(canvas).to_have_attribute("aria-label", text((1, 0, 30)))
    layers.trainer.post_steps(run, steps_of(20, 6, scaled(3), first=30))
    expect(canvas).to_have_attribute("aria-label", text((1, 0, 30), (3, 30, 50)))
    page.keyboard.press("Space")
    layers.dashboard.expect_state("paused")
    page.wait_for_load_state("networkidle")
    before = canvas.evaluate("(canvas) => canvas.toDataURL()")
    # Past the interval of the reads, by the page's clock.
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60_000; }")
    layers.trainer.post_steps(run, steps_of(20, 6, scaled(9), first=50))
    expect(page.locator("#behind-text")).to_contain_text("20 steps")
    page.wait_for_load_state("networkidle")
    assert canvas.evaluate("(canvas) => canvas.toDataURL()") == before
    expect(canvas).to_have_attribute("aria-label", text((1, 0, 30), (3, 30, 50)))
    page.get_by_role("button", name="Return to live").click()
    expect(canvas).to_have_attribute("aria-label", text((1, 0, 30), (3, 30, 50), (9, 50, 70)))


def test_only_rows_on_screen_are_read_and_new_steps_as_a_tail(layers, page):
    queries = []
    page.on("request", lambda request: queries.append(parse_qs(urlsplit(request.url).query))
            if urlsplit(request.url).path.endswith("/series") and "metric" in request.url else None)
    run = layers.open(steps_of(200, 300))
    page.locator("#layers-table").scroll_into_view_if_needed()
    curve = layers.row("h/0/attn").get_by_role("img").first
    expect(curve).to_have_attribute("aria-label", "activation_std: from 0.9750 to 1.025")
    page.wait_for_load_state("networkidle")
    asked = {name for query in queries for name in query["layers"][0].split(",")}
    assert 5 < len(asked) < 40
    expected = (["100"], ["activation_std,gradient_l2_norm"])
    assert all((query["points"], query["metric"]) == expected for query in queries)
    queries.clear()
    layers.trainer.post_steps(run, steps_of(1, 300, lambda *place: 2 * smooth(*place), first=200))
    expect(curve).not_to_have_attribute("aria-label", "activation_std: from 0.9750 to 1.025")
    assert queries and all(int(query["from"][0]) >= 190 for query in queries)


def test_a_finding_reveals_the_row_and_moves_the_page_nowhere(layers, page):
    layers.open(steps_of(60, 60, dead_from(40, 17)))
    page.get_by_role("button", name="Sort by layer").click()
    page.evaluate("() => scrollTo(0, 0)")
    layers.filter.fill("h.1")
    page.evaluate("() => scrollTo(0, 0)")
    page.get_by_role("list", name="Open findings").get_by_role("button").first.click()
    layers.dashboard.expect_step(40)
    row = layers.row("h/8/mlp")
    expect(row).to_have_attribute("data-highlighted", "")
    expect(layers.filter).to_have_value("")
    assert page.evaluate("scrollY") == 0
    table, place = page.locator("#layers-table").bounding_box(), row.bounding_box()
    assert table["y"] < place["y"] and place["y"] + place["height"] < table["y"] + table["height"]


def test_a_thousand_layers_open_without_a_long_task(layers, page):
    page.add_init_script("""
        window.tasks = [];
        new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
            .observe({ type: "longtask", buffered: true });""")
    layers.open(steps_of(100, 1000))
    page.locator("#layers-table").scroll_into_view_if_needed()
    grid = page.get_by_role("grid", name="Layers")
    expect(grid).to_have_attribute("aria-rowcount", "1001")
    layers.open_layer("h.487.mlp")
    expect(layers.title).to_have_text("h/487/mlp")
    expect(layers.chart("own/metric")).to_be_attached()
    page.keyboard.press("Escape")
    layers.filter.fill("")
    page.get_by_role("button", name="Sort by activation_std max").click()
    layers.expect_order(["h/499/mlp"])
    assert 0 < layers.rows.count() < 40
    # Below 100 ms on a machine that has nothing else to do. The machine of the tests may have much to do.
    assert max(page.evaluate("tasks"), default=0) < 3000


def test_a_step_without_layers_keeps_the_rows_and_says_so(layers, page):
    run = layers.open(steps_of(3, 4))
    layers.trainer.post_steps(run, [{"step": 3, "scalars": {"loss": 1.0}}])
    layers.dashboard.expect_step(3)
    expect(page.locator("#layers-note")).to_have_text("Step 3 has no layers.")
    expect(layers.rows).to_have_count(4)
    expect(layers.cell("h/0/attn", "activation_std", "now")).to_have_attribute("data-value", "")
    expect(layers.cell("h/0/attn", "activation_std", "now")).to_have_text("–")
    page.keyboard.press("ArrowLeft")
    layers.dashboard.expect_step(2)
    expect(page.locator("#layers-note")).to_be_hidden()


def test_what_was_chosen_is_a_few_short_texts_that_can_be_restored(layers, page):
    layers.open(steps_of(3, 4))
    look = """async (state) => {
        const { LayersView } = await import("/static/js/layers/layers.js");
        const view = new LayersView({ requestPaint() {}, seekStep() {} });
        const first = view.state;
        view.restore(state);
        return [first, view.state];
    }"""
    state = {"sort": "-min.own/metric", "filter": "h.1", "type": "Linear", "group": "h.1", "finding": "any",
             "metrics": "[\"own/metric\"]"}
    first, restored = page.evaluate(look, state)
    assert first == {}
    assert restored == state


def test_the_table_fits_a_phone(layers, page):
    page.set_viewport_size({"width": 390, "height": 844})
    layers.open(steps_of(60, 30, dead_from(40, 17)))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    table = page.locator("#layers-table")
    assert table.evaluate("(table) => table.scrollWidth > table.clientWidth")
    # The name stays while the columns are scrolled.
    table.evaluate("(table) => { table.scrollLeft = 300; }")
    name = layers.row("h/8/mlp").get_by_role("rowheader")
    assert abs(name.bounding_box()["x"] - table.bounding_box()["x"]) < 3
    page.get_by_text("Metrics", exact=True).click()
    menu = page.locator("#layers-metrics fieldset").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= 390
    page.keyboard.press("Escape")
    layers.row("h/8/mlp").click()
    expect(layers.title).to_have_text("h/8/mlp")
    box = layers.panel.bounding_box()
    assert box["x"] == 0 and box["width"] == 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390
