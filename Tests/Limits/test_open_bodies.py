"""The largest bodies of the open wire: many batches at once, and steps with all the names that the limits allow."""

import contextlib
import json
import random

from Support.clients.ingest import encode
from Support.clients.openwire import LINES, accept_lines, accept_steps, post_step, read_steps, run_path
from Support.load.resource_check import MEGABYTE
from Support.payloads import run_id
from Support.servers.allocations import allocating_at_most
from Support.wire.raw import RawConnection

LINE_COUNT, COLUMN = 400, 200
SCALARS, METRICS = 1000, 128
# What the server may have in use beside the bodies: connections, decoded lines of a batch, buffers of sockets.
BESIDE = 6 * MEGABYTE


def batch() -> bytes:
    """About 1.6 MB of steps with numbers that have all their digits."""
    numbers = random.Random(1)
    layers = [f"l{layer}" for layer in range(COLUMN)]
    return "\n".join(
        encode({"step": step, "layers": layers, "metrics": {"m": [numbers.random() for _ in layers]}})
        for step in range(LINE_COUNT)).encode()


def post(run: str, body: bytes) -> bytes:
    head = (f"POST {run_path(run)}/steps HTTP/1.1\r\nHost: localhost\r\nContent-Type: {LINES}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


def test_batches_that_are_too_much_together_are_refused_and_the_others_are_stored_whole(start_server):
    budget, clients = 16 * MEGABYTE, 40
    server = start_server("--max-body-memory", budget, "--body-timeout", 60, counted=True)
    body = batch()
    # The steps that are kept count besides.
    kept = clients * LINE_COUNT * (COLUMN * 8 + 512)
    with allocating_at_most(server, 2 * budget + kept + BESIDE), contextlib.ExitStack() as opened:
        held = []
        for client in range(clients):
            run = run_id("held")
            raw = opened.enter_context(contextlib.closing(RawConnection(server, timeout=60)))
            request = post(run, body)
            # The server closes a connection whose body it refuses while it is sent.
            with contextlib.suppress(OSError):
                raw.send(request[:-1])
            held.append((run, raw, request[-1:]))
        stored = 0
        for run, raw, rest in held:
            with contextlib.suppress(OSError):
                raw.send(rest)
            response = raw.read_response()
            assert response.status in (202, 408, 503)
            if response.status == 202:
                stored += 1
                assert json.loads(response.body)["accepted"] == LINE_COUNT
                assert len(read_steps(server, run, metrics="")) == LINE_COUNT
        assert 0 < stored < clients
    assert accept_lines(server, run_id("after"), body)["accepted"] == LINE_COUNT


def largest_step(number: int) -> dict:
    numbers = random.Random(number)
    return {
        "step": number, "scalars": {f"scalar {index}": numbers.random() for index in range(SCALARS)},
        "layers": ["a", "b"], "metrics": {f"metric {index}": [numbers.random(), None] for index in range(METRICS)},
        "vectors": {f"vector {index}": {"a": [numbers.random()]} for index in range(METRICS)}}


def test_steps_with_as_many_names_as_allowed_stay_within_the_memory_limit(start_server):
    limit, steps = 8 * MEGABYTE, 1500
    server = start_server("--max-memory", limit, "--max-steps-per-run", 100_000, counted=True)
    run = run_id("names")
    for kind, maximum in (("scalars", SCALARS), ("metrics", METRICS), ("vectors", METRICS)):
        over = largest_step(0)
        over[kind]["one more"] = next(iter(over[kind].values()))
        response = post_step(server, run, over)
        error = response.json()["detail"][0]
        assert response.status_code == 422 and (error["type"], error["loc"]) == ("too_long", ["body", kind])
        assert error["ctx"]["max_length"] == maximum
    with allocating_at_most(server, limit + BESIDE):
        for number in range(steps):
            accept_steps(server, run, largest_step(number))
        # As a batch, and with other names in each step: then each has a table of its own.
        accept_lines(server, run, [largest_step(steps + number) for number in range(20)])
        for number in range(100):
            step = largest_step(number)
            step["scalars"] = {f"{number} {name}": value for name, value in step["scalars"].items()}
            accept_steps(server, run_id("others"), step)
    last = accept_steps(server, run, largest_step(9999))
    assert last["seq"] and read_steps(server, run, last=1)[0]["scalars"] == largest_step(9999)["scalars"]
