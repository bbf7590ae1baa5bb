"""Rows 6, 7, 8 and 13: what is held, and reading it."""

from harness import TOKEN, alternate, compact, fastapi, median, ours, run, with_step, INGEST

RUNS, STEPS, LAYERS = 10, 1000, 50
NUMBERS = RUNS * STEPS * (LAYERS * 12 + 2)


def memory(report):
    """Resident memory with 10 runs of 1000 steps of 50 layers"""
    with ours() as server:
        start = server.memory()
        server.fill(RUNS, STEPS)
        held = server.memory()
    with fastapi() as peer:
        peer.fill(RUNS, STEPS)
        other = peer.memory()
    report.figure("NNMonitor", held / 2**20, "MiB", f"{start / 2**20:.1f} MiB of it after the start")
    report.figure("FastAPI", other / 2**20, "MiB")
    report.ratio(f"to 8 bytes for each of {NUMBERS} numbers", held / (8 * NUMBERS), at_most=1.5)
    report.ratio("to FastAPI", held / other, at_most=0.1)


def history(report):
    """A run of 1000 steps of 50 layers by GET, over HTTPS"""
    with ours() as server, fastapi() as peer:
        server.fill(1, STEPS)
        peer.fill(1, STEPS)
        run("fetch", server.port, TOKEN, "/api/v1/runs/run0")
        before = server.memory()
        mine, other = alternate(
            5, lambda: tuple(run("fetch", server.port, TOKEN, "/api/v1/runs/run0")),
            lambda: tuple(run("fetch", peer.port, TOKEN, "/api/v1/runs/run0")))
        grown = server.memory("VmHWM") - before
    report.figure(f"NNMonitor, {mine[2] / 1e6:.1f} MB: the last byte after", mine[1], "ms", f"the first {mine[0]:.1f} ms")
    report.figure("FastAPI", other[1], "ms", f"the first {other[0]:.1f} ms")
    report.ratio("times faster", other[1] / mine[1], at_least=5)
    report.bound("memory grows while it streams by", max(grown, 0) / 2**20, "MiB", at_most=16)


def lite(report):
    """`run_history` lite of that run by WebSocket"""
    with ours() as server, fastapi() as peer, fastapi("--no-deflate") as plain:
        for one in (server, peer, plain):
            one.fill(1, STEPS)

        def measure(one, *deflate):
            return lambda: tuple(run("history", one.port, TOKEN, "run0", "lite", *deflate))
        mine_deflate, mine, other_deflate, other = alternate(
            5, measure(server, "deflate"), measure(server), measure(peer, "deflate"), measure(plain))
    for name, taken in (("NNMonitor, permessage-deflate", mine_deflate), ("FastAPI, permessage-deflate", other_deflate),
                        ("NNMonitor, plain", mine), ("FastAPI, plain", other)):
        report.figure(f"{name}, {taken[2] / 1e6:.1f} MB: the last byte after", taken[1], "ms",
                      f"the first {taken[0]:.1f} ms")
    report.bound("the first byte", max(mine[0], mine_deflate[0]), "ms", at_most=20)
    report.ratio("times faster, permessage-deflate", other_deflate[1] / mine_deflate[1], at_least=8)
    report.ratio("times faster, plain", other[1] / mine[1], at_least=12)


def growth(report):
    """Whether cost grows as it should: with layers linearly, with what is stored not at all"""
    import time

    def cost(server, client, body, first, count):
        used = server.cpu()
        for step in range(first, first + count):
            assert client.post(server.url + INGEST, data=with_step(body, step)).status_code == 202
        return (server.cpu() - used) / count * 1e6
    with ours("--max-steps-per-run", 100_000, "--max-runs", 1000) as server, server.session() as client:
        per_layer = {}
        for layers in (50, 500, 2000):
            body = compact("wide", layers=layers)
            per_layer[layers] = median([cost(server, client, body, 0, 40) / layers for _ in range(3)])
        body = compact("long", layers=5)
        empty = cost(server, client, body, 0, 2000)
        listing = []
        for step in range(2000, 30_000):
            client.post(server.url + INGEST, data=with_step(body, step))
        full = cost(server, client, body, 30_000, 2000)
        for name in ("long", "short"):
            if name == "short":
                for number in range(1):
                    client.post(server.url + INGEST, data=compact("short", layers=5))
            begin = time.perf_counter()
            for _ in range(200):
                client.get(server.url + "/api/v1/runs")
            listing.append((time.perf_counter() - begin) / 200 * 1e6)
    for layers, each in per_layer.items():
        report.figure(f"CPU of a post for each of {layers} layers", each, "us")
    report.ratio("2000 layers to 500, for each layer", per_layer[2000] / per_layer[500], at_most=1.3)
    report.ratio("post to a run of 30 000 steps, to one of none", full / empty, at_most=1.3)
