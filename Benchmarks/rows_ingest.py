"""Rows 1 to 4, 17 and 18: decoding, and ingest over HTTPS."""

import gzip
import json
import random
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import orjson
from harness import BUILT, INGEST, PEERS_PYTHON, ROOT, TOKEN, Peer, alternate, compact, fastapi, floor, ours, run
from simulate import payload
from Support.wire.open_form import open_form

SECONDS = 4
BATCH = 100
#: Programs that decode the payload of a file.
NNMONITOR = ROOT / ".build/release/CoreBench", "decode"
SIMDJSON = (BUILT / "decode_floor",)


def decode(report):
    """Decoding and validating one payload of 50 layers, all columns filled"""
    with tempfile.TemporaryDirectory() as folder:
        body = compact("bench")
        file = Path(folder) / "payload.json"
        file.write_bytes(body)

        def orjson_loads():
            count, begin = 0, time.process_time()
            while time.process_time() - begin < 0.5:
                for _ in range(20):
                    orjson.loads(body)
                count += 20
            return (time.process_time() - begin) / count * 1e6

        def pydantic():
            made = subprocess.run(
                [PEERS_PYTHON, ROOT / "Benchmarks/peers/validate.py", file, "0.5"], check=True, capture_output=True)
            return float(made.stdout)

        one, least, other, third = alternate(
            11, lambda: processor_time(file, NNMONITOR), lambda: processor_time(file, SIMDJSON), orjson_loads, pydantic)
        # The two runs differ only in the number of decodings.
        allocations = (mallocs(file, 2000) - mallocs(file, 1000)) / 1000
        posted = json.loads(body)
        extracted = [number for number in run("decode_floor", file, "print") if number == number]
        assert sorted(extracted) == sorted(floats([posted["layer_statistics"], posted["cross_layer_analysis"]]))
    report.figure(f"NNMonitor, {len(body)} bytes", one, "us of CPU")
    report.figure("C++: the same values with simdjson's on-demand parser", least, "us of CPU")
    report.figure("`orjson.loads`, which only parses", other, "us of CPU")
    report.figure("pydantic, `model_validate_json`", third, "us of CPU")
    report.ratio("to simdjson", one / least, at_most=1.5)
    report.ratio("to orjson", one / other, at_most=0.6)
    report.ratio("to pydantic", one / third, at_most=0.08)
    report.figure("allocations for a payload", allocations, "")


def processor_time(file: Path, program: tuple) -> float:
    """Microseconds of CPU that a program takes for a decoding, without its start: two runs differ only in the count."""
    def seconds(times: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*program, file, "times", str(times)], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return (seconds(11_000) - seconds(1_000)) / 10_000 * 1e6


def floats(value) -> list[float]:
    """All numbers with a point in a value."""
    if isinstance(value, float):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [number for item in items for number in floats(item)]


def mallocs(file: Path, times: int) -> int:
    counts = file.with_suffix(".allocations")
    subprocess.run(
        [*NNMONITOR, file, "times", str(times)], check=True,
        env={"LD_PRELOAD": str(BUILT / "allocations.so"), "ALLOCATIONS": str(counts)})
    return int.from_bytes(counts.read_bytes()[:8], "little")


@dataclass
class Load:
    """What wrk posts: the bodies of a file, each after a line with its size."""

    file: Path
    path: str = INGEST
    kind: str = "application/json"
    coding: str | None = None
    #: The mean size of a body in bytes.
    size: float = 0

    def written(self, bodies: list[bytes]) -> "Load":
        self.size = sum(map(len, bodies)) / len(bodies)
        self.file.write_bytes(b"".join(b"%d\n" % len(body) + body for body in bodies))
        return self


def wrk(peer: Peer, load: Load) -> tuple[float, float]:
    """Requests per second, and the server's CPU per request in microseconds."""
    used = peer.cpu()
    made = subprocess.run(
        ["wrk", "-t2", "-c16", f"-d{SECONDS}s", "--timeout", "10s", "-s", ROOT / "Benchmarks/ingest.lua", peer.url, "--", load.file, TOKEN,
         load.path, load.kind, *([load.coding] if load.coding else [])], check=True, capture_output=True, text=True)
    line = next(line for line in made.stdout.splitlines() if line.startswith("RESULT"))
    count, duration, errors = [int(number) for number in line.split()[1:4]]
    assert errors == 0, f"{peer.name}: {errors} errors"
    return count / duration * 1e6, (peer.cpu() - used) / count * 1e6


def bodies(folder: Path, layers: int, packed: bool = False) -> Load:
    """64 payloads of v1 with different numbers."""
    made = [compact("bench", step, layers, seed=step) for step in range(64)]
    if packed:
        made = [gzip.compress(body, 6) for body in made]
    else:
        made = [body.replace(b'"global_step": %d,' % step, b'"global_step": @STEP@,', 1) for step, body in enumerate(made)]
    return Load(folder / f"bodies-{layers}-{packed}", coding="gzip" if packed else None).written(made)


def open_lines(described: bool) -> list[bytes]:
    """The 64 payloads of `bodies` in the open wire."""
    steps = [payload("bench", step, 50, random.Random(step)) for step in range(64)]
    made = [json.dumps(open_form(step, described), separators=(",", ":")).encode() for step in steps]
    return [body.replace(b'"step":%d,' % step, b'"step":@STEP@,', 1) for step, body in enumerate(made)]


def open_bodies(folder: Path, run_id: str, described: bool = False) -> Load:
    """One step a body, with the layers as objects or as ids."""
    return Load(folder / run_id, f"/api/v2/runs/{run_id}/steps").written(open_lines(described))


def open_batches(folder: Path, run_id: str) -> Load:
    """One hundred steps a body."""
    lines = open_lines(described=False)
    made = [
        b"\n".join(lines[(batch * 16 + step) % len(lines)].replace(b"@STEP@", b"@STEP@%02d" % step) for step in range(BATCH))
        for batch in range(4)]
    return Load(folder / run_id, f"/api/v2/runs/{run_id}/steps", "application/x-ndjson").written(made)


def bytes_to_v1(digits: int | None) -> float:
    """The size of the steps in columns to that of the same steps of v1, with numbers of so many significant digits."""
    def rounded(value):
        if isinstance(value, dict):
            return {key: rounded(item) for key, item in value.items()}
        if isinstance(value, list):
            return [rounded(item) for item in value]
        return float(f"%.{digits}g" % value) if isinstance(value, float) and digits else value

    steps = [rounded(payload("bench", step, 50, random.Random(step))) for step in range(64)]
    columns = sum(len(json.dumps(open_form(step, described=False), separators=(",", ":"))) for step in steps)
    return columns / sum(len(json.dumps(step)) for step in steps)


def describe_layers(peer: Peer, load: Load):
    """Posts the layers of a run as objects, as a client does once; its other posts have their ids."""
    with peer.session() as client:
        answer = client.post(peer.url + load.path, data=open_lines(described=True)[0].replace(b"@STEP@", b"0"))
        assert answer.status_code == 202, answer.text


def check_kept(peer: Peer, *loads: Load):
    """Every run that was posted to must be full."""
    with peer.session() as client:
        held = client.get(peer.url + "/api/v1/runs").json()
    for load in loads:
        name = load.path.split("/")[-2] if "/v2/" in load.path else "bench"
        assert held[name]["step_count"] == 1000, f"{held[name]['step_count']} steps of {name} are kept; expected 1000"


def ingest(report, layers: int, rate: float, cost: float | None):
    with tempfile.TemporaryDirectory() as folder, ours() as mine, fastapi() as peer, floor() as least:
        file = bodies(Path(folder), layers)
        (rate_mine, cost_mine), (rate_peer, cost_peer), (rate_least, cost_least) = alternate(
            3, lambda: wrk(mine, file), lambda: wrk(peer, file), lambda: wrk(least, file))
        check_kept(mine, file)
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
            3, lambda: wrk(mine, plain), lambda: wrk(mine, packed),
            lambda: run("inflate_floor", packed.file, 0.5)[0])
    report.figure("NNMonitor, plain", cost, "us of CPU each")
    report.figure("NNMonitor, gzip", packed_cost, "us of CPU each", f"{rate:.0f} requests/s")
    report.figure("zlib's inflate alone", floor, "us")
    report.ratio("what gzip adds, in inflates", (packed_cost - cost) / floor, at_most=1.3)



def ingest_v2(report):
    """The numbers of `ingest-50` in columns, through the open wire: one step a request"""
    with tempfile.TemporaryDirectory() as name, ours() as mine, fastapi() as peer, floor() as least:
        folder = Path(name)
        v1, v2 = bodies(folder, 50), open_bodies(folder, "columns")
        described = open_bodies(folder, "described", described=True)
        describe_layers(mine, v2)
        (_, cost_v1), (rate, cost), (_, cost_described), (rate_peer, cost_peer), (rate_least, cost_least) = alternate(
            5, lambda: wrk(mine, v1), lambda: wrk(mine, v2), lambda: wrk(mine, described), lambda: wrk(peer, v2),
            lambda: wrk(least, v2))
        check_kept(mine, v1, v2, described)
        check_kept(peer, v2)
    report.figure("NNMonitor, v1", cost_v1, "us of CPU each", f"{v1.size:.0f} bytes")
    report.figure("NNMonitor, open wire", cost, "us of CPU each", f"{v2.size:.0f} bytes, {rate:.0f} requests/s")
    report.figure("the same with type, depth and shape of each layer in every step", cost_described, "us of CPU each",
                  f"{described.size:.0f} bytes")
    report.figure("FastAPI, open wire", cost_peer, "us of CPU each", f"{rate_peer:.0f} requests/s")
    report.figure("C: reads the bytes over TLS and answers", cost_least, "us of CPU each", f"{rate_least:.0f} requests/s")
    report.figure("CPU per request, to FastAPI", cost / cost_peer, "")
    report.ratio("bytes per request, to v1", bytes_to_v1(None), at_most=0.4)
    report.ratio("the same with the nine digits of a float32", bytes_to_v1(9), at_most=0.4)
    report.ratio("CPU per request, to v1", cost / cost_v1, at_most=0.6)


def ingest_v2_batch(report):
    """The same steps, 100 a request"""
    with tempfile.TemporaryDirectory() as name, ours() as mine, fastapi() as peer, floor() as least:
        folder = Path(name)
        single, batch = open_bodies(folder, "single"), open_batches(folder, "batch")
        for load in (single, batch):
            describe_layers(mine, load)
        (rate_single, cost_single), (rate, cost), (rate_peer, cost_peer), (rate_least, cost_least) = alternate(
            5, lambda: wrk(mine, single), lambda: wrk(mine, batch), lambda: wrk(peer, batch), lambda: wrk(least, batch))
        check_kept(mine, single, batch)
        check_kept(peer, batch)
    report.figure("NNMonitor, one step a request", cost_single, "us of CPU a step", f"{rate_single:.0f} steps/s")
    for who, used, requests in (("NNMonitor", cost, rate), ("FastAPI", cost_peer, rate_peer),
                                ("C: reads the bytes over TLS and answers", cost_least, rate_least)):
        report.figure(f"{who}, {BATCH} steps a request", used / BATCH, "us of CPU a step", f"{requests * BATCH:.0f} steps/s")
    report.figure("CPU per step, to FastAPI", cost / cost_peer, "")
    report.ratio("CPU per step, to one step a request", cost / BATCH / cost_single, at_most=0.5)
