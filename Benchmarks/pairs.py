"""Compares this build with another one, in alternating pairs; `script/bench --against CLONE` runs it.

A pair measures one build right after the other, because the machine's speed drifts. A row prints the median of the
ratios, this build to the other (above 1 costs more), with the quartiles of the ratios as their spread.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from harness import BUILT, ROOT, TOKEN, compact, ours, run
from rows_connections import get_health
from rows_ingest import bodies, open_batches, open_bodies, wrk
from rows_store import STEPS, listings, posts
from rows_watch import SUBSCRIBERS, broadcast
from Support.servers import processes

RELEASE = Path(".build/release")


def cpu(server, work) -> float:
    """Seconds of the server's CPU while `work` runs."""
    used = server.cpu()
    work()
    return server.cpu() - used


@contextlib.contextmanager
def server_of(clone: Path, *options):
    with ours(*options, program=clone / RELEASE / "NNMonitor") as server:
        yield server


# Each row is a context manager: for a clone, it yields a function that measures once.


@contextlib.contextmanager
def decode(clone):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "payload.json"
        file.write_bytes(compact("bench"))
        yield lambda: int(subprocess.run(
            [clone / RELEASE / "CoreBench", "decode", file, "0.5"], check=True, capture_output=True).stdout.split()[0])


def ingest(load):
    @contextlib.contextmanager
    def row(clone):
        with tempfile.TemporaryDirectory() as folder, server_of(clone) as server:
            posted = load(Path(folder))
            yield lambda: wrk(server, posted)[1]
    return row


@contextlib.contextmanager
def fan_out(clone):
    with server_of(clone) as server:
        yield lambda: broadcast(server, 200)[0]


def reading(*command):
    @contextlib.contextmanager
    def row(clone):
        with server_of(clone) as server:
            server.fill(1, STEPS)
            yield lambda: cpu(server, lambda: [run(command[0], server.port, TOKEN, *command[1:]) for _ in range(5)])
    return row


@contextlib.contextmanager
def listing(clone):
    with server_of(clone) as server, server.session() as client:
        posts(server, client, compact("long", layers=5), range(1000))
        yield lambda: listings(server, client)


@contextlib.contextmanager
def memory(clone):
    def held() -> int:
        with server_of(clone) as server:
            server.fill(1, STEPS)
            return server.memory()
    yield held


@contextlib.contextmanager
def idle(clone):
    count = 1000

    def each() -> int:
        with server_of(clone, "--max-connections-per-address", count + 100, "--max-subscribers", count) as server:
            before = server.memory()
            watching = processes.start(
                ["prlimit", f"--nofile={count + 500}:", BUILT / "subscribers", str(server.port), str(count), TOKEN,
                 "deflate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert watching.stdout.readline() == "ready\n"
            grown = server.memory() - before
            watching.kill()
            watching.wait(20)
            watching.stdin.close()
            return grown
    yield each


def handshakes(kind: str):
    @contextlib.contextmanager
    def row(clone):
        with server_of(clone, "--threads", 1, "--max-connections-per-address", 16384) as server:
            def each() -> float:
                used = server.cpu()
                count = run("handshakes", server.port, 1.5, kind)[2]
                return (server.cpu() - used) / count
            yield each
    return row


@contextlib.contextmanager
def health(clone):
    with server_of(clone, "--threads", 1) as server:
        yield lambda: get_health(server)[1]


ROWS = {
    "decode": ("time to decode 50 layers", decode),
    "ingest-50": ("CPU of a POST of 50 layers", ingest(lambda folder: bodies(folder, 50))),
    "ingest-5": ("CPU of a POST of 5 layers", ingest(lambda folder: bodies(folder, 5))),
    "ingest-gzip": ("CPU of a POST of 50 layers, gzip", ingest(lambda folder: bodies(folder, 50, packed=True))),
    "ingest-v2": ("CPU of a POST to the open wire", ingest(lambda folder: open_bodies(folder, "bench"))),
    "ingest-v2-batch": ("CPU of a batch of 100 steps", ingest(lambda folder: open_batches(folder, "bench"))),
    "fan-out": (f"CPU of a message to one of {SUBSCRIBERS} subscribers", fan_out),
    "memory": ("resident memory with one run of 1000 steps", memory),
    "history": ("CPU of a run's history by GET", reading("fetch", "/api/v1/runs/run0")),
    "lite": ("CPU of a lite history by WebSocket", reading("history", "run0", "lite", "deflate")),
    "listing": ("CPU of a listing of runs", listing),
    "idle": ("memory of 1000 idle subscribers", idle),
    "handshake": ("CPU of a full handshake", handshakes("full")),
    "resumed": ("CPU of a resumed handshake", handshakes("resumed")),
    "health": ("CPU of GET /health", health),
}


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--against", type=Path, required=True, metavar="CLONE",
                        help="the other build: a clone in which `script/build NNMonitor CoreBench` has run")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="Unverified HTTPS")
    for name in arguments.rows:
        if name not in ROWS:
            parser.error(f"no row '{name}'; with --against the rows are {', '.join(ROWS)}")
    for program in ("NNMonitor", "CoreBench"):
        if not (arguments.against / RELEASE / program).exists():
            parser.error(f"{arguments.against} has no {RELEASE / program}; run `script/build NNMonitor CoreBench` there")
    print(f"{arguments.pairs} alternating pairs, this build to {arguments.against.name}: median, quartiles")
    for name in arguments.rows or ROWS:
        title, row = ROWS[name]
        ratios = []
        with row(ROOT) as this, row(arguments.against.resolve()) as other:
            this(), other()
            for pair in range(arguments.pairs):
                # The order changes from pair to pair, so that going second favours neither.
                if pair % 2:
                    second, first = other(), this()
                else:
                    first, second = this(), other()
                ratios.append(first / second)
        low, _, high = statistics.quantiles(ratios, n=4)
        print(f"{title:<52} {statistics.median(ratios):6.3f}   {low:.3f} to {high:.3f}   ({name})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
