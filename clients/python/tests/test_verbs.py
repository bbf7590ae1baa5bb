"""The verbs as people use them, and that nothing of them reaches training.

This file is long because it tests every verb over the same stand-in for the spool.
"""

import argparse
import copy
import dataclasses
import enum
import pathlib
import pickle
import types

import numpy
import pytest

import nnmonitor as nnm
import nnmonitor as wandb


def test_any_other_name_of_wandb_fails_with_what_to_do():
    for name in ("Histogram", "Image", "Artifact", "sweep", "Table", "define_metric"):
        with pytest.raises(AttributeError, match=f"nnmonitor has no '{name}': it offers init, log, watch") as error:
            getattr(wandb, name)
        assert "Remove this call" in str(error.value)
    with pytest.raises(ImportError):
        exec("from nnmonitor import Histogram")


def test_script_for_wandb_runs(front):
    run = wandb.init(
        project="p", name="n", config={"lr": 0.1}, tags=["a"], notes="text", group="g", id="w", resume="allow",
        entity="team", job_type="train", url=front.url)
    wandb.config.update({"epochs": 3}, allow_val_change=True)
    wandb.config.batch = 32
    assert (wandb.config.lr, wandb.config["epochs"], run.config.batch) == (0.1, 3, 32)
    for step in range(3):
        wandb.log({"loss": 1 / (step + 1), "nested": {"a": 1}})
    assert wandb.run is run and wandb.summary["loss"] == 1 / 3
    wandb.finish()
    assert wandb.run is None
    kept = front.run("w")
    assert kept["config"] == {"lr": 0.1, "epochs": 3, "batch": 32}
    assert (kept["group"], kept["notes"], kept["tags"]) == ("g", "text", ["a"])
    assert front.steps("w")[2]["scalars"] == {"loss": 0.333333, "nested/a": 1}


def test_assignment_to_summary_is_ignored_with_a_warning(front, log_lines):
    run = wandb.init(url=front.url, config={"a": 1})
    wandb.summary["best"] = 0.9
    run.summary.update({"worst": 0.1})
    assert dict(run.summary) == {} and run.config.as_dict() == {"a": 1}
    assert len(log_lines("summary is read-only")) == 2


def test_log_without_step_counts_calls_and_commit_joins(front):
    run = nnm.init(url=front.url)
    run.log({"a": 1}, commit=False)
    run.log({"b": 1})
    run.log({"a": 2})
    run.log({"a": 3}, step=10)
    run.log({"b": 3})
    run.log({"b": 4})
    run.finish()
    steps = front.steps(run.id)
    assert {step: sorted(steps[step]["scalars"]) for step in steps} == {
        0: ["a", "b"], 1: ["a"], 10: ["a", "b"], 11: ["b"]}


class Scalar:
    """A tensor of one element, as torch's."""

    shape = ()

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value

    def __repr__(self):
        return f"Scalar({self.value})"


@pytest.mark.parametrize(("value", "sent"), [
    (True, 1), (7, 7), (2.5, 2.5), (numpy.float32(0.1), 0.1), (numpy.float64("nan"), "NaN"), (numpy.int64(-3), -3),
    (numpy.array(1.5), 1.5), (numpy.array([[2.5]]), 2.5), (numpy.bool_(True), 1), (Scalar(0.5), 0.5),
    (Scalar(3), 3), (10**400, "Infinity"), (2**60, 2.0**60), (numpy.float16(0.5), 0.5),
    (__import__("decimal").Decimal("0.25"), 0.25), (__import__("fractions").Fraction(1, 4), 0.25),
], ids=repr)
def test_log_takes_numbers_of_all_kinds(front, value, sent):
    run = nnm.init(url=front.url)
    run.log({"x": value}, step=numpy.int64(0))
    run.finish()
    got = front.steps(run.id)[0]["scalars"]["x"]
    assert got == sent or got == pytest.approx(sent, rel=1e-5)


NO_NUMBERS = ["text", [1, 2], numpy.zeros(3), object(), 1j, b"1", lambda: 1]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_left_out_with_one_warning(front, log_lines, value):
    run = nnm.init(url=front.url)
    for step in range(3):
        run.log({"x": value, "loss": 1.0, "none": None}, step=step)
    run.finish()
    assert front.steps(run.id)[0]["scalars"] == {"loss": 1.0}
    assert len(log_lines("leaves out 'x'")) == 1


def test_many_warnings_keep_no_refusal_away(front, until, log_lines):
    front.fault(1_000, status=403, body={})
    run = nnm.init(url=front.url, exit_timeout=0)
    until(lambda: log_lines("scope ingest"))
    front.clear()
    run.log({f"name{place}": "text" for place in range(1_000)})
    until(lambda: log_lines("accepts the records of run"))
    assert 100 < len(log_lines("leaves out")) <= 200
    front.fault(1_000, status=403, body={})
    run.alert("x")
    until(lambda: len(log_lines("scope ingest")) == 2)


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", "\ud800"], ids=repr)
def test_name_that_the_server_would_refuse_is_left_out(front, log_lines, name):
    run = nnm.init(url=front.url)
    run.log({name: 1.0, "loss": 1.0}, step=0)
    run.finish()
    assert front.steps(run.id)[0]["scalars"] == {"loss": 1.0}
    assert log_lines("leaves out")


@pytest.mark.parametrize("data", [None, 3, "text", [1]])
def test_nonsense_never_reaches_training(front, log_lines, data):
    run = nnm.init(url=front.url)
    run.log(data)
    run.log({"loss": 1.0}, step="three")
    run.log({"loss": 1.0}, step=-1)
    run.log({"loss": 1.0}, step=1.5)
    run.log({"loss": 2.0}, step=2)
    run.finish()
    assert sorted(front.steps(run.id)) == [2]
    assert log_lines("log() failed")


def test_strict_raises_what_is_otherwise_logged(front):
    run = nnm.init(url=front.url, strict=True)
    with pytest.raises(TypeError, match="leaves out 'x'"):
        run.log({"x": "text"})
    with pytest.raises(ValueError, match="step is -1"):
        run.log({"x": 1}, step=-1)
    run.finish()


def test_strict_raises_a_refusal_of_the_server(front, until):
    front.fault(1_000, status=401, body={"detail": {"error": "unauthorized", "message": "no"}})
    run = nnm.init(url=front.url, strict=True)
    until(lambda: run._outlet.failure)
    with pytest.raises(nnm.DeliveryError, match="token"):
        run.log({"x": 1}, step=1)
    with pytest.raises(nnm.DeliveryError, match="nnmonitor sync"):
        run.finish()


def test_verbs_before_init_and_after_finish_do_no_harm(front, log_lines):
    nnm.log({"loss": 1.0})
    nnm.alert("x")
    assert nnm.watch("model") is None
    nnm.unwatch()
    nnm.finish()
    assert len(log_lines("call nnmonitor.init() first")) == 4
    with pytest.raises(AttributeError, match="init"):
        _ = nnm.config
    run = nnm.init(url=front.url)
    run.finish()
    run.finish()
    run.log({"loss": 1.0})
    run.alert("late")
    assert log_lines("log() after finish() does nothing")


def test_second_init_returns_the_run_unless_it_names_another(front):
    first = nnm.init(url=front.url, id="one")
    assert nnm.init() is first and nnm.init(id="one") is first
    second = nnm.init(url=front.url, id="two")
    assert second is not first and front.run("one")["state"] == "finished"
    second.finish()


def test_disabled_run_does_nothing(front, tmp_path):
    run = nnm.init(url=front.url, mode="disabled")
    run.log({"loss": 1.0})
    run.config.a = 1
    assert run.summary["loss"] == 1.0 and run.config.a == 1
    run.finish()
    assert front.requests == [] and not (tmp_path / "spools").exists()


def test_copied_run_is_the_same_and_a_pickled_one_does_nothing(front):
    run = nnm.init(url=front.url, id="r")
    assert copy.deepcopy({"run": run})["run"] is run
    elsewhere = pickle.loads(pickle.dumps(run))
    elsewhere.log({"loss": 2.0}, step=0)
    elsewhere.finish()
    run.log({"loss": 1.0}, step=0)
    run.finish(quiet=True)
    assert elsewhere.id == "r" and front.steps("r")[0]["scalars"] == {"loss": 1.0}


def test_token_over_a_network_without_tls_is_warned_about(log_lines):
    run = nnm.init(url="http://monitor.invalid:8000", token="secret-token", exit_timeout=0)
    run.finish()
    assert len(log_lines("travels unencrypted")) == 1 and not log_lines("secret-token")


def test_argument_that_is_not_known_is_named(front, log_lines):
    nnm.init(url=front.url, entity="team").finish()
    assert log_lines("init() ignores unknown arguments: entity")


# Configurations


class Color(enum.Enum):
    RED = "red"
    DEEP = object()


@dataclasses.dataclass
class Inner:
    depth: int = 3
    path: pathlib.Path = pathlib.Path("/data")


class Conf:
    """Like an object of OmegaConf: a mapping that is no dict."""

    def __init__(self, items):
        self._items = items

    def __getitem__(self, key):
        return self._items[key]

    def __iter__(self):
        return iter(self._items)

    def __len__(self):
        return len(self._items)

    def keys(self):
        return self._items.keys()

    def items(self):
        return self._items.items()


__import__("collections").abc.Mapping.register(Conf)


class Pretrained:
    def to_dict(self):
        return {"hidden_size": 8}


def test_config_of_any_kind_is_sent_sensibly(front):
    values = {
        "number": 1, "text": "a", "flag": True, "nan": float("nan"), "inner": Inner(), "color": Color.RED,
        "deep": Color.DEEP, "namespace": argparse.Namespace(a=1), "simple": types.SimpleNamespace(b=2),
        "tuple": (1, 2), "set": {3}, "range": range(2), "path": pathlib.Path("/x"), "array": numpy.arange(3),
        "large": numpy.zeros((100, 100)), "scalar": numpy.float32(0.5), "class": Inner, "function": len,
        "conf": Conf({"k": Conf({"v": 1})}), "pretrained": Pretrained(),
        "date": __import__("datetime").date(2026, 1, 2),
        "surrogate": "\ud800", 5: "key", "huge": 10**400,
        "dtype": numpy.dtype("float32"),
    }
    run = nnm.init(url=front.url, config=values)
    assert run.config["path"] == pathlib.Path("/x")
    run.finish()
    sent = front.run(run.id)["config"]
    assert sent == {
        "number": 1, "text": "a", "flag": True, "nan": "NaN", "inner": {"depth": 3, "path": "/data"}, "color": "red",
        "deep": "DEEP", "namespace": {"a": 1}, "simple": {"b": 2}, "tuple": [1, 2], "set": [3], "range": [0, 1],
        "path": "/x", "array": [0, 1, 2], "large": "<ndarray of shape [100, 100]>", "scalar": 0.5,
        "class": f"{__name__}.Inner", "function": "builtins.len", "conf": {"k": {"v": 1}},
        "pretrained": {"hidden_size": 8}, "date": "2026-01-02", "surrogate": "?", "5": "key", "huge": "Infinity",
        "dtype": "float32",
    }


@pytest.mark.parametrize("config", [argparse.Namespace(depth=3, path="/data"), Inner(path="/data")], ids=type)
def test_whole_config_may_be_a_namespace_or_a_dataclass(front, config):
    run = nnm.init(url=front.url, config=config)
    assert run.config.depth == 3
    run.finish()
    assert front.run(run.id)["config"] == {"depth": 3, "path": "/data"}


def test_config_that_is_too_large_loses_its_largest_key_only(front, log_lines):
    run = nnm.init(url=front.url, config={"lr": 0.1, "vocabulary": ["word"] * 100_000})
    run.finish()
    assert front.run(run.id)["config"] == {"lr": 0.1}
    assert log_lines("config['vocabulary'] is left out")


def test_config_that_cannot_be_read_is_named(front, log_lines):
    run = nnm.init(url=front.url, config=3)
    run.config.update(4)
    run.log({"loss": 1.0}, step=0)
    run.finish()
    assert log_lines("config= is not used") and log_lines("config.update() is ignored")
    assert sorted(front.steps(run.id)) == [0]


def test_cyclic_config_ends(front):
    cycle = {}
    cycle["self"] = cycle
    nnm.init(url=front.url, config=cycle).finish()
