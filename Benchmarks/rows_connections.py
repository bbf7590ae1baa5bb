"""Handshakes, the smallest request alone and beside pipelines, start-up."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from harness import ROOT, alternate, certificate, nginx, ours, run
from Support.servers import processes
from Support.servers.server import binary


def handshakes(report):
    """CPU per TLS 1.3 handshake, one thread beside one nginx worker, same kind of key"""
    with ours("--threads", 1, "--max-connections-per-address", 16384) as server, nginx() as peer:
        for kind in ("full", "resumed"):
            def measure(one, kind=kind):
                used = one.cpu()
                rate, reused, count = run("handshakes", one.port, 2, kind)
                assert kind == "full" or reused == count, f"{one.name} resumed {reused} of {count}"
                return rate, (one.cpu() - used) / count * 1e6
            (rate, cost), (other_rate, other_cost) = alternate(5, lambda: measure(server), lambda: measure(peer))
            report.figure(f"NNMonitor, {kind}", cost, "us of CPU each", f"{rate:.0f}/s, one after the other")
            report.figure(f"nginx, {kind}", other_cost, "us of CPU each", f"{other_rate:.0f}/s")
            report.ratio(f"{kind} handshakes for the same CPU", other_cost / cost, at_least=0.8)


def get_health(one) -> tuple[float, float]:
    """Requests per second, and the server's CPU per request in microseconds."""
    used = one.cpu()
    made = subprocess.run(
        ["wrk", "-t1", "-c16", "-d3s", "-s", ROOT / "Benchmarks/health.lua", one.url + "/health"], check=True,
        capture_output=True, text=True)
    line = next(line for line in made.stdout.splitlines() if line.startswith("RESULT"))
    count, duration, errors = [int(number) for number in line.split()[1:4]]
    assert errors == 0
    return count / duration * 1e6, (one.cpu() - used) / count * 1e6


def health(report):
    """`GET /health` over HTTPS, kept alive, 16 connections, one thread beside one nginx worker"""
    with ours("--threads", 1) as server, nginx() as peer:
        (rate, cost), (other_rate, other_cost) = alternate(5, lambda: get_health(server), lambda: get_health(peer))
    report.figure("NNMonitor", rate, "requests/s", f"{cost:.1f} us of CPU each")
    report.figure("nginx, `return 200`", other_rate, "requests/s", f"{other_cost:.1f} us of CPU each")
    report.ratio("requests a second", rate / other_rate, at_least=0.5)


def pipelines(report):
    """`GET /health` of one client while 50 connections pipeline it, over HTTPS, one thread beside one nginx worker"""
    with ours("--threads", 1) as server, nginx() as peer:
        def measure(one):
            return tuple(run("pipelines", one.port, 50, 3))
        (p50, p95, most, asked, answers), (other_p50, other_p95, other_most, other_asked, other_answers) = alternate(
            5, lambda: measure(server), lambda: measure(peer))
    report.figure(
        "NNMonitor", p50, "us", f"p95 {p95:.0f}, longest {most:.0f}, of {asked:.0f}; pipelined {answers / 3:.0f}/s")
    report.figure(
        "nginx, `return 200`", other_p50, "us",
        f"p95 {other_p95:.0f}, longest {other_most:.0f}, of {other_asked:.0f}; "
        f"pipelined {other_answers / 3:.0f}/s")
    report.ratio("p95 to nginx's", p95 / other_p95, at_most=2)


def start(report):
    """From exec to listening, over TLS with an existing certificate"""
    with tempfile.TemporaryDirectory() as folder:
        pair = certificate(Path(folder))

        def once():
            begin = time.perf_counter()
            process = processes.start(
                [binary(), "--port", "0", "--tls-cert-file", pair.certificate, "--tls-key-file", pair.key, "--static-dir",
                 ROOT / "static"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "NN_MONITOR_AUTH_TOKEN": "bench"})
            process.stdout.readline()
            taken = (time.perf_counter() - begin) * 1000
            process.terminate()
            process.wait(20)
            return taken
        (taken,) = alternate(9, once)
    report.bound("NNMonitor", taken, "ms", at_most=50)
