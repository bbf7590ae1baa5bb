#!/usr/bin/env python3
"""Trains a small network on scikit-learn's handwritten digits and reports every step to NNMonitor.

Needs PyTorch, scikit-learn and requests. The data ships inside scikit-learn: 1797 images of 8 x 8 pixels.

    python examples/train_digits.py --url https://localhost:8443 --token T --ca certs/dev-cert.pem
"""

import argparse
import gzip
import json
import os
import sys
import time
from collections import OrderedDict

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from layer_statistics import LayerStatistics
from reporter import Reporter


def named(**parts):
    """Returns a sequence of named modules; the names become layer ids."""
    return torch.nn.Sequential(OrderedDict(parts))


def cnn():
    """Two convolutions and two linear layers."""
    nn = torch.nn
    return named(
        block1=named(conv=nn.Conv2d(1, 16, 3, padding=1), relu=nn.ReLU()),
        block2=named(conv=nn.Conv2d(16, 32, 3, padding=1), relu=nn.ReLU(), pool=nn.MaxPool2d(2)),
        hidden=named(flatten=nn.Flatten(), linear=nn.Linear(32 * 16, 64), relu=nn.ReLU()),
        head=nn.Linear(64, 10))


def mlp():
    """Three linear layers."""
    nn = torch.nn
    return named(
        flatten=nn.Flatten(), hidden1=named(linear=nn.Linear(64, 128), relu=nn.ReLU()),
        hidden2=named(linear=nn.Linear(128, 64), relu=nn.ReLU()), head=nn.Linear(64, 10))


MODELS = {"cnn": cnn, "mlp": mlp}


def digits(seed):
    """Returns training and test sets: images as N x 1 x 8 x 8 in the range 0 to 1, and labels."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(data.target)
    training, test = train_test_split(
        torch.arange(len(labels)).numpy(), test_size=0.2, random_state=seed, stratify=data.target)
    return images[training], labels[training], images[test], labels[test]


def train(name, run_id, options, publish):
    """Trains one model; calls `publish` with the payload of each reported step. Returns the test accuracy."""
    torch.manual_seed(options.seed)
    images, labels, test_images, test_labels = digits(options.seed)
    model = MODELS[name]()
    statistics = LayerStatistics(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    step = 0
    for _epoch in range(options.epochs):
        for batch in torch.randperm(len(labels)).split(64):
            statistics.watching = step % options.every == 0
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            if statistics.watching:
                publish(statistics.payload(run_id, step, len(batch)))
            optimizer.step()
            step += 1
    with torch.no_grad():
        return (model(test_images).argmax(1) == test_labels).float().mean().item()


def positive(text):
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="the server, such as https://localhost:8443")
    parser.add_argument("--token", default=os.environ.get("NN_MONITOR_TOKEN"), help="default: $NN_MONITOR_TOKEN")
    parser.add_argument("--ca", help="the certificate to trust, a PEM file")
    parser.add_argument("--run-id", default=time.strftime("digits-%Y%m%d-%H%M%S"))
    parser.add_argument("--model", choices=[*MODELS, "both"], default="cnn")
    parser.add_argument("--epochs", type=positive, default=12)
    parser.add_argument("--every", type=positive, default=1, help="report every N-th step")
    parser.add_argument("--gzip", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--record", help="also write each payload as a line of JSON; .gz compresses")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not options.url and not options.record:
        parser.error("give --url, --record, or both")
    return options


def main():
    options = arguments()
    reporter = Reporter(options.url, options.token, options.ca, options.gzip) if options.url else None
    record = None
    if options.record:
        record = (gzip.open if options.record.endswith(".gz") else open)(options.record, "wt", encoding="utf-8")

    def publish(payload):
        if record:
            record.write(json.dumps(payload) + "\n")
        if reporter:
            reporter.report(payload)

    for name in MODELS if options.model == "both" else [options.model]:
        run_id = f"{options.run_id}-{name}" if options.model == "both" else options.run_id
        accuracy = train(name, run_id, options, publish)
        print(f"run {run_id}, {name}: test accuracy: {accuracy * 100:.1f} %")
    if record:
        record.close()
    if reporter:
        delivered = reporter.close()
        print(reporter.summary())
        if not delivered:
            sys.exit(1)


if __name__ == "__main__":
    main()
