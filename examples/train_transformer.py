#!/usr/bin/env python3
"""Trains a small language model, an LSTM below a transformer, on the source text of Python's standard library.

Needs PyTorch 2.1 or newer and the client (`pip install ./clients/python`). The server is that of NN_MONITOR_URL,
NN_MONITOR_FINGERPRINT and NN_MONITOR_TOKEN; the server prints a line with them when it starts.

    python examples/train_transformer.py --steps 500
"""

import argparse
import inspect
import math

import nnmonitor as nnm
import torch
from torch import nn


class Attention(nn.Module):
    """Causal self-attention whose weights the monitor sees: it reports the entropy of `attention_weights`."""

    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        logits = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(future, -math.inf)
        weights = logits.softmax(-1)
        self.attention_weights, self.attention_logits = weights.detach(), logits.detach()
        return self.out((weights @ v).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """Attention and a two-layer network, each behind a normalisation and beside a residual connection."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class LanguageModel(nn.Module):
    """The LSTM gives each character its place, so that no embedding of positions is needed."""

    def __init__(self, vocabulary, width, depth, heads):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.h = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        return self.head(self.norm(self.h(self.lstm(self.tokens(ids))[0])))


def batches(length, size):
    """Yields batches of characters, as numbers, and of those that follow them, without end."""
    text = inspect.getsource(argparse) + inspect.getsource(inspect)
    known = sorted(set(text))
    numbers = torch.tensor([known.index(character) for character in text])
    yield len(known)
    while True:
        places = torch.randint(len(numbers) - length, (size, 1)) + torch.arange(length + 1)
        yield numbers[places[:, :-1]], numbers[places[:, 1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--lr", type=float, default=3e-3, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", default="auto", help="report the layers at every N-th step; auto: as often as is cheap")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    source = batches(length=64, size=16)
    model = LanguageModel(next(source), options.width, options.depth, heads=4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.lr, options.steps + 1)

    with nnm.init(project="text", name="transformer", config=options) as run:
        run.watch(model, every=options.every if options.every == "auto" else int(options.every))
        for _step in range(options.steps):
            inputs, targets = next(source)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            run.log({"train/loss": loss, "lr": schedule.get_last_lr()[0], "grad_norm": norm})
    print(f"loss: {loss.item():.3f} nats a character")


if __name__ == "__main__":
    main()
