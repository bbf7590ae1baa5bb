"""The four networks that `bench client` trains: what a step costs decides what a report may cost."""

from __future__ import annotations

import random
from typing import Callable, NamedTuple

import torch
from torch import nn
from torch.nn import functional


class Network(NamedTuple):
    """A model, and a function that makes a batch and returns its loss."""

    model: nn.Module
    loss: Callable[[nn.Module], torch.Tensor]
    steps: int  # per measured block


def mlp() -> Network:
    """50 linear layers of 256 to 1 024 features."""
    return _linear_layers([256, 512, 768, 1024], 64, 3)


def tiny() -> Network:
    """50 linear layers of 32 to 128 features: bound by the number of operations, the hard case."""
    return _linear_layers([32, 64, 96, 128], 64, 15)


def _linear_layers(widths: list[int], batch: int, steps: int) -> Network:
    choose = random.Random(0)
    sizes = [choose.choice(widths) for _ in range(51)]
    layers: list[nn.Module] = []
    for before, after in zip(sizes, sizes[1:]):
        linear = nn.Linear(before, after)
        # With PyTorch's default, the gradients of 50 layers vanish: 1e-20 in the first ones.
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        layers += [linear, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    inputs, targets = torch.randn(batch, sizes[0]), torch.randn(batch, sizes[-1])
    return Network(model, lambda module: functional.mse_loss(module(inputs), targets), steps)


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        split = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, length: int, width: int, depth: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.h = nn.ModuleList(Block(width, 4) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return self.head(self.norm(x))


def gpt() -> Network:
    """12 transformer blocks of width 256."""
    model = GPT(1024, 64, 256, 12)
    ids, targets = torch.randint(1024, (8, 64)), torch.randint(1024, (8 * 64,))
    return Network(model, lambda module: functional.cross_entropy(module(ids).flatten(0, 1), targets), 3)


class Residual(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Conv2d(before, after, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        return self.relu(y + self.shortcut(x))


def cnn() -> Network:
    """Eight residual blocks of 32 to 256 channels on images of 32 x 32."""
    blocks: list[nn.Module] = [nn.Conv2d(3, 32, 3, 1, 1), nn.ReLU(inplace=True)]
    for before, after, stride in [
            (32, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2),
            (256, 256, 1)]:
        blocks.append(Residual(before, after, stride))
    model = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))
    images, labels = torch.randn(16, 3, 32, 32), torch.randint(10, (16,))
    return Network(model, lambda module: functional.cross_entropy(module(images), labels), 3)


NETWORKS: dict[str, Callable[[], Network]] = {"mlp": mlp, "gpt": gpt, "cnn": cnn, "tiny": tiny}
