"""Rows 1 to 4: decoding, and ingest over HTTPS."""

import gzip
import subprocess
import tempfile
import time
from pathlib import Path

import orjson
from harness import BUILT, PEERS_PYTHON, ROOT, TOKEN, Peer, alternate, compact, fastapi, floor, ours, run

SECONDS = 4


def decode(report):
    """Decoding and validating one payload of 50 layers, all columns filled"""
    with tempfile.TemporaryDirectory() as folder:
        body = compact("bench")
        file = Path(folder) / "payload.json"
        file.write_bytes(body)

        def mine():
            made = subprocess.run([ROOT / ".build/release/CoreBench", "decode", file, "0.5"], check=True, capture_output=True)
            return int(made.stdout.split()[0]) / 1000

        def orjson_loads():
            count, begin = 0, time.perf_counter()
            while time.perf_counter() - begin < 0.5:
                for _ in range(20):
                    orjson.loads(body)
                count += 20
            return (time.perf_counter() - begin) / count * 1e6

        def pydantic():
            made = subprocess.run(
                [PEERS_PYTHON, ROOT / "Benchmarks/peers/validate.py", file, "0.5"], check=True, capture_output=True)
            return float(made.stdout)

        one, other, third = alternate(7, mine, orjson_loads, pydantic)
        # The two runs differ only in the number of decodings.
        allocations = (mallocs(file, 2000) - mallocs(file, 1000)) / 1000
    report.figure(f"NNMonitor, {len(body)} bytes", one, "us")
    report.figure("`orjson.loads`, which only parses", other, "us")
    report.figure("pydantic, `model_validate_json`", third, "us")
    report.ratio("to orjson", one / other, at_most=0.6)
    report.ratio("to pydantic", one / third, at_most=0.08)
    report.figure("allocations for a payload", allocations, "")


def mallocs(file: Path, times: int) -> int:
    counts = file.with_suffix(".allocations")
    subprocess.run(
        [ROOT / ".build/release/CoreBench", "decode", file, "times", str(times)], check=True,
        env={"LD_PRELOAD": str(BUILT / "allocations.so"), "ALLOCATIONS": str(counts)})
    return int.from_bytes(counts.read_bytes()[:8], "little")


def wrk(peer: Peer, file: Path, *extra) -> tuple[float, float]:
    """Requests per second, and the server's CPU per request in microseconds."""
    used = peer.cpu()
    made = subprocess.run(
        ["wrk", "-t2", "-c16", f"-d{SECONDS}s", "-s", ROOT / "Benchmarks/ingest.lua", peer.url, "--", file, TOKEN,
         *map(str, extra)], check=True, capture_output=True, text=True)
    line = next(line for line in made.stdout.splitlines() if line.startswith("RESULT"))
    count, duration, errors = [int(number) for number in line.split()[1:4]]
    assert errors == 0, f"{peer.name}: {errors} errors"
    return count / duration * 1e6, (peer.cpu() - used) / count * 1e6


def bodies(folder: Path, layers: int, packed: bool = False) -> Path:
    """Writes a file for ingest.lua: 64 payloads with different numbers, each after a line with its size."""
    file = folder / f"bodies-{layers}-{packed}"
    made = [compact("bench", step, layers, seed=step) for step in range(64)]
    if packed:
        made = [gzip.compress(body, 6) for body in made]
    else:
        made = [body.replace(b'"global_step": %d,' % step, b'"global_step": @STEP@,', 1) for step, body in enumerate(made)]
    file.write_bytes(b"".join(b"%d\n" % len(body) + body for body in made))
    return file


def ingest(report, layers: int, rate: float, cost: float | None):
    with tempfile.TemporaryDirectory() as folder, ours() as mine, fastapi() as peer, floor() as least:
        file = bodies(Path(folder), layers)
        (rate_mine, cost_mine), (rate_peer, cost_peer), (rate_least, cost_least) = alternate(
            3, lambda: wrk(mine, file), lambda: wrk(peer, file), lambda: wrk(least, file))
        with mine.session() as client:
            held = client.get(mine.url + "/api/v1/runs").json()["bench"]["step_count"]
            assert held == 1000, f"{held} steps are kept; expected 1000"
    report.figure("NNMonitor", rate_mine, "requests/s", f"{cost_mine:.0f} us of CPU each")
    report.figure("FastAPI", rate_peer, "requests/s", f"{cost_peer:.0f} us of CPU each")
    report.figure("C: reads the bytes over TLS and answers", rate_least, "requests/s",
                  f"{cost_least:.0f} us of CPU each")
    report.figure("CPU per request, to the C program", cost_mine / cost_least, "")
    report.ratio("requests per second", rate_mine / rate_peer, at_least=rate)
    if cost:
        report.ratio("CPU per request", cost_mine / cost_peer, at_most=cost)


def ingest_50(report):
    """Ingest over HTTPS, 50 layers, 16 kept-alive connections, a new step per request"""
    ingest(report, 50, 30, 1 / 30)


def ingest_5(report):
    """The same, 5 layers"""
    ingest(report, 5, 15, None)


def ingest_gzip(report):
    """The same, 50 layers, gzip: CPU that inflating adds to a request"""
    with tempfile.TemporaryDirectory() as name, ours() as mine:
        folder = Path(name)
        plain, packed = bodies(folder, 50), bodies(folder, 50, packed=True)
        (_, cost), (rate, packed_cost), floor = alternate(
            3, lambda: wrk(mine, plain), lambda: wrk(mine, packed, "gzip"),
            lambda: run("inflate_floor", packed, 0.5)[0])
    report.figure("NNMonitor, plain", cost, "us of CPU each")
    report.figure("NNMonitor, gzip", packed_cost, "us of CPU each", f"{rate:.0f} requests/s")
    report.figure("zlib's inflate alone", floor, "us")
    report.ratio("what gzip adds, in inflates", (packed_cost - cost) / floor, at_most=1.3)

