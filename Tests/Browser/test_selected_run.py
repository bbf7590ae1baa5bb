"""The selected run and its trends without the DOM, in an empty page."""

# The selected run

SELECTED = """
const { SelectedRun } = await import("/static/js/model/selected-run.js");
const selected = new SelectedRun("x");
const take = (steps) => selected.takeRun({ createdAt: "t", lastSeq: 9,
    buckets: { steps, last_steps: steps }, records: steps.slice(-1).map((step) => record(step)) });
"""


def test_a_run_says_of_each_step_whether_its_number_is_new(run):
    assert run(SELECTED + """
        take([1, 3]);
        selected.play((player, history) => player.pause(history));
        const news = [openStep(5), openStep(3), openStep(2), {}].map((data) => selected.takeStep(data) ?? null);
        return [news, selected.viewedRecord.step, stepsOf(selected.history), selected.player.lastWhenPaused];
    """) == [[True, False, True, None], 3, [1, 2, 3, 5], 3]


def test_a_run_that_was_read_ends_what_was_loading_or_missing_and_replaces_what_came_before(run):
    assert run(SELECTED + """
        selected.takeStep(openStep(99));
        selected.isLoading = true;
        selected.takeNotFound();
        const missing = [selected.isMissing, selected.isLoading, selected.viewedRecord.step];
        take([1]);
        return [missing, selected.isMissing, selected.createdAt, stepsOf(selected.history)];
    """) == [[True, False, 99], False, "t", [1]]


def test_the_record_shown_before_stays_until_that_of_the_viewed_step_is_read(run):
    assert run(SELECTED + """
        take([1, 2, 3]);
        const seen = [selected.shownRecord.step];
        selected.play((player, history) => player.back(history));
        seen.push(selected.viewedRecord.step, selected.shownRecord.step);
        selected.history.insert(record(2));
        seen.push(selected.shownRecord.step);
        return seen;
    """) == [3, 2, 3, 2]


def test_a_page_follows_up_to_the_last_change_without_a_hole(run):
    assert run(SELECTED + """
        take([1]);
        const seen = [selected.followedSeq];
        for (const seq of [10, 12, 13]) { selected.takeStep(openStep(seq, 1, ["a"], seq)); seen.push(selected.followedSeq); }
        return seen;
    """) == [9, 10, 10, 10]


LOADER = SELECTED + """
const { RunLoader } = await import("/static/js/feed/run-loader.js");
const asked = [];
const answers = [];
globalThis.fetch = async (address) => {
    const { pathname, searchParams } = new URL(address, location.href);
    asked.push([pathname.replace("/api/v2/runs/x", ""), Object.fromEntries(searchParams)]);
    return { ok: true, status: 200, text: () => new Promise((resolve) => answers.push(resolve)) };
};
const failures = [];
const loader = new RunLoader(selected, { onChange() {}, onStep() {}, onLoaded() {}, onLoadFailed() {},
    onFailure: (text) => failures.push(text) });
const settle = () => new Promise((resolve) => setTimeout(resolve));
const numbers = (from, to, width) => {
    const steps = [];
    for (let step = from; step <= to; step += width) steps.push(step);
    return { steps, last_steps: steps.map((step) => Math.min(to, step + width - 1)) };
};
const takeBuckets = (buckets) => selected.takeRun({ createdAt: "t", lastSeq: 9, buckets, records: [record(99999)] });
"""


def test_the_numbers_of_the_steps_of_a_trend_are_read_at_once(run):
    assert run(LOADER + """
        takeBuckets(numbers(0, 99999, 16));
        loader.want([]);
        await settle();
        const query = asked.find(([, query]) => query.metric === undefined && query.points !== undefined)[1];
        const reads = asked.length;
        loader.want([]);
        await settle();
        answers[asked.findIndex(([, other]) => other === query)](JSON.stringify({ ...numbers(99872, 99999, 1), last_seq: 9 }));
        await settle();
        const exact = stepsOf(selected.history).slice(-128);
        return [Number(query.from), Number(query.to), reads === asked.length, exact[0], exact.at(-1)];
    """) == [99872, 99999, True, 99872, 99999]


def test_an_answer_to_a_read_of_before_a_reload_is_ignored(run):
    assert run(LOADER + """
        take([1, 2]);
        selected.play((player, history) => player.back(history));
        loader.want([]);
        await settle();
        loader.subscribed();
        answers[0](JSON.stringify({ ...openStep(1, 5), seq: 99 }));
        await settle();
        return [asked[0][0], selected.history.record(1) === undefined, failures];
    """) == ["/steps", True, []]


def test_series_are_read_of_few_layers_at_a_time_with_their_names_quoted(run):
    assert run(LOADER + r"""
        take([1, 2, 3]);
        const layers = ["a,b", "c*", "d\\e", ...Array.from({ length: 100 }, (_, index) => `layer${index}`)];
        loader.want(layers.map((id) => ({ id, key: id })));
        await settle();
        const names = asked.find(([path]) => path === "/series")[1].layers;
        return [names.split(",layer")[0], names.split(",layer").length - 1];
    """) == [r"a\,b,c\*,d\\e", 21]


# Trends


def test_a_trend_ends_at_the_viewed_step_and_leaves_gaps_where_the_layer_is_missing(run):
    assert run("""
        const { trendValues } = await import("/static/js/model/trend.js");
        const history = new History();
        history.insert(record(1)); history.insert(record(2)); history.insert(record(3, 3, ["b"])); history.insert(record(4));
        const values = (end, length) => trendValues(history, "a", columnOf("activation_std"), end, length).map((v) => v ?? null);
        return [values(3, 10), values(1, 10), values(3, 2)];
    """) == [[1, 2, None, 4], [1, 2], [None, 4]]


def test_a_trend_is_drawn_on_a_log_scale_with_what_is_not_positive_on_the_floor(run):
    assert run("""
        const { trendShape } = await import("/static/js/model/trend.js");
        const { segments, broken } = trendShape([0, 0.01, 0.1, 1, NaN, 1], { logarithmic: true });
        return [segments.map((s) => s.map((p) => Number(p.y.toFixed(6)))), broken];
    """) == [[[0, 0, 0.5, 1], [1]], [0.8]]


def test_extreme_and_constant_values_stay_inside_the_trend(run):
    assert run("""
        const { trendShape } = await import("/static/js/model/trend.js");
        const ys = (values) => trendShape(values).segments.flat().map((p) => p.y);
        return [ys([-1.7e308, 0, 1.7e308]), ys([3, 3]), ys([5]), ys([]), ys([Infinity, undefined])];
    """) == [[0, 0.5, 1], [0.5, 0.5], [0.5], [], []]


def test_a_trend_takes_values_of_steps_without_record_from_what_was_read_of_the_layer(run):
    assert run("""
        const { trendValues } = await import("/static/js/model/trend.js");
        const { TrendStore } = await import("/static/js/model/trend-store.js");
        const history = new History(), trends = new TrendStore();
        history.load({ steps: [1, 2, 3, 4], last_steps: [1, 2, 3, 4] }, [record(4, 40)]);
        const series = (last) => ({ activation_std: { last } });
        const before = trends.covers("a", 1, 3);
        trends.add(["a", "none"], 1, 3, { steps: [1, 2, 3], last_steps: [1, 2, 3], layers: { a: series([10, null, "NaN"]) } });
        const values = (key) => trendValues(history, key, columnOf("activation_std"), 3, 10, trends).map((v) => String(v));
        return [before, trends.covers("a", 1, 3), trends.covers("a", 1, 4), values("a"), values("none")];
    """) == [False, True, False, ["10", "undefined", "NaN", "40"], ["undefined"] * 4]
