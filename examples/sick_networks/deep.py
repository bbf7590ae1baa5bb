"""Networks of 50 to 1 000 layers, healthy ones and some with a fault in one layer."""

import functools
import math

import torch
from torch import nn

from sick_networks.networks import Rectified
from sick_networks.training import Case, Training


class _Block(nn.Module):
    """A normalised, rectified linear layer beside a residual connection."""

    def __init__(self, width, share):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), Rectified(width, width)
        self.share = share

    def forward(self, inputs):
        return inputs + self.share * self.linear(self.norm(inputs))


class Residual(nn.Module):
    """`layers` layers: `stem`, then blocks of two, then `head`. With more blocks each adds less."""

    def __init__(self, layers, width=16):
        super().__init__()
        blocks = layers // 2 - 1
        self.stem = nn.Linear(64, width)
        self.blocks = nn.Sequential(*(_Block(width, 1 / math.sqrt(blocks)) for _ in range(blocks)))
        self.head = nn.Linear(width, 10)

    def forward(self, inputs):
        return self.head(self.blocks(self.stem(inputs)))


def _training(model, steps, fault=None, rate=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    return Training(model, optimizer, steps=steps, fault=fault, config={"optimizer": "adam", "lr": rate})


def _healthy(layers, steps):
    return _training(Residual(layers), steps)


def _dead(layers, block, step):
    """One wrong update of a layer's biases: no output of it is positive any more."""
    model = Residual(layers)

    def fault(now, inputs, labels):
        if now == step:
            with torch.no_grad():
                model.blocks[block].linear.bias -= 1e3
        return inputs, labels

    return _training(model, step + 60, fault)


def _exploding(layers, block, step):
    """One wrong update makes the weights of one layer a thousand times larger, and so the gradients before it."""
    model = Residual(layers)

    def fault(now, inputs, labels):
        if now == step:
            with torch.no_grad():
                model.blocks[block].linear.weight *= 1e3
        return inputs, labels

    return _training(model, step + 25, fault)


def _nan(layers, block, step):
    """One weight becomes NaN, and with the next update all others do."""
    model = Residual(layers)

    def fault(now, inputs, labels):
        if now == step:
            with torch.no_grad():
                model.blocks[block].linear.weight[3, 5] = float("nan")
        return inputs, labels

    return _training(model, step + 20, fault)


def _loss_spike(layers, step):
    """One batch of wrong labels and inputs ten times too large."""
    model = Residual(layers)
    return _training(model, step + 50, lambda now, inputs, labels:
                     (inputs * 10, labels.roll(1)) if now == step else (inputs, labels))


DEEP = [
    Case("deep_healthy", functools.partial(_healthy, 100, 250)),
    Case("deep_dead_layer", functools.partial(_dead, 50, 11, 143), 143, ("dead_layer",), ("blocks.11.linear",)),
    Case("deep_exploding", functools.partial(_exploding, 1000, 318, 57), 57, ("exploding_gradient", "activation_drift"),
         ("blocks.318.linear",)),
    Case("deep_nan", functools.partial(_nan, 200, 68, 91), 91, ("non_finite",), ("blocks.68.linear",)),
    Case("deep_loss_spike", functools.partial(_loss_spike, 64, 127), 127, ("loss_spike",)),
]
