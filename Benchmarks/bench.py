"""Measures NNMonitor; script/bench runs it. Each row ends by checking that the work was really done."""

import json
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "Tests/Integration")]

import orjson  # noqa: E402
import requests  # noqa: E402
from simulate import payload  # noqa: E402
from support.server import Server  # noqa: E402

LAYERS = 50
ROUNDS = 7
WRK_SECONDS = 6


def compact(run, step=0, layers=LAYERS, seed=1):
    return json.dumps(payload(run, step, layers, random.Random(seed))).encode()


def cpu_seconds(server):
    """What the server has used so far, by the kernel's account (in ticks of a hundredth of a second)."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def start(folder, *options):
    token = secrets.token_urlsafe(16)
    server = Server(
        ["--tls", "dev", "--log-level", "warning", *options], {"NN_MONITOR_AUTH_TOKEN": token}, Path(folder))
    server.token = token
    return server


def row_decode(folder):
    """One 50-layer payload: our decoder, which also validates and fills the columns, against orjson.loads."""
    file = Path(folder) / "payload.json"
    body = compact("bench")
    file.write_bytes(body)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        made = subprocess.run(
            [ROOT / ".build/release/DecodeBench", file, "0.5"], check=True, capture_output=True, text=True)
        ours.append(int(made.stdout) / 1000)
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < 0.5:
            for _ in range(20):
                orjson.loads(body)
            count += 20
        theirs.append((time.perf_counter() - begin) / count * 1e6)
    ratio = statistics.median(one / other for one, other in zip(ours, theirs))
    return [
        ("payload, bytes", f"{len(body)}"),
        ("decode and validate, microseconds", f"{statistics.median(ours):.1f}"),
        ("orjson.loads of the same bytes, microseconds", f"{statistics.median(theirs):.1f}"),
        ("ratio, median of pairs", f"{ratio:.2f}"),
    ]


def wrk(server, file, connections=16):
    made = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{WRK_SECONDS}s", "-s", ROOT / "Benchmarks/ingest.lua", server.url,
         "--", file, server.token], check=True, capture_output=True, text=True)
    line = next(line for line in made.stdout.splitlines() if line.startswith("RESULT"))
    return [int(number) for number in line.split()[1:]]


def row_ingest(folder):
    """HTTPS, 16 kept-alive connections, wrk on the same two cores."""
    server = start(folder, "--max-steps-per-run", "1000000")
    template = compact("bench").replace(b'"global_step": 0', b'"global_step": @STEP@', 1)
    assert b"@STEP@" in template
    file = Path(folder) / "template.json"
    file.write_bytes(template)
    rates, costs = [], []
    total = 0
    for _ in range(3):
        # Each round posts the same steps again, so that the memory of this row stays small.
        before = cpu_seconds(server)
        count, duration, errors, p50, p99 = wrk(server, file)
        assert errors == 0, f"{errors} errors"
        rates.append(count / duration * 1e6)
        costs.append((cpu_seconds(server) - before) / count * 1e6)
        total = max(total, count)
    run = requests.get(
        server.url + "/api/v1/runs", headers={"Authorization": f"Bearer {server.token}"}, verify=server.ca,
        timeout=30).json()["bench"]
    assert run["step_count"] >= total, f"{run['step_count']} steps stored of {total}"
    server.stop()
    return [
        ("requests per second", f"{statistics.median(rates):.0f}"),
        ("server CPU per request, microseconds", f"{statistics.median(costs):.0f}"),
        ("p50 and p99 of the last round, milliseconds", f"{p50 / 1000:.1f} and {p99 / 1000:.1f}"),
    ]


def row_memory(folder):
    """10 runs of 1000 steps of 50 layers, held."""
    server = start(folder)
    at_start = server.memory()
    session = requests.Session()
    session.verify = server.ca
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {server.token}"
    numbers = 0
    for run in range(10):
        body = compact(f"run{run}", seed=run)
        numbers += 1000 * (LAYERS * 12 + 2)
        for step in range(1000):
            text = body.replace(b'"global_step": 0', b'"global_step": %d' % step, 1)
            assert session.post(server.url + "/api/v1/metrics/layerwise", data=text).status_code == 202
    held = session.get(server.url + "/api/v1/runs").json()
    assert [run["step_count"] for run in held.values()] == [1000] * 10
    resident = server.memory()
    server.stop()
    return [
        ("numbers held", f"{numbers}"),
        ("resident after the start, MiB", f"{at_start / 2**20:.1f}"),
        ("resident with all runs, MiB", f"{resident / 2**20:.1f}"),
        ("resident by 8 bytes a number", f"{resident / (8 * numbers):.2f}"),
    ]


ROWS = {"decode": row_decode, "ingest": row_ingest, "memory": row_memory}


def main():
    wanted = sys.argv[1:] or list(ROWS)
    for name in wanted:
        if name not in ROWS:
            sys.exit(f"bench: no row '{name}'; there are {', '.join(ROWS)}")
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            measured = ROWS[name](folder)
        print(f"\n{name}: {ROWS[name].__doc__}")
        for label, figure in measured:
            print(f"  {label:<48} {figure:>12}")


if __name__ == "__main__":
    main()
