"""The examples train for real, and report to the real server over TLS."""

import re

import pytest

pytest.importorskip("torch", minversion="2.1")


@pytest.mark.parametrize(("model", "epochs", "layers"), [
    ("cnn", 5, ["block1/0", "block2/0", "hidden/0", "head"]), ("mlp", 3, ["hidden1/1", "hidden2/0", "head"])])
def test_digits(server, example, model, epochs, layers):
    pytest.importorskip("sklearn")
    output = example("train_digits.py", "--model", model, "--epochs", str(epochs), "--every", "1", identifier="digits")
    accuracy = float(re.search(r"test accuracy: ([\d.]+) %", output).group(1))
    assert accuracy > 80
    steps = server.steps("digits")
    assert sorted(steps) == list(range(1, epochs * 23 + 1))
    assert [layer["id"] for layer in steps[5]["layers"]] == layers
    assert steps[epochs * 23]["scalars"]["test/accuracy"] == pytest.approx(accuracy / 100, abs=1e-3)
    losses = [step["scalars"]["train/loss"] for _, step in sorted(steps.items())]
    assert sum(losses[-20:]) < sum(losses[:20]) / 3
    kept = server.run("digits")
    assert (kept["project"], kept["state"], kept["config"]["model"]) == ("digits", "finished", model)
    assert {"weight_spectral_norm", "update_ratio", "dead_fraction"} <= set(kept["metrics"])


def test_transformer_with_an_lstm(server, example):
    output = example("train_transformer.py", "--steps", "60", "--every", "5", identifier="text")
    assert float(re.search(r"loss: ([\d.]+) nats", output).group(1)) < 3.3
    steps = server.steps("text")
    assert sorted(steps) == list(range(1, 61))
    reported = [number for number, step in steps.items() if step.get("layers")]
    assert reported == list(range(1, 60, 5))
    layers = [layer["id"] for layer in steps[56]["layers"]]
    assert {"tokens", "lstm", "h/0/attention/qkv", "h/1/mlp/2", "norm", "head"} <= set(layers)
    entropies = dict(zip(layers, steps[56]["metrics"]["attention_entropy"]))
    assert 0 < entropies["h/0/attention"] < 4.2 and entropies["lstm"] is None
    assert {"train/loss", "lr", "grad_norm", "gradient_clip_factor"} <= set(steps[56]["scalars"])
    assert server.run("text")["state"] == "finished"
