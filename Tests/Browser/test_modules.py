"""The dashboard's modules without the DOM, each imported into an empty page."""

import pytest

# Numbers as text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("0.5", "0.5000"),
        ("1.23456", "1.235"),
        ("999.96", "1000"),
        ("1234.56", "1235"),
        ("9999.4", "9999"),
        ("9999.6", "1.000e4"),
        ("123456", "1.235e5"),
        ("0.001", "0.001000"),
        ("0.00012345", "1.234e−4"),
        ("-0.25", "−0.2500"),
        ("-3e-12", "−3.000e−12"),
        ("1.7976931348623157e308", "1.798e308"),
        ("5e-324", "4.941e−324"),
        ("NaN", "NaN"),
        ("Infinity", "∞"),
        ("-Infinity", "−∞"),
        ("undefined", "–"),
        ("null", "–"),
    ],
)
def test_numbers_have_four_significant_digits(run, value, text):
    formatted = run(f'const f = await import("/static/js/model/format.js"); return f.formatNumber({value});')
    assert formatted == text


def test_exact_numbers_read_back_as_the_same_double(run):
    assert run("""
        const { exactNumber } = await import("/static/js/model/format.js");
        return [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0, 1e21, 123456789012345680000].every(
            (value) => Object.is(Number(exactNumber(value)), value));
    """)


def test_ages_have_one_unit(run):
    assert run("""
        const { formatAge } = await import("/static/js/model/format.js");
        return [-3, 0, 59.9, 60, 3599, 3600, 86399, 86400, 1e6, NaN].map(formatAge);
    """) == ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "11 d", "–"]


# Steps


def test_a_step_is_decoded_with_every_number_and_the_explicit_non_finite_ones(run):
    assert run("""
        const decoded = decodeStep({ step: 3, time: 1.5, layers: [{ id: "a" }, { id: "b" }], metrics: {
            activation_std: [0.25, 0.5], bias_std: [null, "NaN"], bias_mean_abs: [null, 4],
            weight_spectral_norm: [1, "-Infinity"], other: [7, 8] } }, structures);
        const value = (index, name) => String(decoded.value(name, index));
        return [value(0, "activation_std"), value(0, "bias_std"), value(0, "weight_std"),
            value(1, "weight_spectral_norm"), value(1, "bias_std"), value(1, "bias_mean_abs")];
    """) == ["0.25", "undefined", "undefined", "-Infinity", "NaN", "4"]


def test_what_is_no_step_is_not_decoded(run):
    assert run("""
        return [null, {}, { step: "1", layers: [] }, { step: 1, layers: 7 }].map((data) => decodeStep(data, structures));
    """) == [None, None, None, None]


def test_a_step_without_layers_is_a_step(run):
    assert run("""
        const decoded = decodeStep({ step: 1, time: 2, scalars: { loss: 3 } }, structures);
        return [decoded.step, decoded.structure.length, decoded.batchSize ?? null];
    """) == [1, 0, None]


def test_steps_share_one_structure_while_the_layers_stay_the_same(run):
    assert run("""
        const first = record(1, 1, ["a", "b"]), second = record(2, 2, ["a", "b"]), other = record(3, 3, ["a", "c"]);
        const back = record(4, 4, ["a", "b"]);
        return [first.structure === second.structure, first.structure === other.structure, back.structure === first.structure];
    """) == [True, False, True]


def test_layers_of_the_same_name_stay_apart(run):
    assert run("""
        const { structure } = record(1, 1, ["a", "a", "__proto__"]);
        return [new Set(structure.layers.map((layer) => layer.key)).size, structure.indexOf("a"), structure.indexOf("__proto__")];
    """) == [3, 0, 2]


# History


def test_steps_are_kept_sorted_and_each_number_once(run):
    assert run("""
        const history = historyOf([]);
        const outcomes = [10, 30, 20, 30].map((step, index) => history.insert(record(step, index)));
        return [outcomes, stepsOf(history), history.last.value("activation_std", 0)];
    """) == [["appended", "appended", "inserted", "replaced"], [10, 20, 30], 3]


def test_the_highest_steps_stay_when_the_history_is_full(run):
    assert run("""
        const history = historyOf([10, 20, 30], { maximumSteps: 3 });
        const low = history.insert(record(5)), high = history.insert(record(40));
        return [low, high, stepsOf(history)];
    """) == ["dropped", "appended", [20, 30, 40]]


def test_the_viewed_step_is_not_dropped(run):
    assert run("""
        const history = historyOf([10, 20, 30], { maximumSteps: 3 });
        history.pinned = 10;
        for (const step of [40, 50, 60]) history.insert(record(step));
        const pinned = stepsOf(history);
        history.pinned = null;
        history.insert(record(70));
        return [pinned, stepsOf(history)];
    """) == [[10, 40, 50, 60], [50, 60, 70]]


def test_records_are_bounded_by_the_count_of_numbers_and_step_numbers_stay(run):
    assert run("""
        const perStep = record(0).size;
        const history = historyOf([1, 2, 3, 4, 5, 6], { maximumValues: 6 * perStep });
        history.pinned = 3;
        history.insert(record(7, 7, Array.from({ length: 25 }, (_, index) => `l${index}`)));
        const held = stepsOf(history).filter((step) => history.record(step) !== undefined);
        return [stepsOf(history), held, history.at(0)];
    """) == [[1, 2, 3, 4, 5, 6, 7], [3, 7], {"step": 1}]


def test_buckets_of_steps_have_gaps_until_they_are_refined(run):
    assert run("""
        const history = new History();
        history.load({ steps: [0, 4, 8], last_steps: [3, 5, 8] }, [record(8)]);
        const gaps = () => stepsOf(history).filter((step, index) => history.hasGapAfter(index));
        const coarse = [stepsOf(history), gaps()];
        history.insert(record(2));
        const split = [stepsOf(history), gaps()];
        history.refine(0, 3, { steps: [0, 1, 2, 3], last_steps: [0, 1, 2, 3] });
        return [coarse, split, [stepsOf(history), gaps()], history.record(2) !== undefined];
    """) == [[[0, 3, 4, 5, 8], [0]], [[0, 2, 3, 4, 5, 8], [0, 2]], [[0, 1, 2, 3, 4, 5, 8], []], True]


def test_a_newer_version_of_a_step_is_not_replaced_by_an_older_one(run):
    assert run("""
        const history = new History();
        for (const [std, seq] of [[1, 5], [2, 4], [3, 6]]) history.insert(record(1, std, ["a"], seq));
        const first = history.last.value("activation_std", 0);
        history.insert(record(1, 9, ["a"], 2));
        return [first, history.last.value("activation_std", 0)];
    """) == [3, 3]


def test_steps_from_a_number_on_are_dropped(run):
    assert run("""
        const history = historyOf([1, 2, 3, 4]);
        history.dropFrom(3);
        return [stepsOf(history), history.recordCount];
    """) == [[1, 2], 2]


def test_a_loaded_history_replaces_everything(run):
    assert run("""
        const history = historyOf([1, 2, 3]);
        history.replaceAll([record(9), record(7), record(9, 1)]);
        return [stepsOf(history), history.last.value("activation_std", 0)];
    """) == [[7, 9], 1]


def test_searching_finds_the_step_or_its_neighbour(run):
    assert run("""
        const history = historyOf([10, 20, 30]);
        return [history.indexOf(20), history.indexOf(21), history.nearestIndex(5), history.nearestIndex(29),
            history.nearestIndex(99), history.countAfter(10), history.countAfter(15), history.countAfter(30),
            historyOf([]).nearestIndex(1)];
    """) == [1, -1, 0, 1, 2, 2, 2, 0, -1]


# Player


def test_the_player_follows_live_and_stays_when_paused(run):
    assert run("""
        const history = historyOf([10, 20]), player = new Player(), seen = [];
        const look = () => seen.push([player.isPaused, history.at(player.viewedIndex(history)).step,
            behindOf(player, history).steps]);
        const arrive = (step) => history.insert(record(step));
        look(); arrive(30); look();
        player.pause(history); arrive(40); arrive(25); look();
        player.back(history); look(); player.back(history); look();
        player.forward(history); player.forward(history); player.forward(history); player.forward(history); look();
        player.live(); look();
        return seen;
    """) == [
        [False, 20, 0],
        [False, 30, 0],
        [True, 30, 1],
        [True, 25, 2],
        [True, 20, 3],
        [True, 40, 0],
        [False, 40, 0],
    ]


def test_stepping_back_from_live_pauses_one_step_before(run):
    assert run("""
        const history = historyOf([10, 20, 30]), player = new Player();
        player.forward(history);
        const stillLive = !player.isPaused;
        player.back(history);
        return [stillLive, player.step];
    """) == [True, 20]


def test_nothing_can_be_paused_without_steps(run):
    assert run("""
        const history = historyOf([]), player = new Player();
        player.pause(history); player.back(history); player.seekIndex(history, 3); player.seekStep(history, 3);
        player.play(history, 10);
        return [player.isPaused, player.isPlaying, player.viewedIndex(history)];
    """) == [False, False, -1]


def test_a_history_loaded_while_paused_keeps_the_step_or_takes_the_nearest(run):
    assert run("""
        const history = historyOf([10, 20, 30]), player = new Player(), seen = [];
        player.seekStep(history, 20);
        history.replaceAll([10, 20, 30, 40, 50].map((step) => record(step)));
        player.historyReplaced(history);
        seen.push(player.step);
        history.replaceAll([40, 50].map((step) => record(step)));
        player.historyReplaced(history);
        seen.push(player.step);
        history.replaceAll([]);
        player.historyReplaced(history);
        seen.push(player.isPaused);
        return seen;
    """) == [20, 40, False]


# Runs


def test_runs_are_listed_newest_first_whatever_their_ids(run):
    assert run("""
        const { RunDirectory } = await import("/static/js/model/runs/run-directory.js");
        const runs = new RunDirectory(() => 1000);
        const entry = (second) => ({ created_at: `2026-02-10T12:00:0${second}.000000+00:00`,
            last_update: "2026-02-10T12:00:09.000000+00:00", step_count: 1, latest_step: 1 });
        runs.applyListing(JSON.parse(JSON.stringify({ b: entry(1), "7": entry(3), "3": entry(2) }).replace('"b"', '"__proto__"')));
        return runs.list().map((run) => run.id);
    """) == ["7", "3", "__proto__"]


def test_a_listing_drops_evicted_runs_but_none_heard_from_since_it_was_asked_for(run):
    assert run("""
        const { RunDirectory } = await import("/static/js/model/runs/run-directory.js");
        let now = 1000;
        const runs = new RunDirectory(() => now);
        runs.applyStep("old", 1);
        now = 2000;
        const requestedAt = now;
        now = 2001;
        const unknown = runs.applyStep("new", 5);
        runs.applyListing({}, requestedAt);
        return [unknown, runs.list().map((run) => [run.id, run.stepCount, run.latestStep])];
    """) == [True, [["new", 1, 5]]]
