#!/usr/bin/env python3
"""Trains a small network on scikit-learn's handwritten digits and reports it to NNMonitor.

Needs PyTorch 2.1 or newer, scikit-learn and the client (`pip install ./clients/python`). The data ships inside
scikit-learn: 1797 images of 8 x 8 pixels. The server is that of NN_MONITOR_URL, NN_MONITOR_FINGERPRINT and
NN_MONITOR_TOKEN; the server prints a line with them when it starts.

    python examples/train_digits.py --model cnn
"""

import argparse

import nnmonitor as nnm
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class CNN(nn.Sequential):
    """Two convolutions and two linear layers."""

    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU())
        self.block2 = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.hidden = nn.Sequential(nn.Linear(32 * 16, 64), nn.ReLU())
        self.head = nn.Linear(64, 10)


class MLP(nn.Sequential):
    """Three linear layers."""

    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU())
        self.hidden2 = nn.Sequential(nn.Linear(128, 64), nn.ReLU())
        self.head = nn.Linear(64, 10)


MODELS = {"cnn": CNN, "mlp": MLP}


def digits(seed):
    """Returns training and test sets: images as N x 1 x 8 x 8 in the range 0 to 1, and labels."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(data.target)
    training, test = train_test_split(
        torch.arange(len(labels)).numpy(), test_size=0.2, random_state=seed, stratify=data.target)
    return images[training], labels[training], images[test], labels[test]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=list(MODELS), default="cnn")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--lr", type=float, default=2e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", default="auto", help="report the layers at every N-th step; auto: as often as is cheap")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    images, labels, test_images, test_labels = digits(options.seed)
    model = MODELS[options.model]()
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)

    nnm.init(project="digits", name=f"digits-{options.model}", config=options)
    nnm.watch(model, every=options.every if options.every == "auto" else int(options.every))
    for _epoch in range(options.epochs):
        for batch in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            nnm.log({"train/loss": loss, "lr": options.lr})
        with torch.no_grad():
            right = model(test_images).argmax(1) == test_labels
        accuracy = right.float().mean().item()
        nnm.log({"test/accuracy": accuracy})
    nnm.finish()
    print(f"test accuracy: {accuracy * 100:.1f} %")


if __name__ == "__main__":
    main()
