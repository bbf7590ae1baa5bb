"""Transformers and mixtures of experts that read an image as eight rows. What they keep of a forward pass is what
`watch` reads: `attention_weights`, `attention_logits`, `router_logits`."""

import math

import torch
from torch import nn


class SelfAttention(nn.Module):
    """Attention over all positions."""

    def __init__(self, width, heads):
        super().__init__()
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        batch, length, width = x.shape

        def split(layer):
            return layer(x).view(batch, length, self.heads, -1).transpose(1, 2)

        query, key, value = split(self.query), split(self.key), split(self.value)
        logits = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        weights = logits.softmax(-1)
        self.attention_logits, self.attention_weights = logits.detach(), weights.detach()
        return self.out((weights @ value).transpose(1, 2).reshape(batch, length, width))


class MoE(nn.Module):
    """A router that sends each position to one of several experts (Fedus et al., 2021). `balance` is the loss that
    keeps their loads alike, 1 where all are equal."""

    def __init__(self, width, experts=8):
        super().__init__()
        self.router = nn.Linear(width, experts)
        self.up = nn.Parameter(torch.randn(experts, width, 2 * width) / math.sqrt(width))
        self.down = nn.Parameter(torch.randn(experts, 2 * width, width) / math.sqrt(2 * width))

    def forward(self, x):
        tokens = x.flatten(0, -2)
        logits = self.router(tokens)
        gates, choice = logits.softmax(-1), logits.argmax(-1)
        chosen = nn.functional.one_hot(choice, logits.shape[-1]).to(gates.dtype)
        self.router_logits = logits.detach()
        self.balance = (chosen.mean(0) * gates.mean(0)).sum() * logits.shape[-1]
        hidden = torch.einsum("nd,ne,edh->nh", tokens, chosen, self.up).relu()
        output = torch.einsum("nh,ne,ehd->nd", hidden, chosen, self.down)
        return (output * (gates * chosen).sum(-1, keepdim=True)).view_as(x)


class Block(nn.Module):
    """Attention and a two-layer network or mixture of experts, each after a normalisation, beside a residual one."""

    def __init__(self, width, heads, experts):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = MoE(width, experts) if experts else nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """Blocks over the eight rows of an image; the mean over positions is classified."""

    def __init__(self, width=32, blocks=2, heads=2, experts=0):
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.position = nn.Embedding(8, width)
        self.h = nn.Sequential(*(Block(width, heads, experts) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, inputs):
        x = self.embed(inputs.view(-1, 8, 8)) + self.position(torch.arange(8))
        return self.head(self.norm(self.h(x)).mean(1))

    def balance(self):
        """The mean balance loss of the mixtures of experts."""
        losses = [block.mlp.balance for block in self.h if isinstance(block.mlp, MoE)]
        return sum(losses) / len(losses)
