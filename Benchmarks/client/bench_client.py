"""What watching costs: a reported step against a plain step. `script/bench client` runs it.

Method: one process, one PyTorch thread, CPU time of the process: on an idle machine that is the time on the clock, and on
a busy one it leaves out the waiting. In each round every variant trains one block of steps, in shuffled order, after
one step that is not counted; a block's figure is the median of its steps. Cost is the variant's block minus the plain
block of the same round, over the plain block; reported is the median over the rounds, with the quartiles.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import sys
import time

import torch
from networks import NETWORKS, Network
from variants import VARIANTS, Plain, Wandb, Watch

# Of a plain step: without and with activations. Of tiny: milliseconds. wandb.watch over ours. `every="auto"`.
MOST_WITHOUT, MOST_WITH, MOST_TINY_MS, LEAST_RATIO, MOST_AUTO = 0.25, 0.35, 6.0, 7.0, 0.01


def block(variant: Plain, network: Network) -> float:
    """The median duration of a step, in seconds."""
    variant.attach()
    variant.step(network.loss)
    durations = []
    for _ in range(network.steps):
        begin = time.process_time()
        variant.step(network.loss)
        durations.append(time.process_time() - begin)
    variant.detach()
    return statistics.median(durations)


def measure(name: str, rounds: int, wanted: list[type[Plain]]) -> dict[str, list[float]]:
    """The step durations of each variant in each round."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
    optimizer = torch.optim.AdamW(network.model.parameters(), lr=1e-4)
    variants = [kind(network.model, optimizer) for kind in wanted]
    for _ in range(3):
        variants[0].step(network.loss)
    order = random.Random(0)
    durations: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for _ in range(rounds):
        order.shuffle(variants)
        for variant in variants:
            durations[variant.name].append(block(variant, network))
    return durations


def interval_of(name: str) -> int:
    """The interval that `every="auto"` chooses."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
    watch = Watch(network.model, torch.optim.AdamW(network.model.parameters(), lr=1e-4))
    watch.arguments = {"log": "all", "every": "auto"}
    watch.attach()
    for _ in range(12 * network.steps):
        watch.step(network.loss)
    chosen: int = watch.watcher.interval
    watch.detach()
    return chosen


def report(name: str, durations: dict[str, list[float]], interval: int) -> bool:
    """Prints a table; returns whether all targets are met."""
    plain = durations[Plain.name]
    print(f"\n{name}: a plain step takes {statistics.median(plain) * 1e3:.1f} ms; every=\"auto\" chose {interval}\n")
    print("| variant | over a plain step | quartiles | ms |")
    print("|---|---|---|---|")
    costs: dict[str, float] = {}
    added: dict[str, float] = {}
    for variant, values in durations.items():
        if variant == Plain.name:
            continue
        ratios = [value / base - 1.0 for value, base in zip(values, plain)]
        costs[variant] = statistics.median(ratios)
        added[variant] = statistics.median(value - base for value, base in zip(values, plain)) * 1e3
        low, _, high = statistics.quantiles(ratios, n=4)
        print(f"| {variant} | {costs[variant]:+.1%} | {low:+.1%} to {high:+.1%} | {added[variant]:.2f} |")
    checks = [("auto: cost over N plain steps", costs["watch"] / interval, MOST_AUTO, True)]
    if name == "tiny":
        checks.append(("watch, ms", added["watch"], MOST_TINY_MS, True))
    else:
        checks.append(("watch, no activations", costs["watch, no activations"], MOST_WITHOUT, True))
        checks.append(("watch", costs["watch"], MOST_WITH, True))
    if Wandb.name in costs:
        # wandb.watch(log="all") measures gradients and parameters; `watch` also measures activations.
        for variant in ("watch, no activations", "watch"):
            checks.append((f"wandb.watch over {variant}", costs[Wandb.name] / costs[variant], LEAST_RATIO, False))
    met = True
    for text, value, bound, at_most in checks:
        good = value <= bound if at_most else value >= bound
        met = met and good
        print(f"- {text}: {value:.3g} ({'at most' if at_most else 'at least'} {bound:g}: {'met' if good else 'missed'})")
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help=f"of {', '.join(NETWORKS)}; default: all")
    parser.add_argument("--rounds", type=int, default=9)
    names = ", ".join(f'"{kind.name}"' for kind in VARIANTS)
    parser.add_argument("--without", action="append", default=[], help=f"leave out a variant, of {names}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted = [kind for kind in VARIANTS if kind.name not in options.without]
    print(f"PyTorch {torch.__version__}, Python {platform.python_version()}, one thread, {options.rounds} rounds")
    met = [report(name, measure(name, options.rounds, wanted), interval_of(name)) for name in options.networks]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
