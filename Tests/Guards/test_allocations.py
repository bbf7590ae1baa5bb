"""What a request, a message and a stored step allocate. Counted by a library that is loaded before the C library's."""

import threading

import pytest
from counting import open_step, step, within
from Support.clients.libraries import session, subscribe
from Support.wire.raw import INGEST

LAYERS = 50
# Calls of the allocator for a request, kept alive, without subscribers.
REQUEST = {"GET /health": 14, "POST": 35, "POST, gzip": 56, "POST over TLS": 55, "POST to v2": 35}
# Calls of the allocator for a message to one more subscriber, who is sent it compressed. Most are for waking its event
# loop, so the number depends on how many messages it finds at once.
MESSAGE = 2.2
# Bytes that stay in use for a stored step, by the 8 bytes of each of its numbers: the numbers, and the summaries of 16
# to 32 steps, of twice as many, and so on.
STORED = 1.22


def send(server, run: str, steps: range, layers: int = LAYERS, path: str = "", **headers):
    """Posts those steps, to another path than v1's as the open wire has them; every one must be accepted."""
    import gzip
    with session(server) as client:
        for number in steps:
            body = open_step(number, layers, seed=number % 7) if path else step(run, number, layers, seed=number % 7)
            if "Content-Encoding" in headers:
                body = gzip.compress(body)
            answer = client.post(server.url + (path or INGEST), data=body, headers={"Content-Type": "application/json", **headers})
            assert answer.status_code == 202, answer.text


def calls(server, work, warm: range, counted: range) -> float:
    """Calls of the allocator for each turn of the work."""
    work(warm)
    before = server.allocations.calls
    work(counted)
    return (server.allocations.calls - before) / len(counted)


@pytest.mark.parametrize("kind", REQUEST)
def test_a_request_allocates_no_more_than_its_budget(counted_server, kind):
    server = counted_server("--max-steps-per-run", 100_000, *(["--tls", "dev"] if "TLS" in kind else []))
    headers = {"Content-Encoding": "gzip"} if "gzip" in kind else {}

    def get(turns: range):
        with session(server) as client:
            for _ in turns:
                assert client.get(server.url + "/health").status_code == 200
    path = "/api/v2/runs/guard/steps" if "v2" in kind else ""
    work = get if "health" in kind else lambda steps: send(server, "guard", steps, path=path, **headers)
    within(REQUEST[kind], calls(server, work, range(200), range(200, 1200)), f"allocations for {kind}")


def test_a_post_allocates_the_same_whatever_is_stored(counted_server):
    server = counted_server("--max-steps-per-run", 100_000)

    def few(steps):
        send(server, "guard", steps, layers=5)
    first = calls(server, few, range(200), range(200, 700))
    for run in range(9):
        send(server, f"beside-{run}", range(50), layers=5)
    few(range(700, 5000))
    within(first, calls(server, few, range(5000, 5200), range(5200, 5700)), "allocations for a post beside 5000 steps")


def test_a_message_to_one_more_subscriber_allocates_no_more_than_its_budget(counted_server):
    server = counted_server()
    counted = range(100, 500)

    def with_subscribers(number: int) -> float:
        sockets = [subscribe(server) for _ in range(number)]
        ready = threading.Barrier(number + 1)

        def read(socket):
            socket.recv(timeout=60)
            ready.wait()
            for _ in range(counted.stop):
                socket.recv(timeout=60)
            ready.wait()
        threads = [threading.Thread(target=read, args=(socket,), daemon=True) for socket in sockets]
        for thread in threads:
            thread.start()
        ready.wait(60)
        send(server, "guard", range(counted.start))
        before = server.allocations.calls
        send(server, "guard", counted)
        ready.wait(60)
        after = server.allocations.calls
        for socket in sockets:
            socket.close()
        return (after - before) / len(counted)
    one, many = with_subscribers(1), with_subscribers(21)
    within(MESSAGE, (many - one) / 20, "allocations for a message")


def test_a_stored_step_holds_no_more_bytes_than_its_budget(counted_server):
    server = counted_server("--max-steps-per-run", 10_000)
    send(server, "guard", range(200))
    before = server.allocations.bytes
    send(server, "guard", range(200, 1200))
    after = server.allocations.bytes
    numbers = LAYERS * 12 + 2
    within(STORED, (after - before) / 1000 / (8 * numbers), "bytes for a stored step, by 8 bytes a number")
