"""Rows 5, 9 and 10: subscribers."""

import subprocess
import tempfile
import time
from pathlib import Path

from harness import BUILT, INGEST, TOKEN, certificate, compact, different, fastapi, free_port, median, ours, program, run, with_step
from Support.servers import processes

SUBSCRIBERS = 100


def broadcast(peer, steps: int) -> tuple[float, float]:
    """CPU per delivered message in microseconds, without ingest, and bytes per message."""
    bodies = different("bench")
    with peer.session() as client:
        def post(count):
            for step in range(count):
                body = with_step(bodies[step % len(bodies)], step)
                assert client.post(peer.url + INGEST, data=body).status_code == 202
        post(20)
        used = peer.cpu()
        post(steps)
        ingest = peer.cpu() - used
        watching = program("subscribers", peer.port, SUBSCRIBERS, TOKEN, "deflate", stdin=subprocess.PIPE)
        assert watching.stdout.readline() == "ready\n"
        used = peer.cpu()
        post(steps)
        deadline = time.monotonic() + 60
        while True:
            watching.stdin.write("\n")
            watching.stdin.flush()
            if int(watching.stdout.readline()) == steps * SUBSCRIBERS:
                break
            assert time.monotonic() < deadline, f"{peer.name}: messages are missing"
            time.sleep(0.02)
        fanned = peer.cpu() - used
        out, _ = watching.communicate()
        messages, size = [float(number) for number in out.split()[:2]]
    return (fanned - ingest) / messages * 1e6, size / messages


def floor(size: int) -> float:
    """The same for the C program that sends a ready frame."""
    with tempfile.TemporaryDirectory() as folder:
        pair, port = certificate(Path(folder)), free_port()
        serving = program("fanout_floor", port, pair.certificate, pair.key, SUBSCRIBERS, size, stdin=subprocess.PIPE)
        assert serving.stdout.readline() == "listening\n"
        watching = program("subscribers", port, SUBSCRIBERS, "none", "deflate", stdin=subprocess.PIPE)
        assert watching.stdout.readline() == "ready\n"
        for _ in range(300):
            serving.stdin.write("\n")
            serving.stdin.flush()
            time.sleep(0.002)
        # The end of its input stops the sender; only then may the readers go away.
        serving.stdin.close()
        cost = float(serving.stdout.read())
        serving.wait(20)
        watching.kill()
        watching.wait(20)
        watching.stdin.close()
        return cost


def fan_out(report):
    """Broadcast to 100 WSS subscribers with permessage-deflate, 50 layers: CPU per delivered message"""
    mine, floors, theirs = [], [], []
    with ours() as server, fastapi() as peer:
        for _ in range(3):
            mine.append(broadcast(server, 300))
            floors.append(floor(int(mine[-1][1])))
            theirs.append(broadcast(peer, 20))
    (cost, size), least, (peer_cost, _) = median(mine), median(floors), median(theirs)
    report.figure(f"NNMonitor, {size:.0f} bytes", cost, "us")
    report.figure("C: `SSL_write` of the ready frame", least, "us")
    report.figure("FastAPI", peer_cost, "us")
    report.ratio("to the C program", cost / least, at_most=3)
    report.ratio("to FastAPI", cost / peer_cost, at_most=1 / 60)


def latency(report):
    """Latency from POST to a subscriber's message, 20 subscribers over TLS, 50 layers"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template"
        file.write_bytes(with_step(compact("bench"), "@STEP@"))

        def measure(peer, rate):
            p50, p99, p999, most, came, due = run("latency", peer.port, TOKEN, 20, rate, 8, file)
            assert came == due, f"{peer.name}: {came} messages of {due}"
            return p50 / 1000, p99 / 1000, p999 / 1000, most / 1000
        with ours() as server, fastapi() as peer:
            fast = measure(server, 500)
            slow, other = measure(server, 40), measure(peer, 40)
            again, once_more = measure(server, 40), measure(peer, 40)
    report.figure("NNMonitor, 500 posts/s: p50", fast[0], "ms", f"p99 {fast[1]:.2f} ms, p99.9 {fast[2]:.2f} ms")
    one, two = median([slow, again]), median([other, once_more])
    report.figure("NNMonitor, 40 posts/s: p50", one[0], "ms", f"p99 {one[1]:.2f} ms, p99.9 {one[2]:.2f} ms")
    report.figure("FastAPI, 40 posts/s: p50", two[0], "ms", f"p99 {two[1]:.2f} ms, p99.9 {two[2]:.2f} ms")
    report.ratio("p99 at 40 posts/s", one[1] / two[1], at_most=0.1)


def idle(report):
    """Resident memory per idle WSS subscriber, 10 000 subscribers"""
    count = 10_000
    with ours("--max-connections-per-address", count + 100, "--max-subscribers", count) as server:
        before = server.memory()
        watching = processes.start(
            ["prlimit", f"--nofile={count + 500}:", BUILT / "subscribers", str(server.port), str(count), TOKEN, "deflate"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert watching.stdout.readline() == "ready\n"
        each = (server.memory() - before) / count
        watching.kill()
        watching.wait(20)
        watching.stdin.close()
    report.bound("NNMonitor", each / 1024, "KiB each", at_most=40)
