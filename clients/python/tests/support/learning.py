"""Training whose result must not depend on the monitor: a small recurrent network, and all generators it draws from."""

from __future__ import annotations

import random

import numpy
import torch
from torch import nn


class Recurrent(nn.Module):
    """An LSTM with a linear head."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 12, batch_first=True)
        self.head = nn.Linear(12, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def nothing(*_):
    pass


def train(steps, watch=nothing, log=nothing, before_step=nothing, rate=0.05):
    """Trains; returns losses, parameters and the states of all random generators, all of them exact."""
    torch.manual_seed(7)
    random.seed(7)
    numpy.random.seed(7)
    model = Recurrent()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    watch(model)
    losses = []
    for step in range(steps):
        before_step(step)
        inputs = torch.randn(16, 5, 6)
        optimizer.zero_grad()
        loss = (model(inputs) - inputs.sum((1, 2)).unsqueeze(1)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item().hex())
        log({"train/loss": loss, "chance": random.random() + numpy.random.rand()}, step)
    parameters = {name: parameter.detach().numpy().tobytes() for name, parameter in model.named_parameters()}
    states = torch.get_rng_state().tolist(), random.getstate(), numpy.random.get_state()[1].tolist()
    return losses, parameters, states


def monitored(run, steps, before_step=nothing):
    """The same with the monitor, every step watched."""
    return train(
        steps, lambda model: run.watch(model, every=1), lambda data, step: run.log(data, step=step), before_step)


def assert_whole(server, run, steps, state="finished"):
    """Every step is on the server, with its layers and scalars; the run has its end."""
    kept = server.steps(run.id)
    assert sorted(kept) == list(range(steps))
    for step in kept.values():
        assert {layer["id"] for layer in step["layers"]} == {"lstm", "head"}
        assert {"train/loss", "chance"} <= set(step["scalars"])
        assert None not in step["metrics"]["gradient_l2_norm"]
    assert server.run(run.id)["state"] == state
