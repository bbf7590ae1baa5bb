"""Shared by the rows of script/bench: payloads, the servers, and their CPU and memory use."""

import contextlib
import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "Tests")]

import requests  # noqa: E402
from simulate import payload  # noqa: E402
from Support.servers import certificates, processes  # noqa: E402
from Support.servers.ports import free_port  # noqa: E402, F401
from Support.servers.server import Server  # noqa: E402

BUILT = ROOT / ".build/bench"
PEERS_PYTHON = ROOT / ".build/peers-venv/bin/python"
INGEST = "/api/v1/metrics/layerwise"
TOKEN = secrets.token_urlsafe(16)


def compact(run: str, step: int = 0, layers: int = 50, seed: int = 1) -> bytes:
    """A payload as examples/simulate.py posts it, with full-precision doubles."""
    return json.dumps(payload(run, step, layers, random.Random(seed))).encode()


def different(run: str, layers: int = 50) -> list[bytes]:
    """16 payloads with different numbers, to post in turn: more than fit into deflate's window."""
    return [compact(run, layers=layers, seed=seed) for seed in range(16)]


def with_step(body: bytes, step) -> bytes:
    return body.replace(b'"global_step": 0', b'"global_step": %s' % str(step).encode(), 1)


def program(name: str, *arguments, **options) -> subprocess.Popen:
    """Starts one of the C programs."""
    return processes.start([str(BUILT / name), *map(str, arguments)], text=True, stdout=subprocess.PIPE, **options)


def run(name: str, *arguments) -> list[float]:
    """Runs one of the C programs and returns the numbers it prints."""
    done = subprocess.run([str(BUILT / name), *map(str, arguments)], text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} {arguments}: {done.stderr}")
    return [float(number) for number in done.stdout.split()]


class Peer:
    """A running server: its port, and its CPU and memory use as the kernel accounts them."""

    def __init__(self, name: str, pid: int, port: int):
        self.name, self.pid, self.port = name, pid, port
        self.url = f"https://localhost:{port}"

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def cpu(self) -> float:
        """Seconds of CPU of all threads, including ended ones."""
        total = 0.0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total

    def memory(self, field: str = "VmRSS") -> int:
        """Resident bytes of the process and its children."""
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1]) * 1024
        return total

    def session(self) -> requests.Session:
        made = requests.Session()
        made.trust_env = False
        made.verify = False
        made.headers["Authorization"] = f"Bearer {TOKEN}"
        made.headers["Content-Type"] = "application/json"
        return made

    def fill(self, runs: int, steps: int, layers: int = 50):
        """Posts `steps` steps to each of the runs run0, run1, ..."""
        with self.session() as client:
            for number in range(runs):
                bodies = different(f"run{number}", layers)
                for step in range(steps):
                    answer = client.post(self.url + INGEST, data=with_step(bodies[step % len(bodies)], step))
                    assert answer.status_code == 202, answer.text
            held = client.get(self.url + "/api/v1/runs").json()
            counts = [held[f"run{number}"]["step_count"] for number in range(runs)]
            assert counts == [steps] * runs, f"{self.name} holds {counts}"


@contextlib.contextmanager
def ours(*options, token: bool = True, program: Path | None = None):
    """NNMonitor, over TLS, with a token. `program`: another build of it."""
    with tempfile.TemporaryDirectory() as folder:
        pair = certificate(Path(folder))
        server = Server(
            ["--tls-cert-file", pair.certificate, "--tls-key-file", pair.key, "--log-level", "warning", *options],
            {"NN_MONITOR_AUTH_TOKEN": TOKEN} if token else None, Path(folder), program=program)
        try:
            yield Peer("NNMonitor", server.process.pid, server.port)
        finally:
            assert server.stop() == 0, server.output


@contextlib.contextmanager
def peer(name: str, start, wait, stop=subprocess.Popen.terminate):
    """A server to compare with, over TLS.

    `start(folder, pair, port)` starts its process, `wait(process, port)` returns once it listens, `stop(process)` ends
    it.
    """
    with tempfile.TemporaryDirectory() as folder:
        pair, port = certificate(Path(folder)), free_port()
        process = start(folder, pair, port)
        try:
            wait(process, port)
            yield Peer(name, process.pid, port)
        finally:
            stop(process)
            process.wait(20)


def fastapi(*options):
    """The peer in peers/fastapi_peer.py, with the same token."""
    def start(_, pair, port):
        return processes.start(
            [PEERS_PYTHON, ROOT / "Benchmarks/peers/fastapi_peer.py", "--port", str(port), "--cert", pair.certificate,
             "--key", pair.key, "--token", TOKEN, *map(str, options)], stdout=subprocess.PIPE, text=True)

    return peer("FastAPI", start, read_ready)


def nginx():
    """nginx with one worker: `/health` answers 200, over TLS with tickets."""
    def start(folder, pair, port):
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr error;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 100000000; "
            + "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in (
                "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on;\n"
            f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};\n"
            'location /health { default_type application/json; '
            'return 200 \'{"status":"healthy","active_connections":0}\'; } } }\n')
        return processes.start(["/usr/sbin/nginx", "-p", folder, "-c", configuration], end_by="TERM")

    return peer("nginx", start, lambda _, port: wait_for_port(port))


def floor():
    """The C program that reads bodies over TLS and answers 202 without parsing them."""
    def start(_, pair, port):
        return program("echo_floor", port, pair.certificate, pair.key, stdin=subprocess.PIPE)

    return peer("C", start, read_ready, stop=lambda process: process.stdin.close())


def read_ready(process: subprocess.Popen, _):
    assert process.stdout.readline() == "ready\n"


def certificate(folder: Path) -> certificates.Pair:
    """A certificate with a P-256 key, the same kind for every server."""
    return certificates.certificate(folder, "bench")


def wait_for_port(port: int):
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise RuntimeError(f"nothing listens on port {port}")


def alternate(rounds: int, *measures):
    """Calls the measures in turn, because the machine's speed drifts, and returns the median of each."""
    taken = [[] for _ in measures]
    for _ in range(rounds):
        for results, measure in zip(taken, measures):
            results.append(measure())
    return [median(results) for results in taken]


def median(results):
    """The median; for tuples, the median of each position."""
    if isinstance(results[0], tuple):
        return tuple(statistics.median(column) for column in zip(*results))
    return statistics.median(results)
