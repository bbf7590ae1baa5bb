"""Data-parallel and sharded training, in two processes over gloo."""

from __future__ import annotations

import functools
import math
import os
import pickle
import traceback

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import nn
from watched import Watched, squares

RANKS = 2


def in_two_processes(function, path):
    """Runs `function(rank)` in two processes of one group; returns what each returned."""
    multiprocessing.spawn(_run, (function, str(path)), nprocs=RANKS)
    results = []
    for rank in range(RANKS):
        with open(path / f"{rank}", "rb") as file:
            results.append(pickle.load(file))
    return results


def _run(rank, function, path):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{path}/meeting", rank=rank, world_size=RANKS)
    try:
        result = function(rank)
    except Exception:
        traceback.print_exc()
        raise
    with open(os.path.join(path, f"{rank}"), "wb") as file:
        pickle.dump(result, file)
    dist.barrier()
    dist.destroy_process_group()
    # At the interpreter's exit gloo's threads may still run, and PyTorch then aborts the process now and then.
    os._exit(0)


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))


def norm(tensor):
    return math.sqrt(tensor.double().square().sum().item())


def train_ddp(rank):
    model = make_model()
    parallel = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watched = Watched(parallel, optimizer)
    torch.manual_seed(rank)
    found = []
    for _ in range(3):
        optimizer.zero_grad()
        squares(torch.randn(5, 6))(parallel).backward()
        unclipped = norm(model[0].weight.grad)
        total = nn.utils.clip_grad_norm_(model.parameters(), 0.1).item()
        optimizer.step()
        found.append((unclipped, min(1.0, 0.1 / total)))
    values = [
        (watched.value("0", "gradient_l2_norm", index), report.scalars["gradient_clip_factor"])
        for index, report in enumerate(watched.reports)]
    watched.close()
    return found, values, watched.steps


def test_ddp(tmp_path):
    """Rank 0 reports, and the gradient and clip factor are those of the mean over ranks, not of one rank."""
    (expected, values, steps), (other_expected, other_values, other_steps) = in_two_processes(train_ddp, tmp_path)
    assert steps == other_steps == 3
    assert other_values == []
    assert [one for one, _ in expected] == pytest.approx([one for one, _ in other_expected], rel=1e-5)
    for one, two in zip(values, expected):
        assert one == pytest.approx(two, rel=1e-4)


def train_fsdp(rank, every):
    from torch.distributed.fsdp import fully_shard

    model = make_model()
    watched = Watched(model, every=every, strict=True)  # before sharding, which replaces the parameters
    for layer in (model[0], model[2]):
        fully_shard(layer)
    fully_shard(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(rank)
    expected = []
    for _ in range(4):
        optimizer.zero_grad()
        squares(torch.randn(5, 6))(model).backward()
        weight, gradient = model[0].weight.full_tensor(), model[0].weight.grad.full_tensor()
        optimizer.step()
        change = model[0].weight.full_tensor() - weight
        expected.append({
            "weight_frobenius_norm": norm(weight), "gradient_l2_norm": norm(gradient), "update_l2_norm": norm(change),
            "weight_std": weight.double().std(unbiased=False).item(), "weight_max": weight.max().item(),
            "gradient_min": gradient.min().item()})
    values = [
        {name: watched.value("0", name, index) for name in expected[0]} for index in range(len(watched.reports))]
    activations = [watched.value("2", "activation_std", index) for index in range(len(watched.reports))]
    watched.close()
    return expected, values, activations, watched.steps, watched.watcher.interval


@pytest.mark.parametrize("every", [1, "auto"])
def test_fsdp2(tmp_path, every):
    """Norms are of whole tensors, not of shards; all ranks report at the same steps, and rank 0 hands over."""
    pytest.importorskip("torch.distributed.fsdp", reason="FSDP2").__dict__.get("fully_shard") or pytest.skip("no FSDP2")
    results = in_two_processes(functools.partial(train_fsdp, every=every), tmp_path)
    (expected, values, activations, steps, interval), (_, others, _, other_steps, other_interval) = results
    assert (steps, other_steps) == (4, 4) and interval == other_interval
    assert others == [] and len(values) >= 3
    for report, reference in zip(values[:3], expected):
        assert report == pytest.approx(reference, rel=2e-5)
    assert all(value > 0 for value in activations)
