"""The selected run and what is read of it, without the DOM, in an empty page."""

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
        return [news, selected.viewedRecord.step, stepsOf(selected.history), selected.player.pausedEnd];
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


def test_the_numbers_of_the_steps_before_the_viewed_one_are_read_at_once(run):
    assert run(LOADER + """
        takeBuckets(numbers(0, 99999, 16));
        loader.want();
        await settle();
        const query = asked.find(([, query]) => query.metric === undefined && query.points !== undefined)[1];
        const reads = asked.length;
        loader.want();
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
        loader.want();
        await settle();
        loader.subscribed([]);
        answers[0](JSON.stringify({ ...openStep(1, 5), seq: 99 }));
        await settle();
        return [asked[0][0], selected.history.record(1) === undefined, failures];
    """) == ["/steps", True, []]
