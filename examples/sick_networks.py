#!/usr/bin/env python3
"""Trains small networks with a known fault, or healthy ones, and reports them to NNMonitor or to files.

Needs PyTorch 2.4 or newer, scikit-learn and the client (`pip install ./clients/python`). The server is that of
NN_MONITOR_URL, NN_MONITOR_FINGERPRINT and NN_MONITOR_TOKEN. With --record, no server is needed: what the client
measured is written to DIR, one file a run, and an index of what is wrong with each.

    python examples/sick_networks.py dead_units
    python examples/sick_networks.py --record DIR --seeds 1 2 3 4 --untouched 4
"""

import argparse

import nnmonitor as nnm
from sick_networks.deep import DEEP
from sick_networks.healthy import HEALTHY
from sick_networks.recording import record
from sick_networks.sick import SICK
from sick_networks.training import train

SMALL = [case.name for case in [*SICK, *HEALTHY]]
CASES = {case.name: case for case in [*SICK, *HEALTHY, *DEEP]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=f"networks: {', '.join(CASES)}")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="which networks; default: all but deep_*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--record", metavar="DIR", help="write files there instead of reporting to a server")
    parser.add_argument("--untouched", type=int, nargs="+", default=[], metavar="SEED",
                        help="of the seeds, those to mark in the index as never used while thresholds are chosen")
    parser.add_argument("--everything", action="store_true", help="record all statistics, with six digits")
    options = parser.parse_args()
    unknown = [name for name in options.networks if name not in CASES]
    if unknown:
        parser.error(f"unknown network {unknown[0]!r}; known are {', '.join(CASES)}")
    cases = [CASES[name] for name in options.networks or SMALL]
    if options.record:
        record(cases, options.seeds, options.record, options.untouched, 6 if options.everything else 5,
               options.everything)
        return
    for case in cases:
        for seed in options.seeds:
            with nnm.init(project="sick networks", name=case.name) as run:
                train(case, seed, run)


if __name__ == "__main__":
    main()
