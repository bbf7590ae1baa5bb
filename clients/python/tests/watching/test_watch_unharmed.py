"""Training with a watcher is the same as without, to the bit."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn
from watched import Watched


class Network(nn.Module):
    """Dropout and batch normalisation use random numbers and running state."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8)
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        x = self.norm(self.conv(x)).relu_().mean(3).transpose(1, 2)
        return self.head(self.encoder(self.lstm(x)[0]))


def train(watch, make_optimizer, wrap=lambda model: model, **arguments):
    """Losses, parameters, evaluation results and states of the random generators of a short training."""
    torch.manual_seed(3)
    model = Network()
    optimizer = make_optimizer(model.parameters())
    compiled = wrap(model)
    watched = Watched(compiled, **arguments) if watch else None
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = compiled(torch.randn(4, 1, 10, 10)).square().mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        losses.append(loss.detach())
        model.eval()
        with torch.no_grad():
            losses.append(model(torch.randn(4, 1, 10, 10)).sum())
        model.train()
    if watched is not None:
        assert len(watched.reports) >= 2 and not watched.warnings
        watched.close()
    state = [*model.state_dict().values()]
    return [*losses, *state], (torch.get_rng_state(), random.getstate())


@pytest.mark.parametrize("optimizer", ["AdamW", "SGD", "fused"])
def test_losses_parameters_and_random_numbers_are_bit_identical(optimizer):
    make = {
        "AdamW": lambda parameters: torch.optim.AdamW(parameters, 1e-2),
        "SGD": lambda parameters: torch.optim.SGD(parameters, 0.1, momentum=0.9),
        "fused": lambda parameters: torch.optim.AdamW(parameters, 1e-2, fused=True)}[optimizer]
    plain, plain_random = train(False, make)
    for every, histograms in ((1, True), (3, False)):
        with_watch, with_random = train(True, make, every=every, histograms=histograms)
        assert all(torch.equal(one, other) for one, other in zip(plain, with_watch))
        assert torch.equal(plain_random[0], with_random[0]) and plain_random[1] == with_random[1]


def counting_backend():
    from torch._dynamo.testing import CompileCounter

    return CompileCounter()


def compiled_run(watch, when, every=1):
    """Trains a compiled model; returns graphs, losses, and what was watched."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    counter = counting_backend()
    watched = Watched(model, every=every, strict=False) if watch and when == "before compile" else None
    compiled = torch.compile(model, backend=counter)
    if watch and when == "before the first call":
        watched = Watched(compiled, every=every, strict=False)
    losses = []
    for step in range(6):
        if watch and when == "after the first call" and step == 2:
            watched = Watched(compiled, every=every, strict=False)
        optimizer.zero_grad()
        loss = compiled(torch.randn(5, 6)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    breaks = sum(torch._dynamo.utils.counters["graph_break"].values())
    if watched is not None:
        watched.close()
    return counter.frame_count, breaks, losses, watched


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("when", ["before the first call", "before compile", "after the first call"])
def test_compiled_models_get_no_new_graph_and_no_break(when):
    graphs, breaks, losses, _ = compiled_run(False, when)
    for every in (1, 3):
        with_graphs, with_breaks, with_losses, watched = compiled_run(True, when, every)
        assert (with_graphs, with_breaks) == (graphs, breaks)
        assert with_losses == losses
        assert watched.value("0", "gradient_l2_norm") > 0 and watched.value("0", "weight_std") > 0
        if when == "before the first call":
            assert watched.value("0", "activation_std") > 0 and not watched.warnings
        else:
            # Silence would look as if the layers had no outputs.
            assert len(watched.warnings) == 1 and "no activations" in watched.warnings[0]


@pytest.mark.filterwarnings("ignore")
def test_activations_of_a_compiled_model_equal_those_of_a_plain_one():
    values = []
    for compiled in (False, True):
        torch._dynamo.reset()
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        called = torch.compile(model, backend="aot_eager") if compiled else model
        watched = Watched(called, every=2)
        for _ in range(5):
            optimizer.zero_grad()
            for _ in range(2):
                called(torch.randn(5, 6)).square().mean().backward()
            optimizer.step()
        names = ("activation_std", "activation_mean", "activation_min", "activation_max", "activation_rms")
        values.append([watched.value(layer, name) for layer in ("0", "2") for name in names])
        watched.close()
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_memory_of_reports_is_not_kept():
    """After a report, no tensor of the step is referenced any more."""
    import gc
    import weakref

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, optimizer, every=2, histograms=True)
    output = model(torch.randn(5, 6))
    output.square().mean().backward()
    reference = weakref.ref(output)
    gradient = weakref.ref(model[0].weight.grad)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    del output
    gc.collect()
    assert reference() is None and gradient() is None
    watched.close()
