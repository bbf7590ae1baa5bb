"""What becomes of the reports of `watch`: their steps, and their joining with `log`. The measuring is replaced."""

import sys

import numpy
import pytest

import nnmonitor as nnm
from support import watching


def layer(name, norm):
    return {"layers": [{"id": name, "type": "Linear"}], "metrics": {"gradient_l2_norm": [norm]}}


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.setitem(sys.modules, "nnmonitor.watching", watching)
    watching.Watcher.made = []
    return nnm.watch


@pytest.fixture
def run(front):
    return nnm.init(url=front.url, id="r")


def norms(front):
    """Gradient norms by step and layer."""
    found = {}
    for number, step in front.steps("r").items():
        ids = [one["id"] if isinstance(one, dict) else one for one in step.get("layers") or []]
        found[number] = dict(zip(ids, (step.get("metrics") or {}).get("gradient_l2_norm", [])))
    return found


def test_report_takes_the_step_of_the_log_that_follows_it(front, run, watch):
    watcher = watch("model")
    for step in range(100, 103):
        watcher.step(**layer("a", step / 2))
        nnm.log({"loss": 1.0}, step=step)
    nnm.finish()
    assert norms(front) == {100: {"a": 50}, 101: {"a": 50.5}, 102: {"a": 51}}
    assert front.steps("r")[101]["scalars"] == {"loss": 1.0}
    assert watcher.closed


def test_report_without_a_log_takes_the_count_of_optimizer_steps(front, run, watch):
    watcher = watch("model")
    for _ in range(10):
        watcher.step()
    watcher.step(**layer("a", 1.0))
    watcher.step()
    watcher.step()
    watcher.step(**layer("a", 2.0))
    nnm.finish()
    assert norms(front) == {11: {"a": 1.0}, 14: {"a": 2.0}}


def test_report_is_not_sent_before_its_step_is_known(front, run, watch, until):
    watcher = watch("model")
    watcher.step(**layer("a", 1.0))
    nnm.alert("sent")
    until(lambda: [request for request in front.requests if request.path.endswith("/alerts")])
    assert front.steps("r") == {}
    nnm.log({"loss": 1.0}, step=500)
    nnm.finish()
    assert norms(front) == {500: {"a": 1.0}}


def test_log_without_step_uses_the_count_of_optimizer_steps_and_joins(front, run, watch):
    watcher = watch("model")
    nnm.log({"before": 1.0})
    for _ in range(3):
        watcher.step(**layer("a", 1.0))
        nnm.log({"loss": 1.0})
        nnm.log({"accuracy": 0.5})
    nnm.finish()
    steps = front.steps("r")
    assert sorted(steps) == [0, 1, 2, 3]
    assert steps[2]["scalars"] == {"loss": 1.0, "accuracy": 0.5} and norms(front)[2] == {"a": 1.0}


def test_log_sets_the_counter(front, run, watch):
    watcher = watch("model")
    nnm.log({"loss": 1.0}, step=1_000)
    watcher.step()
    watcher.step(**layer("a", 1.0))
    watcher.step()
    nnm.log({"loss": 1.0})
    nnm.finish()
    assert sorted(front.steps("r")) == [1_000, 1_002, 1_003]


def test_log_of_a_step_below_a_report_is_dropped_with_a_warning(front, run, watch, log_lines):
    watcher = watch("model")
    for _ in range(5):
        watcher.step(**layer("a", 1.0))
    nnm.log({"loss": 1.0}, step=1)
    nnm.finish()
    assert sorted(front.steps("r")) == [1, 2, 3, 4, 5]
    assert len(log_lines("records of a lower step are dropped")) == 1


def test_two_models_of_one_step_are_joined(front, run, watch):
    first, second = watch("generator"), watch("critic")
    for step in range(2):
        first.step(**layer("g", 1.0), vectors={"router_load": {"g": [0.5, 0.5]}}, scalars={"gradient_clip_factor": 0.5})
        second.step(layers=["c"], metrics={"gradient_l2_norm": [2.0], "weight_std": [float("nan")]})
        nnm.log({"loss": 1.0}, step=step)
    nnm.finish()
    assert norms(front) == {0: {"g": 1.0, "c": 2.0}, 1: {"g": 1.0, "c": 2.0}}
    step = front.steps("r")[1]
    assert step["metrics"]["weight_std"] == [None, "NaN"]
    assert step["vectors"] == {"router_load": {"g": [0.5, 0.5]}}
    assert step["scalars"] == {"loss": 1.0, "gradient_clip_factor": 0.5}


def test_columns_are_rounded_and_spelled(front, run, watch):
    watcher = watch("model")
    watcher.step(
        layers=["a", "b", "c"], metrics={"weight_std": [1 / 3, None, float("inf")]},
        vectors={"weight_exponents": {"a": [1 / 3, 7]}},
    )
    nnm.finish()
    (step,) = front.steps("r").values()
    assert step["metrics"] == {"weight_std": [0.333333, None, "Infinity"]}
    assert step["vectors"] == {"weight_exponents": {"a": [0.333333, 7]}}


def test_arguments_of_wandb_are_understood(run, watch, log_lines):
    class Optimizer:
        param_groups = ()

    watch("model", "criterion", log="gradients", log_freq=7, idx=3)
    watch("model", Optimizer)
    first, second = watching.Watcher.made
    assert (first.optimizer, first.options["log"], first.options["every"]) == (None, "gradients", 7)
    assert (second.optimizer, second.options["log"], second.options["every"]) == (Optimizer, "all", "auto")
    assert log_lines("it is not an optimizer") and log_lines("ignores unknown arguments: idx")


def test_unwatch_takes_a_model_a_watcher_or_nothing(run, watch):
    models = ["one", "two", "three"]
    watchers = [watch(model) for model in models]
    nnm.unwatch("one")
    assert [watcher.closed for watcher in watchers] == [True, False, False]
    nnm.unwatch(watchers[1])
    assert [watcher.closed for watcher in watchers] == [True, True, False]
    nnm.unwatch()
    assert all(watcher.closed for watcher in watchers)
    watchers[0].step(**layer("a", 1.0))  # A hook that runs once more does no harm.


def test_hooks_that_cannot_be_removed_do_not_hold_up_delivery(front, run, watch, monkeypatch, log_lines):
    watcher = watch("model")
    monkeypatch.setattr(watcher, "close", lambda: 1 / 0)
    nnm.log({"loss": 1.0}, step=0)
    nnm.finish()
    assert sorted(front.steps("r")) == [0] and log_lines("hooks of a model could not be removed")


def test_error_of_the_measuring_half_does_not_reach_training(run, monkeypatch, log_lines):
    class Broken:
        class Watcher:
            def __init__(self, *arguments, **options):
                raise ValueError("no parameters")

    monkeypatch.setitem(sys.modules, "nnmonitor.watching", Broken)
    assert nnm.watch("model") is None
    assert log_lines("watch() failed (ValueError: no parameters)")
    monkeypatch.setitem(sys.modules, "nnmonitor.watching", None)
    assert nnm.watch("model") is None
    assert log_lines("no layers are watched")


def test_other_ranks_measure_and_report_nothing(front, watch, monkeypatch, log_lines):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    nnm.init(url=front.url, id="r")
    watcher = watch("model")
    watcher.step(**layer("a", 1.0))
    nnm.log({"loss": 1.0}, step=0)
    nnm.finish()
    assert front.requests == [] and log_lines("rank 1 reports nothing")


def test_report_that_cannot_be_written_does_not_reach_training(front, run, watch, log_lines):
    watcher = watch("model")
    watcher.step(**layer("a", object()))
    watcher.step(**layer("a", numpy.float32(0.5)))
    nnm.log({"loss": 1.0}, step=3)
    nnm.finish()
    assert norms(front)[3] == {"a": 0.5}
    assert log_lines("report() failed")


def test_records_for_watch_end_with_the_run(front, run, watch):
    watcher = watch("model")
    nnm.finish()
    watcher.step(**layer("a", 1.0))
    assert front.steps("r") == {}
