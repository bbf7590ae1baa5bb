"""At which steps reports come."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn
from watched import Watched, squares, train_step

from nnmonitor.watching.cadence import Cadence


@pytest.mark.parametrize("every, expected", [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (100, [0])])
def test_a_report_every_so_many_steps(every, expected):
    model = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(model, every=every)
    seen = []
    for step in range(7):
        train_step(model, optimizer, squares(torch.randn(2, 3)))
        assert watched.steps == step + 1
        if len(watched.reports) > len(seen):
            seen.append(step)
    assert seen == expected
    assert watched.watcher.interval == every
    watched.close()


@pytest.mark.parametrize("cost, step, expected", [
    (0.001, 0.2, 1), (0.004, 0.24, 2), (0.0041, 0.1, 5), (0.0075, 0.1, 10), (0.006, 0.0077, 100), (0.02, 0.1, 20),
    (0.049, 0.1, 50), (1.0, 0.001, 1000)])
def test_auto_takes_the_smallest_interval_that_costs_at_most_one_percent(cost, step, expected):
    cadence = Cadence("auto")
    number = 0
    reports = 0
    while reports < 4:
        if cadence.due(number):
            reports += 1
            cadence.reported(number)
            # The first report is dear, and does not count.
            cadence.cost(cost * (20 if reports == 1 else 1))
            if reports <= 3:
                assert number == reports - 1
        cadence.stepped(step)
        cadence.choose(*cadence.measured())
        number += 1
    assert cadence.interval == expected
    assert cost <= 0.01 * expected * step or expected == 1000


def test_auto_follows_training_that_becomes_slower_or_faster():
    cadence = Cadence("auto")
    number = 0
    intervals = set()
    for seconds in (0.01, 1.0, 0.01):
        for _ in range(6):
            while not cadence.due(number):
                number += 1
                cadence.stepped(seconds)
            cadence.reported(number)
            cadence.cost(0.005)
            for _ in range(30):
                cadence.stepped(seconds)
            cadence.choose(*cadence.measured())
        intervals.add(cadence.interval)
    assert intervals == {50, 1}


def test_importing_the_package_does_not_import_torch():
    script = "import sys, nnmonitor.watching; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_old_or_absent_torch_is_named():
    script = """
import sys, types
torch = types.ModuleType("torch")
torch.__version__ = "1.13.1+cpu"
sys.modules["torch"] = torch
import nnmonitor.watching
try:
    nnmonitor.watching.Watcher
except ImportError as error:
    assert str(error) == "watch needs PyTorch 2.1 or newer, and this is 1.13.1+cpu. `log` works without it.", error
else:
    raise AssertionError("no error")
sys.modules["torch"] = None
try:
    nnmonitor.watching.require_torch()
except ImportError as error:
    assert "pip install 'torch>=2.1'" in str(error), error
"""
    subprocess.run([sys.executable, "-c", script], check=True)
