"""Rows 6, 7, 8 and 13: stored data, and reading it."""

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
    with ours() as server, fastapi() as peer, fastapi("--orjson") as faster:
        for one in (server, peer, faster):
            one.fill(1, STEPS)

        def measure(one):
            return lambda: tuple(run("fetch", one.port, TOKEN, "/api/v1/runs/run0"))
        measure(server)()
        before = server.memory()
        mine, other, fast = alternate(5, measure(server), measure(peer), measure(faster))
        grown = server.memory("VmHWM") - before
    report.figure(f"NNMonitor, {mine[2] / 1e6:.1f} MB: the last byte after", mine[1], "ms", f"the first {mine[0]:.1f} ms")
    report.figure("FastAPI", other[1], "ms", f"the first {other[0]:.1f} ms")
    report.figure("FastAPI with orjson", fast[1], "ms", f"the first {fast[0]:.1f} ms")
    report.ratio("times faster", other[1] / mine[1], at_least=5)
    report.bound("memory grows while it streams by", max(grown, 0) / 2**20, "MiB", at_most=16)


def lite(report):
    """`run_history` lite of that run by WebSocket"""
    with ours() as server, fastapi() as peer, fastapi("--no-deflate") as plain, fastapi("--orjson") as faster:
        for one in (server, peer, plain, faster):
            one.fill(1, STEPS)

        def measure(one, *deflate):
            return lambda: tuple(run("history", one.port, TOKEN, "run0", "lite", *deflate))
        packed, mine, other_packed, other, fast = alternate(
            5, measure(server, "deflate"), measure(server), measure(peer, "deflate"), measure(plain),
            measure(faster, "deflate"))
    for name, taken in (("NNMonitor, permessage-deflate", packed), ("FastAPI, permessage-deflate", other_packed),
                        ("FastAPI with orjson, permessage-deflate", fast), ("NNMonitor, plain", mine),
                        ("FastAPI, plain", other)):
        report.figure(f"{name}, {taken[2] / 1e6:.1f} MB: the last byte after", taken[1], "ms",
                      f"the first {taken[0]:.1f} ms")
    report.bound("the first byte", max(mine[0], packed[0]), "ms", at_most=20)
    report.ratio("times faster, permessage-deflate", other_packed[1] / packed[1], at_least=8)
    report.ratio("times faster, plain", other[1] / mine[1], at_least=12)


def posts(server, client, body: bytes, steps: range) -> float:
    """The server's CPU per posted step, in microseconds."""
    used = server.cpu()
    for step in steps:
        assert client.post(server.url + INGEST, data=with_step(body, step)).status_code == 202
    return (server.cpu() - used) / len(steps) * 1e6


def listings(server, client) -> float:
    """The server's CPU per listing of the runs, in microseconds."""
    used = server.cpu()
    for _ in range(1000):
        assert client.get(server.url + "/api/v1/runs").status_code == 200
    return (server.cpu() - used) / 1000 * 1e6


def growth(report):
    """Growth of cost: linear in layers, constant in stored data"""
    per_layer, resident = {}, {}
    for layers in (50, 500, 2000):
        body = compact("wide", layers=layers)
        with ours("--max-steps-per-run", 100_000, "--max-request-size", 8_000_000) as server, server.session() as client:
            posts(server, client, body, range(100))
            before = server.memory()
            per_layer[layers] = median([
                posts(server, client, body, range(100 * turn, 100 * (turn + 1))) / layers for turn in range(1, 6)])
            resident[layers] = (server.memory() - before) / (500 * (layers * 12 + 2) * 8)
    body = compact("long", layers=5)
    options = ("--max-steps-per-run", 100_000, "--max-runs", 1000)
    with ours(*options) as empty, ours(*options) as full, empty.session() as one, full.session() as other:
        for number in range(900):
            posts(full, other, compact(f"run{number}", layers=5), range(1))
        posts(full, other, body, range(30_000))
        begins = iter(range(30_000, 100_000, 1000))

        def more() -> range:
            begin = next(begins)
            return range(begin, begin + 1000)
        added, added_full = alternate(
            5, lambda: posts(empty, one, body, range(1000)),
            lambda: posts(full, other, body, more()))
    with ours(*options) as short, ours(*options) as long, short.session() as one, long.session() as other:
        posts(short, one, body, range(10))
        posts(long, other, body, range(10_000))
        listed, listed_long = alternate(5, lambda: listings(short, one), lambda: listings(long, other))
    for layers, each in per_layer.items():
        report.figure(f"CPU of a post for each of {layers} layers", each, "us",
                      f"resident by 8 bytes a number {resident[layers]:.2f}")
    report.ratio("2000 layers to 500, for each layer", per_layer[2000] / per_layer[500], at_most=1.2)
    report.ratio("post beside 900 runs and 30 000 steps, to none", added_full / added, at_most=1.2)
    report.ratio("listing a run of 10 000 steps, to one of 10", listed_long / listed, at_most=1.2)
